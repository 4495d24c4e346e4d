"""A chain of files for doit, as long as COUNT says."""

import os

DOIT_CONFIG = {"verbosity": 0}


def task_link():
    for at in range(int(os.environ["COUNT"])):
        yield {
            "name": str(at),
            "actions": [f"touch f{at + 1}"],
            "file_dep": [f"f{at}"],
            "targets": [f"f{at + 1}"],
        }

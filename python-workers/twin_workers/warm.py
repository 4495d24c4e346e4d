"""
A parent that has imported what jobs need and forks their keepers, so that a job starts in milliseconds and not in seconds.

It imports and forks and never runs a tensor operation: a fork after one hangs. It has one thread. It dies with twin, by the end of its
standard input, and its death touches no job.
"""

import importlib
import json
import os
import sys
import traceback
from pathlib import Path

from twin_workers.imports import prepare_imports

_LIBRARIES = ("torch", "transformers", "peft", "datasets", "trl", "safetensors.torch")


def warm() -> int:
    """Import, say `ready`, then start a keeper for each attempt that a line names."""
    channel = os.dup(1)
    os.dup2(2, 1)  # libraries print
    prepare_imports()
    missing = [name for name in _LIBRARIES if not _imported(name)]
    _tell(channel, {"ready": os.getpid(), "missing": missing})
    for line in sys.stdin:
        request = json.loads(line)
        try:
            _fork_keeper(Path(request["attempt"]), request["variables"])
            _tell(channel, {"started": request["attempt"]})
        except OSError as error:
            _tell(channel, {"failed": request["attempt"], "message": str(error)})
    return 0


def _imported(name: str) -> bool:
    try:
        importlib.import_module(name)
        if name == "trl":
            # Its trainers are imported when they are named.
            importlib.import_module("trl").SFTTrainer  # noqa: B018
            importlib.import_module("trl").DPOTrainer  # noqa: B018
        return True
    except ImportError:
        return False


def _fork_keeper(attempt: Path, variables: dict[str, str]) -> None:
    """Forked twice, so that no keeper is anyone's child here."""
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    code = 1
    try:
        os.setsid()
        if os.fork():
            os._exit(0)
        os.environ.update(variables)
        from twin_workers.keeper import keep

        code = keep(attempt)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def _tell(channel: int, message: dict[str, object]) -> None:
    os.write(channel, json.dumps(message).encode() + b"\n")

"""Runs each piece of a benchmark in a process of its own, forked from one that has imported the libraries once."""

import atexit
import json
import os
import shutil
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

WORKERS = Path(__file__).resolve().parents[2] / "python-workers"
sys.path[:0] = [str(WORKERS), str(WORKERS / "tests")]
# One thread: what is measured is the work, not how threads wait for each other.
os.environ["OMP_NUM_THREADS"] = "1"
# What a benchmark takes teaches no estimate of the user's.
CACHE = Path(tempfile.mkdtemp(prefix="twin-bench-cache-"))
atexit.register(shutil.rmtree, CACHE, ignore_errors=True)
os.environ["XDG_CACHE_HOME"] = str(CACHE)

from twin_workers.imports import prepare_imports  # noqa: E402

prepare_imports()

SUBJECTS = ("cursor", "ledger", "keeper", "chunk", "journal", "alias", "checkpoint", "adapter")


def apart(work: Callable[[], Any]) -> Any:
    """What `work` returns, as JSON, from a child of this process; an error there is an error here."""
    # By file: a keeper closes whatever else it inherits.
    handle, name = tempfile.mkstemp(dir=CACHE)
    os.close(handle)
    result = Path(name)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            result.write_text(json.dumps(work()), encoding="utf-8")
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    if os.waitpid(child, 0)[1] != 0:
        raise RuntimeError("a measured process failed, see above")
    try:
        return json.loads(result.read_text(encoding="utf-8"))
    finally:
        result.unlink()


def documents(count: int) -> list[dict[str, Any]]:
    """Texts of a corpus."""
    words = [f"{subject}{number}" for number in range(200) for subject in SUBJECTS]
    texts = (" ".join(words[(number * 31 + place * 7) % len(words)] for place in range(120)) for number in range(count))
    return [{"id": str(number), "text": text} for number, text in enumerate(texts)]


def samples(count: int, words: int) -> list[dict[str, Any]]:
    """Instruction samples with answers of so many words."""
    return [
        {
            "id": f"sample-{number:04}",
            "document": f"document-{number}",
            "instruction": f"What is the {SUBJECTS[number % len(SUBJECTS)]} of document {number}?",
            "answer": " ".join(f"{SUBJECTS[(number + place) % len(SUBJECTS)]}{place}" for place in range(words)),
            "sources": [{"document": f"document-{number}", "revision": "0" * 64}],
        }
        for number in range(count)
    ]

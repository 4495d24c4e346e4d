"""
A parent that has imported what jobs need and forks their keepers, so that a job starts in milliseconds and not in seconds.

It imports and forks and never runs a tensor operation: a fork after one hangs. It has one thread. It dies with twin, by the end of its
standard input, and its death touches no job.
"""

import gc
import importlib
import json
import os
import signal
import sys
import traceback
from pathlib import Path

from twin_workers.huge_pages import collapse_memory
from twin_workers.imports import prepare_imports

_LIBRARIES = ("torch", "transformers", "peft", "datasets", "trl", "safetensors.torch")
# What every attempt needs of twin itself.
_OWN = ("attempt", "keeper", "schemas")
_PACKAGE = Path(__file__).parent
# Moving memory takes a second: worth it for a parent that forks many.
_COLLAPSE_AFTER = 3


def warm() -> int:
    """Import, say `ready`, then start a keeper for each attempt that a line names; ends where the code of the workers has changed since."""
    channel = os.dup(1)
    os.dup2(2, 1)  # libraries print
    prepare_imports()
    missing = [name for name in _LIBRARIES if not _imported(name)]
    code = _code()
    for name in _OWN:
        importlib.import_module(f"twin_workers.{name}")
    _read_once()
    # What is there stays: looking at it would copy it in every child.
    gc.freeze()
    # Keepers are nobody's children: the kernel takes them away when they end.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    _tell(channel, {"ready": os.getpid(), "missing": missing})
    for count, line in enumerate(sys.stdin, 1):
        request = json.loads(line)
        if _code() != code:
            # A key names the code as it lies on disk: what was imported before may not run under it.
            _tell(channel, {"failed": request["attempt"], "message": "the code of the workers has changed"})
            return 0
        try:
            _fork_keeper(Path(request["attempt"]), request["variables"])
            _tell(channel, {"started": request["attempt"]})
        except OSError as error:
            _tell(channel, {"failed": request["attempt"], "message": str(error)})
        if count == _COLLAPSE_AFTER:
            collapse_memory()
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


def _code() -> list[tuple[str, int, int]]:
    """Names the code of the workers as it lies on disk."""
    found = ((path, path.stat()) for path in sorted(_PACKAGE.rglob("*.py")))
    return [(str(path), stat.st_mtime_ns, stat.st_size) for path, stat in found]


def _read_once() -> None:
    """What does not change from attempt to attempt."""
    from twin_workers.attempt import libraries
    from twin_workers.schemas import schemas

    schemas()
    libraries()


def _fork_keeper(attempt: Path, variables: dict[str, str]) -> None:
    if os.fork():
        return
    code = 1
    try:
        os.setsid()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.environ.update(variables)
        from twin_workers.keeper import keep

        code = keep(attempt)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def _tell(channel: int, message: dict[str, object]) -> None:
    os.write(channel, json.dumps(message).encode() + b"\n")

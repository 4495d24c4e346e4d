"""Ends every process that a worker started, wherever it went: launchers such as torchrun put each rank in a session of its own."""

import ctypes
import os
import signal
import sys
import time
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
# Names the attempt in the environment of all that its worker starts.
MARKER = "TWIN_ATTEMPT"
_SWEEP_SECONDS = 5.0


def adopt_orphans() -> None:
    """Have processes whose parent ends become children of this one and not of init (Linux), so that none can get away."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def sweep(group: int, spared: frozenset[int] = frozenset()) -> list[int]:
    """Kill the worker's process group and all that descends from this process, and return the pids of those that had left the group."""
    kill_group(group)
    swept: dict[int, None] = {}
    end = time.monotonic() + _SWEEP_SECONDS
    while time.monotonic() < end:
        left = [pid for pid in _descendants(os.getpid()) if pid != group and pid not in spared]
        if not left:
            break
        for pid in left:
            swept[pid] = None
            _kill(pid)
        for pid in left:
            _reap(pid)
        time.sleep(0.005)
    return list(swept)


def guard(worker: int, nonce: str) -> tuple[int, int]:
    """
    Start a process that does nothing but wait: where this one is killed, it ends what the worker had started.

    Returns its pid and the file descriptor that `dismiss` wants. The kernel sees to the worker itself.
    """
    reader, writer = os.pipe()
    pid = os.fork()
    if pid:
        os.close(reader)
        return pid, writer
    try:
        os.close(writer)
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        os.closerange(0, reader)
        os.closerange(reader + 1, 256)
        if os.read(reader, 1) == b"":
            _sweep_strangers(worker, nonce)
    finally:
        os._exit(0)


def dismiss(guardian: tuple[int, int]) -> None:
    """The guardian is needed no more."""
    pid, writer = guardian
    try:
        os.write(writer, b".")
        os.waitpid(pid, 0)
    except (BrokenPipeError, ChildProcessError):
        pass
    os.close(writer)


def kill_group(group: int) -> None:
    """SIGKILL to a process group, if it is there."""
    try:
        os.killpg(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass


def _sweep_strangers(worker: int, nonce: str) -> None:
    """Like `sweep`, for one who is no ancestor: by process group, and by the mark in the environment."""
    mark = f"{MARKER}={nonce}".encode()
    end = time.monotonic() + _SWEEP_SECONDS
    while time.monotonic() < end:
        kill_group(worker)
        marked = [pid for pid in _pids() if mark in _environment(pid)]
        if not marked:
            break
        for pid in marked:
            _kill(pid)
        time.sleep(0.05)


def _descendants(root: int) -> list[int]:
    parents: dict[int, int] = {}
    for pid in _pids():
        state, parent = _state(pid)
        if state not in "ZX":
            parents[pid] = parent
    found: list[int] = []
    for pid in parents:
        ancestor, steps = parents[pid], 0
        while ancestor in parents and ancestor != root and steps < 64:
            ancestor, steps = parents[ancestor], steps + 1
        if ancestor == root:
            found.append(pid)
    return found


def _pids() -> list[int]:
    try:
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return []


def _state(pid: int) -> tuple[str, int]:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        return fields[0], int(fields[1])
    except (OSError, IndexError, ValueError):
        return "X", 0


def _environment(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return []


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass


def _reap(pid: int) -> None:
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        pass  # not ours yet: its parent has to end first

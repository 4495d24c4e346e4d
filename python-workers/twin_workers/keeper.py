"""
Holds one attempt of a job, so that the job outlives twin and never runs twice. Standard library only.

The keeper leaves twin's session, claims the attempt by creating keeper.json, forks the worker, and writes exit.json when that has ended.
The worker dies with its keeper. Where twin renews lease.json no more, the worker is asked to save and stop.
"""

import json
import os
import select
import signal
import sys
import time
import traceback
import uuid
from pathlib import Path

from twin_workers.process import die_with_parent, identity
from twin_workers.protocol import EXIT_CODES, wall_clock

# What a worker has between SIGTERM and SIGKILL to end its step and save.
STOP_GRACE_SECONDS = 120.0
_FORWARDED = {signal.SIGTERM, signal.SIGINT}


def keep(attempt: Path) -> int:
    """Hold the attempt until its worker has ended; another keeper's attempt is left alone."""
    attempt = attempt.resolve()
    _leave_session()
    _detach_streams(attempt / "output.log")
    record = {**identity(), "nonce": uuid.uuid4().hex, "worker": None}
    if not _claim(attempt / "keeper.json", record):
        print("Another keeper holds this attempt.", flush=True)
        return 0
    # Room for the verdict while there is room: it must be writable on a disk that is full later.
    _write(attempt / "exit.json.reserve", " " * 512)
    killed_before = _memory_kills()
    wake = _wake_on_signals()
    worker = _fork_worker(attempt)
    _replace(attempt / "keeper.json", {**record, "worker": worker})

    status = _wait(worker, wake, _Lease(attempt))
    code, number = (os.WEXITSTATUS(status), None) if os.WIFEXITED(status) else (None, os.WTERMSIG(status))
    if number == signal.SIGKILL and _memory_kills() > killed_before:
        code = EXIT_CODES["out-of-memory"]
    name = None if number is None else signal.Signals(number).name
    os.replace(attempt / "exit.json.reserve", attempt / "exit.json.new")
    _replace(attempt / "exit.json", {"code": code, "signal": name, "wall": wall_clock()}, temporary=attempt / "exit.json.new")
    return 0


def _leave_session() -> None:
    """Become the leader of a session of its own, so that no terminal and no signal to twin's group reaches the job."""
    if os.getsid(0) == os.getpid():
        return
    try:
        os.setsid()
    except PermissionError:  # the leader of a process group may not; its child may
        if os.fork():
            os._exit(0)
        os.setsid()


def _detach_streams(log: Path) -> None:
    """Read nothing, write to the log, and keep nothing open that twin opened."""
    os.closerange(3, 256)
    nothing = os.open(os.devnull, os.O_RDONLY)
    output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    for source, target in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    os.close(nothing)
    os.close(output)


def _claim(path: Path, record: dict[str, object]) -> bool:
    """Create the keeper's record, complete, unless there is one."""
    mine = path.with_name(f"{path.name}.{os.getpid()}")
    _write(mine, json.dumps(record))
    try:
        os.link(mine, path)
        return True
    except FileExistsError:
        return False
    finally:
        mine.unlink()


def _fork_worker(attempt: Path) -> int:
    """Fork without exec, so that what a warm parent has imported is there already; signals wait until the worker can take them."""
    keeper = os.getpid()
    signal.pthread_sigmask(signal.SIG_BLOCK, _FORWARDED)
    worker = os.fork()
    if worker == 0:
        code = EXIT_CODES["bug"]
        try:
            os.setpgid(0, 0)
            die_with_parent(keeper)
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            from twin_workers.attempt import run_attempt

            code = run_attempt(attempt, keeper)
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _FORWARDED)
    return worker


def _wake_on_signals() -> int:
    """A file descriptor that turns readable when a signal came; the number of each is a byte in it."""
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer)
    for number in (signal.SIGCHLD, *_FORWARDED):
        signal.signal(number, lambda *_: None)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    return reader


class _Lease:
    """Whether twin still follows: lease.json changes, counted by this machine's monotonic clock, so that no two clocks are compared."""

    def __init__(self, attempt: Path) -> None:
        self._path = attempt / "lease.json"
        self._seen: tuple[int, int] | None = None
        self._since = time.monotonic()
        try:
            seconds = json.loads((attempt / "request.json").read_text(encoding="utf-8")).get("leaseSeconds")
        except (OSError, ValueError, AttributeError):
            seconds = None  # the worker will say what is wrong with the request
        self.seconds: float | None = seconds if isinstance(seconds, (int, float)) else None

    def lapsed(self) -> bool:
        if self.seconds is None:
            return False
        try:
            stat = self._path.stat()
            now = (stat.st_mtime_ns, stat.st_size)
        except OSError:
            now = None
        if now is not None and now != self._seen:
            self._seen, self._since = now, time.monotonic()
        return time.monotonic() - self._since > self.seconds

    def look_again(self) -> float | None:
        return None if self.seconds is None else min(5.0, max(0.02, self.seconds / 10))


def _wait(worker: int, wake: int, lease: _Lease) -> int:
    """Wait for the worker, hand signals on to it, stop it when the lease lapses; its process group ends with it."""
    kill_at: float | None = None
    killed = False
    while not _has_ended(worker):
        asked = bool(_FORWARDED & set(_signals(wake, _time_left(None if killed else kill_at, lease.look_again()))))
        if asked or (kill_at is None and lease.lapsed()):
            print("Asked to stop." if asked else f"No twin renewed the lease for {lease.seconds} s: stopping.", flush=True)
            os.kill(worker, signal.SIGTERM)
            kill_at = kill_at or time.monotonic() + STOP_GRACE_SECONDS
        if kill_at is not None and not killed and time.monotonic() >= kill_at:
            print(f"The worker did not stop in {STOP_GRACE_SECONDS:g} s: killing it.", flush=True)
            os.kill(worker, signal.SIGKILL)
            killed = True
    # The leader is not yet reaped where the platform allows that, so its group id cannot be someone else's.
    if hasattr(os, "waitid"):
        _sweep(worker)
        return os.waitpid(worker, 0)[1]
    status = os.waitpid(worker, 0)[1]
    _sweep(worker)
    return status


def _has_ended(worker: int) -> bool:
    if hasattr(os, "waitid"):
        return os.waitid(os.P_PID, worker, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    import subprocess

    return subprocess.run(["ps", "-o", "state=", "-p", str(worker)], capture_output=True, text=True).stdout.strip()[:1] in ("", "Z")


def _sweep(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass


def _time_left(kill_at: float | None, look_again: float | None) -> float | None:
    times = [max(0.0, kill_at - time.monotonic())] if kill_at is not None else []
    return min([*times, *([] if look_again is None else [look_again])], default=None)


def _signals(wake: int, timeout: float | None) -> bytes:
    if not select.select([wake], [], [], timeout)[0]:
        return b""
    return os.read(wake, 512)


def _memory_kills() -> int:
    """How many processes of this control group the kernel has killed for want of memory; 0 where it does not say."""
    try:
        group = Path("/proc/self/cgroup").read_text(encoding="ascii").strip().rpartition(":")[2]
        counters = Path(f"/sys/fs/cgroup{group}/memory.events").read_text(encoding="ascii").split()
        return int(counters[counters.index("oom_kill") + 1])
    except (OSError, ValueError, IndexError):
        return 0


def _write(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _replace(path: Path, record: dict[str, object], temporary: Path | None = None) -> None:
    """Put a record in place whole, and durably."""
    temporary = temporary or path.with_name(f"{path.name}.new")
    # "r+" keeps the blocks that are reserved for it.
    with temporary.open("r+" if temporary.exists() else "w", encoding="utf-8") as file:
        file.write(json.dumps(record))
        file.truncate()
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
    folder = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)

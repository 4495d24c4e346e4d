"""
Holds one attempt of a job, so that the job outlives twin and never runs twice. Standard library only.

The keeper leaves twin's session, claims the attempt by creating keeper.json, forks the worker, and writes exit.json when that has ended.
The worker dies with its keeper, and so does all that it started. Where twin renews lease.json no more, the worker is asked to save and
stop. What it prints goes through the keeper, which masks secrets and caps the log. A worker that hangs prints its stacks and is ended.
"""

import json
import os
import resource
import select
import signal
import sys
import time
import traceback
import uuid
from pathlib import Path
from typing import Any

from twin_workers.output import Output, masked_values
from twin_workers.process import die_with_parent, identity
from twin_workers.protocol import EXIT_CODES, wall_clock
from twin_workers.sweep import MARKER, adopt_orphans, dismiss, guard, sweep
from twin_workers.watchdog import Watchdog

# What a worker has between SIGTERM and SIGKILL to end its step and save.
STOP_GRACE_SECONDS = 120.0
# What it has to print its stacks.
STACKS_SECONDS = 2.0
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
    secrets = masked_values(os.environ)
    output = Output(attempt / "output.log", secrets)
    killed_before = _memory_kills()
    started = time.monotonic()
    wake = _wake_on_signals()
    adopt_orphans()
    worker = _fork_worker(attempt, output, secrets, str(record["nonce"]))
    os.close(output.writer)
    # Room for the verdict while there is room: it must be writable on a disk that is full later.
    _write(attempt / "exit.json.reserve", " " * 4096)
    guardian = guard(worker, str(record["nonce"]))
    _replace(attempt / "keeper.json", {**record, "worker": worker})

    ending = _Ending(worker, wake, output, _read_request(attempt), attempt)
    status = ending.wait(guardian[0])
    code, number = (os.WEXITSTATUS(status), None) if os.WIFEXITED(status) else (None, os.WTERMSIG(status))
    if ending.hung:
        code = EXIT_CODES["hang"]
    elif number == signal.SIGKILL and _memory_kills() > killed_before:
        code = EXIT_CODES["out-of-memory"]
    name = None if number is None else signal.Signals(number).name
    output.close()
    dismiss(guardian)
    os.replace(attempt / "exit.json.reserve", attempt / "exit.json.new")
    verdict = {"code": code, "signal": name, "wall": wall_clock(), "verdict": ending.verdict, "usage": _usage(started)}
    _replace(attempt / "exit.json", verdict, temporary=attempt / "exit.json.new")
    return 0


def further_attempt(attempt: Path) -> Path | None:
    """
    What a requeued batch job goes on with: an attempt after its last one, which was interrupted; None where that one has a verdict.

    The batch system has ended everything of the earlier one before it starts the job again.
    """
    attempts = attempt.resolve().parent
    last = max((int(path.name) for path in attempts.iterdir() if path.name.isdigit()), default=0)
    before = attempts / str(last)
    try:
        code = json.loads((before / "exit.json").read_text(encoding="utf-8"))["code"]
    except (OSError, ValueError, KeyError):
        code = EXIT_CODES["preempted"]
    if code != EXIT_CODES["preempted"]:
        return None
    request = json.loads((before / "request.json").read_text(encoding="utf-8"))
    folder = attempts / str(last + 1)
    outputs = {name: str(folder / "outputs" / name) for name in request["outputs"]}
    draft = attempts / f".{last + 1}-{uuid.uuid4().hex}"
    (draft / "outputs").mkdir(parents=True)
    _write(draft / "request.json", json.dumps({**request, "attempt": last + 1, "outputs": outputs}))
    for name in ("launch.json", "slurm.json"):
        if (before / name).exists():
            _write(draft / name, (before / name).read_text(encoding="utf-8"))
    _write(draft / "lease.json", "{}")
    os.rename(draft, folder)
    return folder


def _usage(started: float) -> dict[str, float]:
    """What the worker and its children took; the peak is that of the largest of them."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    unit = 1 if sys.platform == "darwin" else 1024
    seconds, cpu = round(time.monotonic() - started, 3), round(usage.ru_utime + usage.ru_stime, 3)
    return {"seconds": seconds, "cpuSeconds": cpu, "peakResidentBytes": usage.ru_maxrss * unit}


def _read_request(attempt: Path) -> dict[str, Any]:
    """As far as the keeper needs it; what is wrong with it the worker will say."""
    try:
        request = json.loads((attempt / "request.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return request if isinstance(request, dict) else {}


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


def _fork_worker(attempt: Path, output: Output, secrets: list[bytes], nonce: str) -> int:
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
            output.take_streams()
            os.environ[MARKER] = nonce
            from twin_workers.attempt import run_attempt

            code = run_attempt(attempt, keeper, secrets)
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

    def __init__(self, attempt: Path, seconds: Any) -> None:
        self._path = attempt / "lease.json"
        self._seen: tuple[int, int] | None = None
        self._since = time.monotonic()
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


class _Ending:
    """Waits for the worker: moves its output, hands signals on to it, and ends it where it must be ended."""

    def __init__(self, worker: int, wake: int, output: Output, request: dict[str, Any], attempt: Path) -> None:
        self._worker, self._wake, self._output = worker, wake, output
        self._lease = _Lease(attempt, request.get("leaseSeconds"))
        deadlines = request.get("deadlines")
        self._watchdog = Watchdog(attempt / "events.jsonl", deadlines if isinstance(deadlines, dict) else None)
        self._term_at: float | None = None
        self._kill_at: float | None = None
        self._killed = False
        self.hung = False
        self.verdict: str | None = None

    def wait(self, guardian: int) -> int:
        """The worker's exit status; all that it had started has ended too."""
        look_at = 0.0
        while not _has_ended(self._worker):
            _reap_strangers({self._worker, guardian})
            signals = self._listen(look_at)
            now = time.monotonic()
            if _FORWARDED & set(signals):
                self._stop("Asked to stop.")
            if now >= look_at:
                look_at = now + min(self._watchdog.interval, self._lease.look_again() or 60.0)
                self._look()
            self._escalate(now)
        # The leader is not yet reaped where the platform allows that, so its group id cannot be someone else's.
        if hasattr(os, "waitid"):
            strays = sweep(self._worker, frozenset({guardian}))
            status = os.waitpid(self._worker, 0)[1]
        else:
            status = os.waitpid(self._worker, 0)[1]
            strays = sweep(self._worker, frozenset({guardian}))
        if strays:
            self._output.say(f"Ended {len(strays)} processes that the worker had left behind: {', '.join(map(str, strays))}.")
        return status

    def _listen(self, look_at: float) -> bytes:
        times = [look_at, *(time_ for time_ in (self._term_at, None if self._killed else self._kill_at) if time_ is not None)]
        ready = select.select([self._wake, self._output.reader], [], [], max(0.0, min(times) - time.monotonic()))[0]
        if self._output.reader in ready and not self._output.pump():
            time.sleep(0.02)  # every writer has closed it and the worker ends: nothing to wait for on the pipe
        return os.read(self._wake, 512) if self._wake in ready else b""

    def _look(self) -> None:
        if self._kill_at is not None or self.hung:
            return
        if self._lease.lapsed():
            self._stop(f"No twin renewed the lease for {self._lease.seconds} s: stopping.")
            return
        overdue = self._watchdog.look()
        if overdue is not None:
            self.hung, self.verdict = True, f"hang: {overdue}"
            self._output.say(f"The worker hangs: {overdue}. Its stacks:")
            _signal(self._worker, signal.SIGUSR1)
            self._term_at = time.monotonic() + STACKS_SECONDS

    def _stop(self, why: str) -> None:
        self._output.say(why)
        _signal(self._worker, signal.SIGTERM)
        self._kill_at = self._kill_at or time.monotonic() + STOP_GRACE_SECONDS

    def _escalate(self, now: float) -> None:
        if self._term_at is not None and now >= self._term_at:
            self._term_at = None
            _signal(self._worker, signal.SIGTERM)
            self._kill_at = now + self._watchdog.grace
        if self._kill_at is not None and not self._killed and now >= self._kill_at:
            grace = self._watchdog.grace if self.hung else STOP_GRACE_SECONDS
            self._output.say(f"The worker did not stop in {grace:g} s: killing it.")
            self.verdict = self.verdict or f"it was asked to stop and did not within {grace:g} s"
            _signal(self._worker, signal.SIGKILL)
            self._killed = True


def _signal(worker: int, number: signal.Signals) -> None:
    try:
        os.kill(worker, number)
    except ProcessLookupError:
        pass


def _reap_strangers(known: set[int]) -> None:
    """Orphans of the worker's end here too, and would stay in the process table."""
    while hasattr(os, "waitid"):
        ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if ended is None or ended.si_pid in known:
            return
        os.waitpid(ended.si_pid, os.WNOHANG)


def _has_ended(worker: int) -> bool:
    if hasattr(os, "waitid"):
        return os.waitid(os.P_PID, worker, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    import subprocess

    return subprocess.run(["ps", "-o", "state=", "-p", str(worker)], capture_output=True, text=True).stdout.strip()[:1] in ("", "Z")


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

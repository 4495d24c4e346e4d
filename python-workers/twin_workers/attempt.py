"""Runs one attempt of a job: its heartbeat, its commands, and the exit code of whatever happens in it. Standard library only."""

import errno
import faulthandler
import importlib
import os
import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from twin_workers.artifacts import remove_partial
from twin_workers.checkpoints import remove_unsealed
from twin_workers.devices import JobDevices
from twin_workers.health import Finding
from twin_workers.imports import prepare_imports
from twin_workers.process import resident_bytes
from twin_workers.protocol import EXIT_CODES, CommandReader, EventWriter, JobFailure, JobStopped, read_request, well_formed

HEARTBEAT_SECONDS = 2.0
POLL_SECONDS = 0.2
_LIBRARIES = ("torch", "transformers", "trl", "peft", "accelerate", "datasets", "tokenizers", "safetensors", "numpy", "bitsandbytes")
_OUT_OF_SPACE = {errno.ENOSPC, errno.EDQUOT}
# torch does not pass the errno on when a checkpoint cannot be written to its end.
_UNWRITABLE = ("No space left on device", "inline_container", "PytorchStreamWriter")
_OUT_OF_MEMORY = ("OutOfMemoryError", "out of memory", "can't allocate memory")
# The device itself, not the program: another device will do.
_DEVICE_FAULT = ("uncorrectable ECC error", "fallen off the bus", "unspecified launch failure", "hardware error", "GPU is lost")
_PASSING = ("NCCL timeout", "Connection reset", "ncclSystemError", "ncclRemoteError", "Socket Timeout")


class Job:
    """What a job is given: its request, the ways to tell of itself, and whether it shall end."""

    def __init__(self, request: dict[str, Any], events: EventWriter) -> None:
        self.id: str = request["id"]
        self.name: str = request["job"]
        self.params: dict[str, Any] = request["params"]
        self.inputs = {name: Path(path) for name, path in request["inputs"].items()}
        self.outputs = {name: Path(path) for name, path in request["outputs"].items()}
        self.checkpoints = Path(request["checkpoints"])
        self.adaptations: list[str] = list(request["adaptations"])
        self.prompt_template: dict[str, str] = request["promptTemplate"]
        self.events = events
        # What the process holds before any model: libraries.
        self.base_bytes = 0
        self.stopping = threading.Event()
        self.cancelled = threading.Event()
        self.save_asked = threading.Event()
        self.phase_name = ""
        # What others than the steps themselves have found: the pulse, of an idle device.
        self.findings: queue.SimpleQueue[Finding] = queue.SimpleQueue()
        self.devices = JobDevices(self, request.get("gpus", 1))

    def input(self, name: str) -> Path:
        """The path of an input that the job cannot do without."""
        path = self.inputs.get(name)
        if path is None:
            raise JobFailure("configuration", f"{self.name} needs the input `{name}`, and the request has none")
        if not path.exists():
            raise JobFailure("data", f"The input `{name}` is not there", where=str(path))
        return path

    def phase(self, name: str) -> None:
        """Begin a phase; ends here if the job was asked to stop or cancelled."""
        self.end_if_asked()
        self.base_bytes = self.base_bytes or resident_bytes()
        self.phase_name = name
        self.events.emit("phase", {"name": name})

    def progress(self, done: float, total: float | None, unit: str) -> None:
        """Say how far the current phase is."""
        self.events.emit("progress", {"done": done, "total": total, "unit": unit})

    def warn(self, reason: str, message: str) -> None:
        """Say what was unexpected and yet no reason to end."""
        self.events.emit("warn", {"reason": reason, "message": well_formed(message)})

    def end_if_asked(self) -> None:
        """Raise JobStopped where twin or a signal asked for it: for places that have nothing to save."""
        if self.cancelled.is_set():
            raise JobStopped("cancelled")
        if self.stopping.is_set():
            raise JobStopped("preempted")

    def obey(self, command: str) -> None:
        """Take note of a command from twin; whoever waits for `stopping` wakes up for a cancel too, and looks at `cancelled` first."""
        if command == "cancel":
            self.cancelled.set()
        (self.save_asked if command == "save-now" else self.stopping).set()


def run_attempt(folder: Path, keeper: int | None = None, secrets: Sequence[bytes] = ()) -> int:
    """Run the attempt's job in this process and return its exit code; `keeper` is the pid to die with, `secrets` no event may hold."""
    # Libraries print; whatever they print belongs in the log.
    os.dup2(2, 1)
    faulthandler.enable()
    faulthandler.register(signal.SIGUSR1, all_threads=True)
    try:
        request = read_request(folder)
    except JobFailure as failure:
        return _end(None, failure)
    try:
        events = EventWriter(folder / "events.jsonl", request["id"], request["attempt"], secrets)
        job = Job(request, events)
        # A second signal changes nothing: the keeper kills a worker that does not end in time.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: job.stopping.set())
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM, signal.SIGINT})
        events.emit("hello", {"pid": os.getpid(), "device": _device(job.devices.wanted), "libraries": libraries()})
        threading.Thread(target=_pulse, args=(job, CommandReader(folder / "commands.jsonl"), keeper), daemon=True).start()
        return _run(job)
    except OSError as error:
        return _end(None, _failure_of(error))


def _run(job: Job) -> int:
    try:
        for change in job.adaptations:
            job.warn("adapted", change)
        prepare_imports()
        job.devices.take()
        outputs = importlib.import_module(f"twin_workers.jobs.{job.name.replace('-', '_')}").run(job)
        job.events.emit("result", {"outputs": outputs})
        return EXIT_CODES["done"]
    except JobStopped as stopped:
        job.warn(stopped.reason, f"Ended as asked: {stopped.reason}")
        return EXIT_CODES[stopped.reason]
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else EXIT_CODES["bug"]
    except BaseException as error:
        failure = _failure_of(error)
        if failure.reason == "transient":
            _make_room(job)
        if failure.reason == "device-fault":
            job.devices.failed(failure.message)
        return _end(job.events, failure)
    finally:
        job.devices.give_back()


def _make_room(job: Job) -> None:
    """Delete what is half written: on a full disk nothing else leaves room for the event that says so."""
    remove_unsealed(job.checkpoints)
    for path in job.outputs.values():
        remove_partial(path)


def _failure_of(error: BaseException) -> JobFailure:
    """Give every error its class: what a retry does depends on it."""
    if isinstance(error, JobFailure):
        return error
    message = str(error) or type(error).__name__
    # torch has its own class for it on a GPU and none on a CPU; it is not imported here for the sake of a name.
    if isinstance(error, MemoryError) or any(sign in f"{type(error).__name__} {message}" for sign in _OUT_OF_MEMORY):
        hint = "lower batchSize and raise gradientAccumulation, or lower maxLength"
        failure = JobFailure("out-of-memory", f"Memory ran out: {message}{_memory_peak()}", hint=hint)
    elif any(sign in message for sign in _DEVICE_FAULT):
        failure = JobFailure("device-fault", f"The device failed: {message}", hint="twin tries another device; look at `nvidia-smi -q`")
    elif any(sign in message for sign in _PASSING):
        failure = JobFailure("transient", f"The ranks lost each other: {message}")
    elif getattr(error, "errno", None) in _OUT_OF_SPACE or any(sign in message for sign in _UNWRITABLE):
        hint = "make room, then run again: the job goes on from its last checkpoint"
        failure = JobFailure("transient", f"The disk is full: {message}", hint=hint)
    else:
        failure = JobFailure("bug", f"{type(error).__name__}: {message}")
    failure.__cause__ = error
    return failure


def _memory_peak() -> str:
    """What torch knows of the device's memory; nothing where it was not used."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return f" (resident: {resident_bytes() / 2**30:.2f} GiB)"
    allocated, reserved = torch.cuda.max_memory_allocated(), torch.cuda.max_memory_reserved()
    return f" (peak allocated {allocated / 2**30:.2f} GiB, reserved {reserved / 2**30:.2f} GiB)"


def _end(events: EventWriter | None, failure: JobFailure) -> int:
    stack = None
    if failure.__cause__ is not None and failure.reason in ("bug", "out-of-memory"):
        stack = well_formed("".join(traceback.format_exception(failure.__cause__)))
    try:
        print(f"{failure.reason}: {failure.message}", failure.where or "", stack or "", sep="\n", file=sys.stderr, flush=True)
        if events is not None:
            where = None if failure.where is None else well_formed(failure.where)
            data = {"reason": failure.reason, "message": well_formed(failure.message), "where": where, "stack": stack, "hint": failure.hint}
            events.emit("error", data)
    except OSError:
        pass  # the disk is full; the exit code still tells
    return EXIT_CODES[failure.reason]


def _pulse(job: Job, commands: CommandReader, keeper: int | None) -> None:
    """Beat, obey, hand on metrics, and end with the keeper where the kernel does not see to it."""
    last_beat = 0.0
    while True:
        try:
            for command in commands.read():
                job.obey(command)
            job.events.flush_metrics()
            job.devices.tick(job.events.metric)
            if time.monotonic() - last_beat >= HEARTBEAT_SECONDS:
                last_beat = time.monotonic()
                job.events.emit("heartbeat", {"residentBytes": resident_bytes()})
        except OSError:
            pass  # a full disk ends the job where it writes something that matters
        if keeper is not None and os.getppid() != keeper:
            os.killpg(0, signal.SIGKILL)
        time.sleep(POLL_SECONDS)


def _device(gpus: int) -> str:
    """What a job that wants so many GPUs will run on, known without importing torch."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    return "cuda" if gpus > 0 and Path("/dev/nvidiactl").exists() and visible not in ("", "-1") else "cpu"


@cache
def libraries() -> Mapping[str, str]:
    """Versions of Python and of the libraries that make results, as far as they are installed."""
    from importlib.metadata import PackageNotFoundError, version

    versions = {"python": ".".join(map(str, sys.version_info[:3]))}
    for name in _LIBRARIES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return versions

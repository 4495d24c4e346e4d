"""What can go wrong, on purpose: the echo job does one of these at a step, so that every verdict of the protocol can be tested for real."""

import ctypes
import os
import resource
import signal
import subprocess
import sys
import time

from twin_workers.attempt import Job
from twin_workers.protocol import JobFailure


def commit_fault(job: Job, fault: str) -> None:
    """Do it; most of them do not return."""
    if fault == "hang":
        while True:  # deaf to every wish
            time.sleep(3600)
    if fault == "hang-with-gil":
        while True:  # a signal ends a sleep
            ctypes.PyDLL(None).sleep(3600)
    if fault == "print":
        line = b"x" * 1023 + b"\n"
        for _ in range(job.params["faultBytes"] // len(line)):
            os.write(1, line)
    if fault == "print-secret":
        for name in os.environ.get("TWIN_MASKED", "").split(","):
            print(f"{name} is {os.environ.get(name)}")
            job.warn("secret", f"{name} is {os.environ.get(name)}")
    if fault == "leave-processes":
        _leave_processes(job)
    if fault == "out-of-memory":
        resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
        bytearray(1 << 40)
    if fault == "device-fault":
        raise RuntimeError("CUDA error: uncorrectable ECC error encountered")
    if fault == "divergence":
        raise JobFailure("divergence", "loss became nan")
    if fault == "segmentation-fault":
        os.kill(os.getpid(), signal.SIGSEGV)
    if fault == "kill":
        os.kill(os.getpid(), signal.SIGKILL)


def _leave_processes(job: Job) -> None:
    """A child in a session of its own, as torchrun has its ranks, and a grandchild whose parent is gone."""
    sleep = "import time; time.sleep(3600)"
    child = f"subprocess.Popen([sys.executable, '-c', {sleep!r}], start_new_session=True, stdout=-3, stderr=-3)"
    fork = f"import subprocess, sys; print({child}.pid)"
    rank = subprocess.Popen([sys.executable, "-c", sleep], start_new_session=True)
    grandchild = subprocess.run([sys.executable, "-c", fork], capture_output=True, text=True, check=True).stdout.strip()
    job.warn("left", f"{rank.pid} {grandchild}")

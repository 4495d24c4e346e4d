"""Who a process is beyond its pid, and how a child dies with its parent. Standard library only."""

import ctypes
import os
import signal
import subprocess
import sys

PR_SET_PDEATHSIG = 1


def identity() -> dict[str, int | str]:
    """Pid, start and boot id of this process, as twin reads them of any process."""
    return {"pid": os.getpid(), "start": _start(), "bootId": _boot_id()}


def _start() -> str:
    if sys.platform == "linux":
        with open("/proc/self/stat", encoding="utf-8", errors="replace") as stat:
            # Field 2 is the command in parentheses and may itself hold spaces and parentheses; field 22 is wanted.
            return stat.read().rpartition(")")[2].split()[19]
    environment = {**os.environ, "LC_ALL": "C", "TZ": "UTC"}
    line = subprocess.run(["ps", "-o", "lstart=", "-p", str(os.getpid())], env=environment, capture_output=True, text=True, check=True)
    return " ".join(line.stdout.split())


def _boot_id() -> str:
    if sys.platform == "linux":
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as boot_id:
            return boot_id.read().strip()
    return subprocess.run(["sysctl", "-n", "kern.boottime"], capture_output=True, text=True, check=True).stdout.strip()


def die_with_parent(parent: int) -> None:
    """
    Have the kernel kill this process when the thread that forked it ends.

    Linux only; elsewhere the caller polls `os.getppid()`, as it should here too for what the kernel does not cover.
    A parent that died before this call is noticed by its pid.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def resident_bytes() -> int:
    """Memory that this process holds now."""
    if sys.platform == "linux":
        with open("/proc/self/statm", encoding="ascii") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # the peak, in bytes on macOS

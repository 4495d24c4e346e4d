"""Who a process is beyond its pid, and how a child dies with its parent. Standard library only."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

PR_SET_PDEATHSIG = 1


def identity() -> dict[str, int | str]:
    """Pid, start and boot id of this process, as twin reads them of any process."""
    return {"pid": os.getpid(), "start": _state(os.getpid())[1], "bootId": _boot_id()}


def alive(record: Mapping[str, Any]) -> bool:
    """Whether exactly the process of such a record still runs; a zombie does not."""
    if record["bootId"] != _boot_id():
        return False
    state, start = _state(int(record["pid"]))
    return state not in "ZX" and start == record["start"]


def _state(pid: int) -> tuple[str, str]:
    if sys.platform == "linux":
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
                # Field 2 is the command in parentheses and may itself hold spaces and parentheses; fields 3 and 22 are wanted.
                fields = stat.read().rpartition(")")[2].split()
                return fields[0], fields[19]
        except OSError:
            return "X", ""
    environment = {**os.environ, "LC_ALL": "C", "TZ": "UTC"}
    line = subprocess.run(["ps", "-o", "state=,lstart=", "-p", str(pid)], env=environment, capture_output=True, text=True)
    state, *start = line.stdout.split() or ["X"]
    return state[0], " ".join(start)


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

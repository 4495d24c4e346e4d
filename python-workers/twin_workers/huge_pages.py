"""Makes a large process cheap to fork: its memory in few large pages, which a fork copies one by one. Standard library only."""

import ctypes
import sys

_MADV_COLLAPSE = 25  # Linux 6.1
_HUGE = 1 << 21


def collapse_memory() -> None:
    """Move what this process holds into huge pages: a fork takes less than half of the time then. Does nothing where the kernel cannot."""
    if sys.platform != "linux":
        return
    try:
        with open("/proc/self/maps", encoding="utf-8", errors="replace") as maps:
            regions = [line.split() for line in maps]
        advise = ctypes.CDLL(None).madvise
        for place, rights, _, _, _, *name in regions:
            if rights != "rw-p" or (name and name != ["[heap]"]):
                continue
            start, end = (int(part, 16) for part in place.split("-"))
            # Page by page: one that cannot be moved keeps none of the others back.
            for address in range(-(-start // _HUGE) * _HUGE, end - _HUGE + 1, _HUGE):
                advise(ctypes.c_void_p(address), ctypes.c_size_t(_HUGE), _MADV_COLLAPSE)
    except (OSError, AttributeError, ValueError):
        pass  # forks take longer

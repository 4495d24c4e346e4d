"""When to save a checkpoint."""

import time

# Saving shall cost at most a twentieth of the time, whatever a save takes here.
_SHARE = 20
FIRST_SAVE_SECONDS, LEAST_SECONDS, MOST_SECONDS = 15.0, 30.0, 1800.0


class Cadence:
    """When to save: every so many steps, or as often as costs at most a twentieth of the time."""

    def __init__(self, every: int | None) -> None:
        self._every = every
        self._last = time.monotonic()
        self._seconds: float | None = None

    def due(self, step: int) -> bool:
        """Whether to save after this step."""
        if self._every is not None:
            return step % self._every == 0
        wait = FIRST_SAVE_SECONDS if self._seconds is None else min(MOST_SECONDS, max(LEAST_SECONDS, _SHARE * self._seconds))
        return time.monotonic() - self._last >= wait

    def saved(self, seconds: float) -> None:
        """A checkpoint took so long."""
        self._last, self._seconds = time.monotonic(), seconds

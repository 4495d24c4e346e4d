"""
Tells a worker that hangs from one that works. Standard library only.

Heartbeat and progress are two signals: a thread beats while the process is alive and Python runs in it; a step, a phase or a checkpoint
proves that the job gets on. Each has a deadline, and that of progress depends on the phase and on how long steps have taken.
"""

import json
import re
import statistics
import time
from collections import deque
from pathlib import Path
from typing import Any

# Seconds without progress, by phase, where the request says nothing else. A first step may compile for minutes.
PHASE_SECONDS = {"load": 900.0, "tokenize": 3600.0, "train": 900.0, "checkpoint": 1800.0, "evaluate": 1800.0, "save": 1800.0}
OTHER_PHASE_SECONDS = 1800.0
HEARTBEAT_SECONDS = 60.0
STEP_FACTOR, STEP_MINIMUM_SECONDS = 10.0, 120.0
GRACE_SECONDS = 30.0
_KNOWN_STEPS = 3
_EVENT = re.compile(rb'"type":"(heartbeat|progress|phase|metric|checkpoint|warn|hello|devices|result|error)"')


class Watchdog:
    """
    Follows events.jsonl as far as it must to know when something happened last.

    Time counts only while this process runs: a machine that slept, or a container that was frozen, is no hang.
    """

    def __init__(self, events: Path, deadlines: dict[str, Any] | None) -> None:
        deadlines = deadlines or {}
        self._events = events
        self._offset = 0
        self._phases = {**PHASE_SECONDS, **deadlines.get("phaseSeconds", {})}
        self._heartbeat: float = deadlines.get("heartbeatSeconds", HEARTBEAT_SECONDS)
        self._factor: float = deadlines.get("stepFactor", STEP_FACTOR)
        self._minimum: float = deadlines.get("stepMinimumSeconds", STEP_MINIMUM_SECONDS)
        self.grace: float = deadlines.get("graceSeconds", GRACE_SECONDS)
        self.phase = "load"
        self._steps: deque[float] = deque(maxlen=64)
        self._known = 0.0
        self._last_step: tuple[float, float] | None = None
        self._silent = self._idle = 0.0
        self._looked = time.monotonic()
        shortest = min(self._heartbeat, self._minimum, *self._phases.values())
        self.interval = min(1.0, max(0.02, shortest / 10))

    def look(self) -> str | None:
        """What is overdue, in words; None where all is well."""
        now = time.monotonic()
        passed = min(now - self._looked, 5 * self.interval)
        self._looked = now
        self._silent += passed
        self._idle += passed
        self._read()
        if self._silent > self._heartbeat:
            return (
                f"no heartbeat for {self._silent:.0f} s in phase {self.phase} (deadline {self._heartbeat:g} s): Python itself stands still"
            )
        allowed = self._allowed()
        if self._idle > allowed:
            known = f", steps took {statistics.median(self._steps):.2g} s" if self._steps else ""
            return (
                f"no progress for {self._idle:.0f} s in phase {self.phase} (deadline {allowed:.0f} s{known}), though the process is alive"
            )
        return None

    def _allowed(self) -> float:
        allowed = self._phases.get(self.phase, OTHER_PHASE_SECONDS)
        # A checkpoint takes its own time, however short the steps are.
        if self._known < _KNOWN_STEPS or self.phase == "checkpoint":
            return allowed
        return max(self._minimum, self._factor * statistics.median(self._steps))

    def _read(self) -> None:
        try:
            with self._events.open("rb") as file:
                file.seek(self._offset)
                lines, newline, _ = file.read(8 << 20).rpartition(b"\n")
        except OSError:
            return
        if not newline:
            return
        self._offset += len(lines) + 1
        self._silent = 0.0
        steps: list[bytes] = []
        for line in lines.split(b"\n"):
            # Only what is needed is parsed: a step may take less time than reading all that it says.
            found = _EVENT.search(line, 0, 400)
            kind = found[1] if found else b""
            if kind in (b"heartbeat", b"warn"):
                continue
            self._idle = 0.0
            if kind == b"phase":
                self._enter(json.loads(line)["data"]["name"])
                steps = []
            elif kind == b"progress":
                steps = [*steps[:1], line]
        for line in steps:
            self._step(json.loads(line))

    def _enter(self, phase: str) -> None:
        # A checkpoint interrupts steps and changes nothing about them.
        if phase != "checkpoint" and self.phase != "checkpoint":
            self._steps.clear()
            self._known = 0.0
        self.phase = phase
        self._last_step = None

    def _step(self, event: dict[str, Any]) -> None:
        done, at = float(event["data"]["done"]), float(event["t"])
        if self._last_step is not None and done > self._last_step[0]:
            self._steps.append((at - self._last_step[1]) / (done - self._last_step[0]))
            self._known += done - self._last_step[0]
        self._last_step = (done, at)

"""The files of an attempt: request.json, events.jsonl and commands.jsonl, and how a job ends. Standard library only."""

import json
import math
import os
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from twin_workers.output import mask
from twin_workers.schemas import problems, schemas

PROTOCOL_VERSION = 1

EXIT_CODES = {
    "done": 0,
    "configuration": 10,
    "data": 11,
    "model": 12,
    "preempted": 20,
    "cancelled": 21,
    "out-of-memory": 30,
    "divergence": 31,
    "transient": 32,
    "hang": 33,
    "device-fault": 40,
    "bug": 70,
}

METRIC_INTERVAL_SECONDS = 0.05


class JobFailure(Exception):  # noqa: N818 - it is what the protocol calls it
    """A failure that was expected to happen one day: why, what, where, and what to do next."""

    def __init__(self, reason: str, message: str, where: str | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.reason, self.message, self.where, self.hint = reason, message, where, hint


class JobStopped(Exception):  # noqa: N818 - not an error
    """The job was asked to end: `preempted` after a checkpoint, or `cancelled`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def read_request(attempt: Path) -> dict[str, Any]:
    """The attempt's request, checked against the contracts of the protocol and of its job; a JobFailure names all that is wrong with it."""
    path = attempt / "request.json"
    try:
        request = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise JobFailure("configuration", f"The request cannot be read: {error}", where=str(path)) from error
    found = problems(request, schemas()["request"], "request")
    job = schemas()["jobs"].get(request.get("job")) if isinstance(request, dict) else None
    if not found and job is None:
        found = [f"request.job: expected one of {', '.join(sorted(schemas()['jobs']))}, found {request['job']}"]
    if not found and job is not None:
        found += problems(request["params"], job["params"], "params")
        # A job may do without some input (there is no incumbent at first); which one, it says itself.
        found += [
            f"inputs.{name}: unknown, {request['job']} reads {', '.join(job['inputs'])}"
            for name in request["inputs"]
            if name not in job["inputs"]
        ]
        found += [f"outputs.{name}: missing" for name in job["outputs"] if name not in request["outputs"]]
    if found:
        raise JobFailure("configuration", f"The request is not what the protocol asks for: {'; '.join(found)}", where=str(path))
    return request


def well_formed(text: str) -> str:
    """The text with every lone surrogate replaced, as JSON and UTF-8 demand."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def wall_clock() -> str:
    """Now, as ISO 8601 in UTC."""
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class EventWriter:
    """
    Appends events to events.jsonl: one write per line, so that a reader sees whole lines or none.

    Metrics are collected and written as one event per 50 ms or more; every other event writes the collected ones before itself.
    """

    def __init__(self, path: Path, job: str, attempt: int, secrets: Sequence[bytes] = ()) -> None:
        # As they look inside a JSON string.
        self._secrets = [json.dumps(secret.decode("utf-8", "replace"))[1:-1].encode("ascii") for secret in secrets]
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        self._job, self._attempt = job, attempt
        self._sequence = 0
        self._points: dict[str, list[list[float | str]]] = {}
        self._last_metrics = 0.0
        self._lock = threading.RLock()

    def emit(self, kind: str, data: Mapping[str, Any]) -> None:
        """Write one event now."""
        with self._lock:
            self._write_points()
            self._write(kind, data)

    def metric(self, step: float, values: Mapping[str, float]) -> None:
        """Add a point to each of several metrics."""
        with self._lock:
            for name, value in values.items():
                self._points.setdefault(name, []).append([step, _travelling(value)])
            self.flush_metrics()

    def flush_metrics(self) -> None:
        """Write the collected points if the last ones were written 50 ms ago or earlier."""
        with self._lock:
            if time.monotonic() - self._last_metrics >= METRIC_INTERVAL_SECONDS:
                self._write_points()

    def _write_points(self) -> None:
        if self._points:
            points, self._points = self._points, {}
            self._last_metrics = time.monotonic()
            self._write("metric", {"points": points})

    def _write(self, kind: str, data: Mapping[str, Any]) -> None:
        event = {
            "v": PROTOCOL_VERSION,
            "job": self._job,
            "attempt": self._attempt,
            "seq": self._sequence + 1,
            "t": round(time.monotonic(), 6),
            "wall": wall_clock(),
            "type": kind,
            "data": data,
        }
        line = json.dumps(event, ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode("ascii") + b"\n"
        line = mask(line, self._secrets) if self._secrets else line
        self._sequence += 1
        written = os.write(self._file, line)
        while written < len(line):
            written += os.write(self._file, line[written:])


def _travelling(value: float) -> float | str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value


class CommandReader:
    """Reads what twin appended to commands.jsonl since the last look; a line without its end waits for the next one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0

    def read(self) -> list[str]:
        """The commands that are new, in order; a line that is no command is left out."""
        try:
            if self._path.stat().st_size == self._offset:
                return []
            with self._path.open("rb") as file:
                file.seek(self._offset)
                lines, newline, _ = file.read().rpartition(b"\n")
        except FileNotFoundError:
            return []
        self._offset += len(lines) + len(newline)
        return [command for line in lines.splitlines() if (command := _command(line))]


def _command(line: bytes) -> str | None:
    try:
        command = json.loads(line)
    except ValueError:
        return None
    return None if problems(command, schemas()["command"], "command") else command["command"]

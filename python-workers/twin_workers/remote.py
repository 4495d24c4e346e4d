"""
What a twin on another machine asks about attempts on this one: where one stands, and everything that it says. Standard library only.

`relay` goes on until the attempt has ended or the other side closes standard input, which is also how it learns that a network is gone;
as long as it is there it renews the lease.
"""

import base64
import json
import os
import select
import sys
import time
from pathlib import Path
from typing import Any

from twin_workers.process import alive

_POLL_SECONDS = 0.05
_BEAT_SECONDS = 2.0
_BLOCK_BYTES = 1 << 18
_LOG_TAIL_BYTES = 1 << 17


def status(attempt: Path) -> dict[str, Any]:
    """Where the attempt stands: none, unclaimed, running, ended or lost."""
    keeper = _read(attempt / "keeper.json")
    running = keeper is not None and alive(keeper)
    # Read after the process table: a keeper that has just ended has written it.
    verdict = _read(attempt / "exit.json")
    if verdict is not None:
        return {"state": "ended", "exit": verdict}
    if keeper is not None:
        return {"state": "running", "keeper": keeper} if running else {"state": "lost"}
    return {"state": "unclaimed" if (attempt / "request.json").exists() else "none"}


def relay(attempt: Path, offset: int) -> int:
    """Write what the attempt says from an offset of its events on, a JSON object a line."""
    beat_at = 0.0
    log_seen: tuple[int, int] | None = None
    while True:
        # Asked before the last read, so that nothing is missed that was written before the end.
        state = status(attempt)
        while (text := _whole_lines(attempt / "events.jsonl", offset)) != b"":
            _tell({"events": offset, "text": text.decode("ascii")})
            offset += len(text)
        now = time.monotonic()
        ended = state["state"] not in ("running", "unclaimed")
        if now >= beat_at or ended:
            beat_at = now + _BEAT_SECONDS
            log_seen = _tell_log(attempt / "output.log", log_seen)
            _tell({"beat": state["state"]})
            try:
                os.utime(attempt / "lease.json")
            except OSError:
                pass
        if ended:
            _tell({"end": state})
            return 0
        if select.select([sys.stdin], [], [], _POLL_SECONDS)[0] and not os.read(0, 4096):
            return 0


def _tell(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def _tell_log(path: Path, seen: tuple[int, int] | None) -> tuple[int, int] | None:
    try:
        stat = path.stat()
        now = (stat.st_mtime_ns, stat.st_size)
        if now == seen:
            return seen
        with path.open("rb") as file:
            file.seek(max(0, stat.st_size - _LOG_TAIL_BYTES))
            _tell({"log": base64.b64encode(file.read(_LOG_TAIL_BYTES)).decode("ascii")})
        return now
    except OSError:
        return seen


def _whole_lines(path: Path, offset: int) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(offset)
            lines, newline, _ = file.read(_BLOCK_BYTES).rpartition(b"\n")
            return lines + newline
    except OSError:
        return b""


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None

"""Reads and writes the files behind artifacts: rows, JSON and folders. Standard library only."""

import json
import math
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from twin_workers.protocol import JobFailure, well_formed


def read_rows(path: Path, texts: tuple[str, ...]) -> list[dict[str, Any]]:
    """The rows of a JSON Lines file, every one an object with the named fields as strings; a JobFailure names file and line."""
    rows = []
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            where = f"{path}:{number}"
            try:
                row = json.loads(line.decode("utf-8"))
            except ValueError as error:
                raise JobFailure("data", f"Line {number} of {path.name} is not JSON: {error}", where=where) from error
            if not isinstance(row, dict):
                raise JobFailure("data", f"Line {number} of {path.name}: expected an object, found {json.dumps(row)[:40]}", where=where)
            for name in texts:
                if not isinstance(row.get(name), str):
                    found = f"found {json.dumps(row[name])[:40]}" if name in row else f"found only {', '.join(sorted(row)) or 'nothing'}"
                    raise JobFailure("data", f"Line {number} of {path.name}: expected text in `{name}`, {found}", where=where)
            rows.append({**row, **{name: well_formed(row[name]) for name in texts}})
    return rows


def read_some_rows(path: Path, texts: tuple[str, ...]) -> list[dict[str, Any]]:
    """Like `read_rows`, for a job that cannot do anything with an empty file."""
    rows = read_rows(path, texts)
    if not rows:
        raise JobFailure("data", f"{path.name} holds no row: there is nothing to do", where=str(path))
    return rows


def write_rows(path: Path, rows: Iterable[Mapping[str, Any]]) -> int:
    """Write rows as canonical JSON, one a line, whole or not at all; returns how many."""
    count = 0
    with _replaced(path) as file:
        for row in rows:
            file.write(f"{canonical_json(row)}\n")
            count += 1
    return count


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write one canonical JSON value, whole or not at all."""
    with _replaced(path) as file:
        file.write(canonical_json(value))


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A folder to fill, which takes its name when the block ends well."""
    partial = _partial(path)
    for leftover in (partial, path):
        shutil.rmtree(leftover, ignore_errors=True)
    partial.mkdir(parents=True)
    yield partial
    os.replace(partial, path)


def remove_partial(path: Path) -> None:
    """Delete what a write that failed left of an output."""
    partial = _partial(path)
    if partial.is_dir():
        shutil.rmtree(partial, ignore_errors=True)
    else:
        partial.unlink(missing_ok=True)


def _partial(path: Path) -> Path:
    return path.with_name(f"{path.name}.partial")


@contextmanager
def _replaced(path: Path) -> Iterator[Any]:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = _partial(path)
    with partial.open("w", encoding="utf-8", newline="\n") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)


def canonical_json(value: Any) -> str:
    """The one text of a JSON value by RFC 8785, as twin writes it; keys are sorted by code point, which is the same for those in use."""
    if isinstance(value, bool) or value is None:
        return json.dumps(value)
    if isinstance(value, str):
        return json.dumps(well_formed(value), ensure_ascii=False)
    if isinstance(value, (int, float)):
        return _number(value)
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{canonical_json(name)}:{canonical_json(value[name])}" for name in sorted(value)) + "}"
    return "[" + ",".join(map(canonical_json, value)) + "]"


def _number(value: float) -> str:
    """A number as ECMAScript prints it."""
    if isinstance(value, int):
        return str(value)
    if not math.isfinite(value):
        raise ValueError(f"{value} has no JSON")
    size = abs(value)
    if value == 0:
        return "0"
    if 1e-6 <= size < 1e21:
        return format(Decimal(repr(value)), "f").removesuffix(".0")
    return repr(value).replace("e-0", "e-")

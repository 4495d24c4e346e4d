"""Checkpoints that can be trusted: a manifest written last, and verified before a job goes on from one. Standard library only."""

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

Contract = Mapping[str, str]
_MANIFEST = "twin-manifest.json"
_KEPT = 2


class ContractChanged(Exception):  # noqa: N818 - it is what happened
    """A sound checkpoint that was made under another contract; `parts` names what differs."""

    def __init__(self, folder: Path, parts: list[str]) -> None:
        super().__init__(f"{folder.name} was made with other {' and '.join(parts)}")
        self.folder, self.parts = folder, parts


def seal(folder: Path, contract: Contract, score: float | None = None) -> None:
    """
    Write the manifest of a finished checkpoint, last, once all it names is on disk.

    `contract` holds a digest each of data, params, code and packages, under which it may be resumed; the lower the score the better.
    """
    files = {str(path.relative_to(folder)): _described(path) for path in _files(folder)}
    partial = folder / f"{_MANIFEST}.partial"
    with partial.open("w", encoding="utf-8") as file:
        json.dump({"contract": dict(contract), "score": score, "files": files}, file, sort_keys=True)
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, folder / _MANIFEST)
    for path in (folder, folder.parent):
        handle = os.open(path, os.O_RDONLY)
        os.fsync(handle)
        os.close(handle)


def newest_good(root: Path, contract: Contract) -> tuple[Path | None, list[str]]:
    """
    The newest checkpoint that verifies, and what was wrong with newer ones; those are deleted, since trainers trip over them.

    A sound checkpoint of another contract is work that somebody paid for: ContractChanged says so, and it stays.
    """
    complaints = []
    for folder in reversed(_checkpoints(root)):
        complaint = _complaint(folder)
        if complaint is None:
            found = _manifest(folder)["contract"]
            parts = sorted(part for part in {*contract, *found} if contract.get(part) != found.get(part))
            if parts:
                raise ContractChanged(folder, parts)
            return folder, complaints
        complaints.append(f"{folder.name}: {complaint}")
        shutil.rmtree(folder)
    return None, complaints


def prune(root: Path) -> None:
    """Keep the last two sealed checkpoints, and the best."""
    sealed = [folder for folder in _checkpoints(root) if (folder / _MANIFEST).exists()]
    best = best_of(root)
    for folder in sealed[:-_KEPT]:
        if folder != best:
            shutil.rmtree(folder)


def best_of(root: Path) -> Path | None:
    """The sealed checkpoint with the lowest score; None where none has any."""
    scored = []
    for folder in _checkpoints(root):
        try:
            score = _manifest(folder)["score"]
        except (OSError, ValueError, KeyError):
            continue
        if isinstance(score, (int, float)):
            scored.append((score, folder))
    return min(scored, key=lambda pair: pair[0])[1] if scored else None


def set_aside(root: Path) -> None:
    """Move every checkpoint out of the way of new ones; none is deleted."""
    for folder in _checkpoints(root):
        target = folder.with_name(f"set-aside-{folder.name}")
        shutil.rmtree(target, ignore_errors=True)
        os.replace(folder, target)


def remove_unsealed(root: Path) -> None:
    """Delete checkpoints that were not finished."""
    for folder in _checkpoints(root):
        if not (folder / _MANIFEST).exists():
            shutil.rmtree(folder, ignore_errors=True)


def step_of(folder: Path) -> int:
    """The step after which a checkpoint was made."""
    return int(folder.name.rpartition("-")[2])


def _checkpoints(root: Path) -> list[Path]:
    if not root.is_dir():
        return []
    found = [folder for folder in root.glob("checkpoint-*") if folder.is_dir() and folder.name.rpartition("-")[2].isdigit()]
    return sorted(found, key=step_of)


def _manifest(folder: Path) -> dict[str, Any]:
    return json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))


def _complaint(folder: Path) -> str | None:
    try:
        manifest = _manifest(folder)
    except (OSError, ValueError):
        return "it was not finished"
    for name, described in manifest["files"].items():
        if not (folder / name).is_file() or _described(folder / name) != described:
            return f"{name} is not what was written"
    return None


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(_MANIFEST))


def _described(path: Path) -> dict[str, int | str]:
    with path.open("rb") as file:
        return {"bytes": path.stat().st_size, "sha256": file_digest(file)}


def file_digest(file: BinaryIO) -> str:
    """The sha256 of what is left to read of a file."""
    digest = hashlib.sha256()
    while block := file.read(1 << 20):
        digest.update(block)
    return digest.hexdigest()

"""Checkpoints that can be trusted: a manifest written last, and verified before a job goes on from one. Standard library only."""

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import BinaryIO

_MANIFEST = "twin-manifest.json"
_KEPT = 2


def seal(folder: Path, contract: str) -> None:
    """Write the manifest of a finished checkpoint; `contract` names the data, params and code that it may be resumed under."""
    files = {str(path.relative_to(folder)): _described(path) for path in _files(folder)}
    partial = folder / f"{_MANIFEST}.partial"
    with partial.open("w", encoding="utf-8") as file:
        json.dump({"contract": contract, "files": files}, file, sort_keys=True)
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, folder / _MANIFEST)


def newest_good(root: Path, contract: str) -> tuple[Path | None, list[str]]:
    """The newest checkpoint that verifies, and what was wrong with newer ones; those are deleted, since trainers trip over them."""
    complaints = []
    for folder in reversed(_checkpoints(root)):
        complaint = _complaint(folder, contract)
        if complaint is None:
            return folder, complaints
        complaints.append(f"{folder.name}: {complaint}")
        shutil.rmtree(folder)
    return None, complaints


def prune(root: Path) -> None:
    """Keep the last two sealed checkpoints."""
    sealed = [folder for folder in _checkpoints(root) if (folder / _MANIFEST).exists()]
    for folder in sealed[:-_KEPT]:
        shutil.rmtree(folder)


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


def _complaint(folder: Path, contract: str) -> str | None:
    try:
        manifest = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return "it was not finished"
    if manifest["contract"] != contract:
        return "it was made from other data, params or code"
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

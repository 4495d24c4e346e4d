"""
Who has which GPU of this machine: one file a device in the user's cache folder, for the jobs of all projects. Standard library only.

A lease names its owner by pid, start and boot: it is free at once when that process has ended, however it ended. Files are changed
under one lock that is held for moments. A device that failed is kept out until a person releases it.
"""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twin_workers.nvml import Device, Nvml
from twin_workers.process import alive, identity

# Of an owner in another container nothing is known but that it renews its lease.
LAPSES_SECONDS = 120.0
RENEW_SECONDS = 10.0
# Allocators fragment.
MARGIN = 1.1
# What a driver keeps for itself: no job may wait for more than a device can ever have free.
USABLE = 0.95


@dataclass(frozen=True)
class Standing:
    """A device and what stands in the way of using it: who leases it, why it is quarantined; both None where it is free."""

    device: Device
    lease: dict[str, Any] | None
    fault: dict[str, Any] | None


class Leases:
    """The devices of this machine that this process may see, and who has them."""

    def __init__(self, nvml: Nvml, folder: Path | None = None) -> None:
        self._nvml = nvml
        self._folder = folder or devices_folder()

    def standings(self) -> list[Standing]:
        """Every device that CUDA_VISIBLE_DEVICES leaves, and who has it."""
        devices = _visible(self._nvml.devices())
        return [Standing(device, self._living(device.uuid), _read(self._fault(device.uuid))) for device in devices]

    def take(self, count: int, needed: int, job: str) -> list[Device] | str:
        """So many devices, each with that much memory free and nobody on it, leased to this process; or in words what is in the way."""
        with self._lock():
            standings = self.standings()
            reasons = {one.device.uuid: _in_the_way(one, needed) for one in standings}
            free = [one.device for one in standings if reasons[one.device.uuid] is None]
            if len(free) < count:
                words = "; ".join(f"{uuid} {why}" for uuid, why in reasons.items() if why is not None)
                return f"{count} of {len(standings)} needed, {len(free)} free: {words}"
            # The smallest that will do, so that a larger job finds a larger one.
            taken = sorted(free, key=lambda device: device.free)[:count]
            for device in taken:
                record = {**identity(), "pidNamespace": _pid_namespace(), "job": job, "since": time.time(), "bytes": needed}
                _write(self._lease(device.uuid), record)
            return taken

    def usable(self) -> tuple[int, int]:
        """How many devices are not quarantined, whoever has them now, of how many."""
        standings = self.standings()
        return sum(one.fault is None for one in standings), len(standings)

    def renew(self, devices: list[Device]) -> None:
        """Say that the owner still lives, to those who cannot see its process."""
        for device in devices:
            try:
                os.utime(self._lease(device.uuid))
            except OSError:
                pass  # the owner is looked up by its pid first

    def give_back(self, devices: list[Device]) -> None:
        """End leases of this process."""
        with self._lock():
            for device in devices:
                lease = _read(self._lease(device.uuid))
                if lease is not None and lease["pid"] == os.getpid():
                    self._lease(device.uuid).unlink(missing_ok=True)

    def quarantine(self, devices: list[Device], why: str, job: str) -> None:
        """Keep devices from every job until a person releases them."""
        with self._lock():
            for device in devices:
                _write(self._fault(device.uuid), {"why": why, "job": job, "at": time.time()})

    def release(self, uuid: str) -> bool:
        """End the quarantine of a device; whether there was one."""
        with self._lock():
            known = self._fault(uuid).exists()
            self._fault(uuid).unlink(missing_ok=True)
            return known

    def _living(self, uuid: str) -> dict[str, Any] | None:
        path = self._lease(uuid)
        lease = _read(path)
        if lease is None:
            return None
        if lease["pidNamespace"] == _pid_namespace() or lease["bootId"] != identity()["bootId"]:
            return lease if alive(lease) else None
        try:
            return lease if time.time() - path.stat().st_mtime < LAPSES_SECONDS else None
        except OSError:
            return None

    def _lease(self, uuid: str) -> Path:
        return self._folder / f"{uuid}.lease.json"

    def _fault(self, uuid: str) -> Path:
        return self._folder / f"{uuid}.fault.json"

    @contextmanager
    def _lock(self) -> Iterator[None]:
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / "lock").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def devices_folder() -> Path:
    """Where the leases of this user on this machine lie."""
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(cache) / "twin" / "devices"


def _in_the_way(standing: Standing, needed: int) -> str | None:
    device, lease, fault = standing.device, standing.lease, standing.fault
    if fault is not None:
        return f"is quarantined ({fault['why']})"
    if lease is not None:
        return f"is leased to job {lease['job'][:12]} (process {lease['pid']})"
    foreign = [pid for pid in device.processes if not _is_service(pid)]
    if foreign:
        return f"is used by process {', '.join(map(str, foreign))}"
    wanted = min(needed * MARGIN, device.total * USABLE)
    if device.free < wanted:
        return f"has {device.free / 2**30:.1f} GiB free, {wanted / 2**30:.1f} are needed"
    return None


def _is_service(pid: int) -> bool:
    """Whether a process is a service of twin: it shares its device with jobs, which see what memory it leaves."""
    try:
        return b"\0twin_workers\0serve\0" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def _visible(devices: list[Device]) -> list[Device]:
    """As CUDA itself reads the variable: places in the order of buses, or the beginnings of UUIDs."""
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is None:
        return devices
    found = []
    for name in (part.strip() for part in named.split(",")):
        if name.isdigit():
            found += devices[int(name) : int(name) + 1]
        elif name:
            found += [device for device in devices if device.uuid.startswith(name)][:1]
    return found


def _pid_namespace() -> str:
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""


def _read(path: Path) -> dict[str, Any] | None:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _write(path: Path, record: dict[str, Any]) -> None:
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.write_text(json.dumps(record), encoding="utf-8")
    os.replace(draft, path)

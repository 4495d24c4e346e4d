"""The GPUs of one job: leased before anything is loaded, watched once a second, given back at its end. Standard library only."""

import os
import time
from collections.abc import Callable
from typing import Any

from twin_workers.device_needs import needed_bytes
from twin_workers.health import IdleDevice
from twin_workers.leases import RENEW_SECONDS, Leases
from twin_workers.nvml import Device, Nvml, open_nvml
from twin_workers.protocol import JobFailure

SAMPLE_SECONDS = 1.0
_LOOK_SECONDS = 1.0
# They never compute on a GPU.
_ON_CPU = {"preflight", "export-gguf", "export-int8"}


class JobDevices:
    """What a job has been given; empty on a machine without GPUs, and for a job that wants none."""

    def __init__(self, job: Any, wanted: int) -> None:
        self._job = job
        self.wanted = 0 if job.name in _ON_CPU else wanted
        self._nvml: Nvml | None = None
        self._leases: Leases | None = None
        self.taken: list[Device] = []
        self._sampled = self._renewed = self._began = 0.0
        self._idle: IdleDevice | None = None

    def take(self) -> None:
        """Wait for free devices, and have CUDA see those alone; the job can be stopped meanwhile."""
        if self.wanted == 0:
            _show([])
            return
        self._nvml = open_nvml()
        if self._nvml is None:
            return
        leases = Leases(self._nvml)
        needed = 0
        try:
            if not leases.standings():
                return
            needed = needed_bytes(self._job)
            waited = self._wait(leases, needed)
        except OSError as error:
            # A home that cannot be written to, or that knows no locks.
            self._job.warn("no-lease", f"GPUs cannot be leased, so the job takes what CUDA shows it: {error}")
            return
        self._leases = leases
        _show(self.taken)
        names = [{"uuid": device.uuid, "name": device.name} for device in self.taken]
        self._job.events.emit("devices", {"devices": names, "neededBytes": needed, "waitedSeconds": waited})
        self._began = self._renewed = time.monotonic()
        health = self._job.params.get("health", {})
        self._idle = IdleDevice(health.get("idleDevice", "warn"), health.get("idleDeviceMinutes", 60.0))

    def tick(self, tell: Callable[[float, dict[str, float]], None]) -> None:
        """Called several times a second by the job's pulse: a sample of each device a second, and the lease renewed."""
        now = time.monotonic()
        if self._nvml is None or self._leases is None or not self.taken or now - self._sampled < SAMPLE_SECONDS:
            return
        self._sampled = now
        values: dict[str, float] = {}
        for place, device in enumerate(self.taken):
            suffix = "" if len(self.taken) == 1 else f"/{place}"
            values.update({f"{name}{suffix}": value for name, value in self._nvml.sample(device.uuid).items()})
        if values:
            tell(round(now - self._began, 1), values)
        if now - self._renewed >= RENEW_SECONDS:
            self._renewed = now
            self._leases.renew(self.taken)
        busy = [value for name, value in values.items() if name.startswith("device_utilization")]
        if self._idle is not None and busy and (finding := self._idle.look(now, max(busy), self._job.phase_name)):
            # A warning needs no step to end; whoever trains acts on the rest.
            if finding.action == "warn":
                self._job.warn(finding.rule, finding.message)
            else:
                self._job.findings.put(finding)

    def failed(self, why: str) -> None:
        """The device itself failed: nobody gets it until a person has looked at it."""
        if self._leases is not None and self.taken:
            self._leases.quarantine(self.taken, why, self._job.id)
            uuids = ", ".join(device.uuid for device in self.taken)
            self._job.warn("device-quarantined", f"{uuids} gets no job until `twin jobs release-device` says otherwise")

    def give_back(self) -> None:
        """End the lease."""
        if self._leases is not None and self.taken:
            self._leases.give_back(self.taken)
            self.taken = []

    def _wait(self, leases: Leases, needed: int) -> float:
        began = time.monotonic()
        said = ""
        while True:
            usable, devices = leases.usable()
            if usable < self.wanted:
                message = f"{self.wanted} devices are wanted, and {usable} of {devices} are not quarantined"
                hint = "see `twin jobs devices`; `twin jobs release-device <uuid>` gives one back to jobs"
                raise JobFailure("configuration", message, hint=hint)
            found = leases.take(self.wanted, needed, self._job.id)
            waited = round(time.monotonic() - began, 1)
            if not isinstance(found, str):
                self.taken = found
                return waited
            if not said:
                self._job.phase("wait")
            if found != said:
                said = found
                self._job.warn("waiting-for-device", found)
            # It waits its turn, and does not hang.
            self._job.progress(waited, None, "s waited for a device")
            self._job.stopping.wait(_LOOK_SECONDS)
            self._job.end_if_asked()


def _show(devices: list[Device]) -> None:
    os.environ["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"
    os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(device.uuid for device in devices)

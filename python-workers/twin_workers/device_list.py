"""What `twin jobs devices` and `twin doctor` show of the GPUs of this machine. Standard library only."""

from typing import Any

from twin_workers.leases import Leases
from twin_workers.nvml import open_nvml


def device_list(release: str | None) -> dict[str, Any]:
    """Every device with its figures, its lease and its quarantine; `released` says whether the one to be released was quarantined."""
    nvml = open_nvml()
    if nvml is None:
        return {"devices": [], "released": False}
    leases = Leases(nvml)
    released = leases.release(release) if release is not None else False
    devices = [
        {
            "uuid": one.device.uuid,
            "name": one.device.name,
            "totalBytes": one.device.total,
            "freeBytes": one.device.free,
            "utilization": nvml.sample(one.device.uuid).get("device_utilization"),
            "lease": None if one.lease is None else {key: one.lease[key] for key in ("job", "pid", "since")},
            "fault": one.fault,
            "processes": list(one.device.processes),
        }
        for one in leases.standings()
    ]
    return {"devices": devices, "released": released}

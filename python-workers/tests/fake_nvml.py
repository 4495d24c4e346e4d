"""A fake NVML: what it tells of devices stands in devices.json beside it. Loaded by TWIN_TEST_NVML in tests."""

import json
from pathlib import Path

from twin_workers.nvml import Device

GIB = 1 << 30


class Nvml:
    """The devices of the file, read anew each time."""

    def devices(self):
        return [
            Device(one["uuid"], one.get("name", "Fake GPU"), one["total"] * GIB, one["free"] * GIB, tuple(one.get("processes", ())))
            for one in self._read()
        ]

    def sample(self, uuid):
        return next(dict(one.get("sample", {})) for one in self._read() if one["uuid"] == uuid)

    def _read(self):
        return json.loads(Path(__file__).with_name("devices.json").read_text())

"""
What the driver of NVIDIA says of its devices, by ctypes: memory, processes, utilisation, temperature, power. Standard library only.

Untried on hardware. `TWIN_TEST_NVML` names a Python file that stands in for it in tests; nothing else reads that variable.
"""

import ctypes
import importlib.util
import os
from dataclasses import dataclass
from typing import Any, Protocol

_LIBRARIES = ("libnvidia-ml.so.1", "libnvidia-ml.so")
_UUID_BYTES, _NAME_BYTES = 96, 96
_MOST_PROCESSES = 256


@dataclass(frozen=True)
class Device:
    """A GPU, or a slice of one where it is cut into MIG slices; sizes in bytes."""

    uuid: str
    name: str
    total: int
    free: int
    processes: tuple[int, ...]


class Nvml(Protocol):
    """What twin asks of the driver."""

    def devices(self) -> list[Device]:
        """All that a process may be given, in the order of their buses."""
        ...

    def sample(self, uuid: str) -> dict[str, float]:
        """How busy, full, warm and hungry a device is now; a figure that it does not tell is left out."""
        ...


def open_nvml() -> Nvml | None:
    """The driver's library, ready to be asked; None where there is none or it does not answer."""
    stand_in = os.environ.get("TWIN_TEST_NVML")
    if stand_in:
        return _stand_in(stand_in)
    for name in _LIBRARIES:
        try:
            return _Driver(ctypes.CDLL(name))
        except OSError:
            continue
    return None


def _stand_in(path: str) -> Nvml:
    spec = importlib.util.spec_from_file_location("twin_test_nvml", path)
    if spec is None or spec.loader is None:
        raise OSError(f"TWIN_TEST_NVML names {path}, which is no Python file")
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Nvml()


class _Memory(ctypes.Structure):
    _fields_ = (("total", ctypes.c_ulonglong), ("free", ctypes.c_ulonglong), ("used", ctypes.c_ulonglong))


class _Utilization(ctypes.Structure):
    _fields_ = (("gpu", ctypes.c_uint), ("memory", ctypes.c_uint))


class _Process(ctypes.Structure):
    _fields_ = (
        ("pid", ctypes.c_uint),
        ("used", ctypes.c_ulonglong),
        ("instance", ctypes.c_uint),
        ("compute", ctypes.c_uint),
    )


class _Driver:
    def __init__(self, library: Any) -> None:
        self._library = library
        if library.nvmlInit_v2() != 0:
            raise OSError("the driver does not answer")
        self._handles: dict[str, Any] = {}

    def devices(self) -> list[Device]:
        count = ctypes.c_uint()
        if not self._ask("nvmlDeviceGetCount_v2", ctypes.byref(count)):
            return []
        found = []
        for index in range(count.value):
            handle = ctypes.c_void_p()
            if not self._ask("nvmlDeviceGetHandleByIndex_v2", ctypes.c_uint(index), ctypes.byref(handle)):
                continue  # it has fallen off the bus
            found += [device for part in self._slices(handle) or [handle] if (device := self._device(part)) is not None]
        return found

    def sample(self, uuid: str) -> dict[str, float]:
        handle = self._handles.get(uuid)
        if handle is None:
            return {}
        figures: dict[str, float] = {}
        utilization, memory, number = _Utilization(), _Memory(), ctypes.c_uint()
        if self._ask("nvmlDeviceGetUtilizationRates", handle, ctypes.byref(utilization)):
            figures["device_utilization"] = float(utilization.gpu)
        if self._ask("nvmlDeviceGetMemoryInfo", handle, ctypes.byref(memory)):
            figures["device_memory_gib"] = memory.used / 2**30
        if self._ask("nvmlDeviceGetTemperature", handle, ctypes.c_uint(0), ctypes.byref(number)):
            figures["device_celsius"] = float(number.value)
        if self._ask("nvmlDeviceGetPowerUsage", handle, ctypes.byref(number)):
            figures["device_watts"] = number.value / 1000
        return figures

    def _slices(self, handle: Any) -> list[Any]:
        """The MIG slices of a GPU that is cut into them; a GPU that is cut cannot be used whole."""
        current, pending, most = ctypes.c_uint(), ctypes.c_uint(), ctypes.c_uint()
        if not self._ask("nvmlDeviceGetMigMode", handle, ctypes.byref(current), ctypes.byref(pending)) or current.value == 0:
            return []
        self._ask("nvmlDeviceGetMaxMigDeviceCount", handle, ctypes.byref(most))
        slices = []
        for index in range(most.value):
            part = ctypes.c_void_p()
            if self._ask("nvmlDeviceGetMigDeviceHandleByIndex", handle, ctypes.c_uint(index), ctypes.byref(part)):
                slices.append(part)
        return slices

    def _device(self, handle: Any) -> Device | None:
        uuid, name, memory = ctypes.create_string_buffer(_UUID_BYTES), ctypes.create_string_buffer(_NAME_BYTES), _Memory()
        if not self._ask("nvmlDeviceGetUUID", handle, uuid, ctypes.c_uint(_UUID_BYTES)):
            return None
        self._ask("nvmlDeviceGetName", handle, name, ctypes.c_uint(_NAME_BYTES))
        self._ask("nvmlDeviceGetMemoryInfo", handle, ctypes.byref(memory))
        self._handles[uuid.value.decode()] = handle
        return Device(uuid.value.decode(), name.value.decode(), memory.total, memory.free, self._processes(handle))

    def _processes(self, handle: Any) -> tuple[int, ...]:
        count, processes = ctypes.c_uint(_MOST_PROCESSES), (_Process * _MOST_PROCESSES)()
        if not self._ask("nvmlDeviceGetComputeRunningProcesses_v3", handle, ctypes.byref(count), processes):
            return ()
        return tuple(processes[index].pid for index in range(count.value))

    def _ask(self, function: str, *arguments: Any) -> bool:
        call = getattr(self._library, function, None)
        return call is not None and call(*arguments) == 0

"""
What a training job will take, before anything is paid for: memory, time and money by type of device.

Parameters are counted exactly, on a device that holds no numbers. Activations follow a model of the architecture, scaled by what
finished jobs on this kind of device really took. Standard library but for `count`.
"""

import json
import math
import os
import statistics
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

GIB = 1 << 30
# What a process holds before it holds a model: libraries on a CPU, the context of CUDA on a GPU. Calibrated like the rest.
CPU_BASE_BYTES, CUDA_BASE_BYTES = 620 << 20, 1200 << 20
# Admission wants a margin: allocators fragment.
MARGIN = 1.1
_UTILIZATION = 0.35
# A weight in NF4 with double quantization: its 4 bits, its share of the scales, and the tables that stay in 16 bits.
_NF4_BYTES = 2 / 3.6
_CPU_FLOPS = 2e10
_KEPT_FIGURES = 200


@dataclass(frozen=True)
class Device:
    """A type of device; the price is a list price to compare by, and every cloud has another one."""

    name: str
    memory: float
    flops: float
    price: float


DEVICES = (
    Device("T4", 15 * GIB, 65e12, 0.35),
    Device("A10G", 22 * GIB, 125e12, 1.0),
    Device("RTX 4090", 23.5 * GIB, 165e12, 0.5),
    Device("L40S", 45 * GIB, 362e12, 1.6),
    Device("A100 80GB", 79 * GIB, 312e12, 1.8),
    Device("H100 80GB", 79 * GIB, 989e12, 2.9),
    Device("H200", 140 * GIB, 989e12, 3.6),
)


@dataclass(frozen=True)
class Shape:
    """All that memory and time depend on."""

    job: str
    total: int
    trainable: int
    layers: int
    hidden: int
    intermediate: int
    vocabulary: int
    batch: int
    accumulation: int
    length: int
    recompute: bool
    eight_bit: bool
    steps: int
    tokens: int
    four_bit: bool = False


def count(config: Any, lora: dict[str, Any] | None) -> tuple[int, int]:
    """Parameters in all and those that are trained, without a single weight in memory."""
    import torch
    from transformers import AutoModelForCausalLM

    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
    total = sum(tensor.numel() for tensor in model.parameters())
    if lora is None:
        return total, total
    trainable = sum(
        lora["rank"] * (module.in_features + module.out_features) + (module.out_features if lora["dora"] else 0)
        for name, module in model.named_modules()
        if name.rpartition(".")[2] in lora["targets"] and isinstance(module, torch.nn.Linear)
    )
    return total + trainable, trainable


def fixed_bytes(shape: Shape, on_gpu: bool) -> int:
    """Weights, gradients and the states of the optimizer: known exactly."""
    base = shape.total - shape.trainable
    state = 2 if shape.eight_bit else 8
    # The frozen reference of DPO is a second adapter.
    reference = shape.trainable * 4 if shape.job == "train-dpo" else 0
    return int(base * (_NF4_BYTES if shape.four_bit else 2 if on_gpu else 4)) + shape.trainable * (4 + 4 + state) + reference


def activation_bytes(shape: Shape, on_gpu: bool) -> int:
    """What the backward pass needs of the forward pass, and the logits."""
    number = 2 if on_gpu else 4
    # DPO reads the chosen and the rejected answer of every row.
    tokens = shape.batch * shape.length * (2 if shape.job == "train-dpo" else 1)
    layer = tokens * (10 * shape.hidden + 4 * shape.intermediate) * number
    kept = tokens * shape.hidden * number * shape.layers + layer if shape.recompute else layer * shape.layers
    return kept + tokens * shape.vocabulary * (number + 8)


def peak_bytes(shape: Shape, on_gpu: bool, figures: "Figures") -> int:
    """The most memory that is held at once."""
    base = figures.base_bytes(on_gpu)
    return int(base + fixed_bytes(shape, on_gpu) + figures.scale(on_gpu) * activation_bytes(shape, on_gpu))


def operations(shape: Shape) -> float:
    """Forward costs 2 operations a parameter and token, backward 2 for activations and 2 for weights that are trained."""
    passes = 4 + (2 if shape.trainable == shape.total else 0) + (2 if shape.recompute else 0)
    # The reference reads everything once more.
    passes += 2 if shape.job == "train-dpo" else 0
    # Every token looks at the others of its sequence, which no parameter counts.
    attention = 2 * shape.layers * shape.length * shape.hidden
    return passes * (shape.total + attention) * shape.tokens


def seconds(shape: Shape, flops: float) -> float:
    """How long on a device of so many operations a second, of which training gets a part."""
    return operations(shape) / (flops * _UTILIZATION)


def layer_passes(shape: Shape) -> int:
    """How often a layer is gone through: what a small model pays for, whatever its size."""
    return shape.steps * shape.accumulation * (shape.layers + 1)


def verdicts(shape: Shape, figures: "Figures") -> list[dict[str, Any]]:
    """For each type of device: fits, fits with these changes, or does not fit; how long, and for how much."""
    return [_verdict(shape, device, figures) for device in DEVICES]


def _verdict(shape: Shape, device: Device, figures: "Figures") -> dict[str, Any]:
    changes: list[str] = []
    candidate = Shape(**{**asdict(shape), "recompute": True})  # jobs recompute on a GPU by default
    while (needed := peak_bytes(candidate, True, figures) * MARGIN) > device.memory:
        if candidate.batch > 1:
            smaller = candidate.batch // 2 if candidate.batch % 2 == 0 else 1
            more = candidate.accumulation * candidate.batch // smaller
            candidate = Shape(**{**asdict(candidate), "batch": smaller, "accumulation": more})
            changes = [f"batchSize {smaller}, gradientAccumulation {more}", *[change for change in changes if "batch" not in change]]
        elif not candidate.eight_bit:
            candidate = Shape(**{**asdict(candidate), "eight_bit": True})
            changes.append("optimizer adamw-8-bit")
        else:
            return _line(device, candidate, "does not fit", [], needed)
    return _line(device, candidate, "fits with changes" if changes else "fits", changes, needed)


def _line(device: Device, shape: Shape, verdict: str, changes: list[str], needed: float) -> dict[str, Any]:
    took = seconds(shape, device.flops)
    cost = took / 3600 * device.price
    line = {"device": device.name, "verdict": verdict, "changes": changes, "neededBytes": int(needed), "memoryBytes": int(device.memory)}
    return {**line, "seconds": round(took, 1), "cost": round(cost, 4)}


class Figures:
    """What finished jobs really took, kept in the user's cache: the estimate corrects itself by it."""

    def __init__(self, path: Path | None = None) -> None:
        cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
        self._path = path or Path(cache) / "twin" / "training-figures.jsonl"
        self._records: list[dict[str, Any]] = []
        try:
            for line in self._path.read_text(encoding="utf-8").splitlines()[-_KEPT_FIGURES:]:
                self._records.append(json.loads(line))
        except (OSError, ValueError):
            pass  # what cannot be read teaches nothing

    def base_bytes(self, on_gpu: bool) -> int:
        """What a process holds before it holds a model."""
        found = [record["baseBytes"] for record in self._of(on_gpu)]
        return int(statistics.median(found)) if found else CUDA_BASE_BYTES if on_gpu else CPU_BASE_BYTES

    def scale(self, on_gpu: bool) -> float:
        """How much of what the model of activations says is really there."""
        found = [record["activationScale"] for record in self._of(on_gpu)]
        return statistics.median(found) if found else 1.0

    def flops(self, device: str, otherwise: float) -> float:
        """Operations a second that training really got here, as if all of them were used."""
        found = [record["flops"] for record in self._records if record["device"] == device and record["flops"] > 0]
        return statistics.median(found) if found else otherwise

    def cpu_rates(self) -> tuple[float, float] | None:
        """Seconds an operation and a pass of a layer, as they fit finished jobs best; None where those tell too little."""
        jobs = [(Shape(**record["shape"]), record["seconds"]) for record in self._of(False) if record.get("seconds", 0) > 0]
        rows = [(operations(shape) / took, layer_passes(shape) / took) for shape, took in jobs]
        # Least squares of `operations * first + passes * second = 1`.
        aa, ab, bb = (sum(left * right for left, right in pairs) for pairs in ([(a, a) for a, _ in rows], rows, [(b, b) for _, b in rows]))
        a, b = sum(row[0] for row in rows), sum(row[1] for row in rows)
        determinant = aa * bb - ab * ab
        if determinant <= 1e-6 * aa * bb:
            return None  # jobs of one shape do not tell the two apart
        first, second = (a * bb - b * ab) / determinant, (b * aa - a * ab) / determinant
        return (first, second) if first > 0 and second > 0 else None

    def learn(self, shape: Shape, device: str, peak: int, base: int, took: float) -> None:
        """A job has finished: remember what it took."""
        on_gpu = device != "cpu"
        activations = activation_bytes(shape, on_gpu)
        record = {
            "device": device,
            "onGpu": on_gpu,
            "baseBytes": base,
            "activationScale": min(4.0, max(0.1, (peak - base - fixed_bytes(shape, on_gpu)) / activations)),
            "peakBytes": peak,
            "seconds": took,
            "flops": seconds(shape, 1.0) / took if took > 0 else 0.0,
            "shape": asdict(shape),
            "wall": time.time(),
        }
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(record) + "\n")
        except OSError:
            pass  # an estimate is no reason to fail

    def _of(self, on_gpu: bool) -> list[dict[str, Any]]:
        return [record for record in self._records if record.get("onGpu") == on_gpu]


def cpu_seconds(shape: Shape, figures: Figures) -> float:
    """How long on this machine's CPU."""
    rates = figures.cpu_rates()
    if rates is None:
        return seconds(shape, figures.flops("cpu", _CPU_FLOPS / _UTILIZATION))
    return rates[0] * operations(shape) + rates[1] * layer_passes(shape)


def peak_resident_bytes() -> int:
    """The most that this process has held."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def shape_of(job: str, config: Any, params: dict[str, Any], rows: int, longest: int, tokens: int, on_gpu: bool) -> Shape:
    """The shape of a job on rows that are known; `tokens` are those of one pass."""
    config = config.get_text_config()
    total, trainable = count(config, None if params.get("tuning") == "full" else params.get("lora"))
    effective = params["batchSize"] * params.get("gradientAccumulation", 1)
    steps = params["maxSteps"] or math.ceil(math.ceil(rows / effective) * params.get("epochs", 1))
    recompute = params.get("gradientCheckpointing")
    return Shape(
        job=job,
        total=total,
        trainable=trainable,
        layers=config.num_hidden_layers,
        hidden=config.hidden_size,
        intermediate=getattr(config, "intermediate_size", 4 * config.hidden_size),
        vocabulary=config.vocab_size,
        batch=params["batchSize"],
        accumulation=params.get("gradientAccumulation", 1),
        length=longest,
        recompute=on_gpu if recompute is None else recompute,
        eight_bit=params.get("optimizer") == "adamw-8-bit",
        steps=steps,
        tokens=int(tokens / max(1, rows) * steps * effective),
        four_bit=params.get("tuning") == "qlora",
    )

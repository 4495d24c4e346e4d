"""How much memory of a GPU a job will need, before it has one: by the estimate of its preflight, else by the models that it reads."""

import json
from pathlib import Path
from typing import Any

from twin_workers.estimate import CUDA_BASE_BYTES, Figures, peak_bytes, shape_of

_TRAINING = {"train-sft", "train-dpo"}


def needed_bytes(job: Any) -> int:
    """Bytes at the peak, on rows of the greatest length; without models nothing is known and nothing is asked for."""
    base = job.inputs.get("base")
    if job.name in _TRAINING and base is not None:
        try:
            return _of_training(job, base)
        except (OSError, ValueError, KeyError):
            pass  # what is wrong with the model, the job itself says best
    weights = sum(file.stat().st_size for path in job.inputs.values() if path.is_dir() for file in path.glob("*.safetensors"))
    return weights + CUDA_BASE_BYTES if weights else 0


def _of_training(job: Any, base: Path) -> int:
    from transformers import AutoConfig

    config = AutoConfig.from_pretrained(base, local_files_only=True)
    length = min(job.params["maxLength"], int(config.get_text_config().max_position_embeddings))
    params = {**job.params, "lora": job.params.get("lora") or _lora_of(job)}
    return peak_bytes(shape_of(job.name, config, params, 1, length, length, True), True, Figures())


def _lora_of(job: Any) -> dict[str, Any] | None:
    """The shape of the adapter that preference tuning goes on from; None where that is every weight."""
    try:
        config = json.loads((job.inputs["adapter"] / "adapter_config.json").read_text(encoding="utf-8"))
    except (KeyError, OSError, ValueError):
        return None
    return {"rank": config["r"], "targets": config["target_modules"], "dora": config.get("use_dora", False)}

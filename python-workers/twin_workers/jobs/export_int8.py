"""
Writes a whole model with weights of 8 bits, reads it back, and measures what the rounding costs.

The folder is in the format of compressed-tensors (`int-quantized`), which transformers opens with that library installed. Inputs of
layers are rounded too where samples are given by which their ranges can be known.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from safetensors.torch import load_file, save_file

from twin_workers.artifacts import new_folder, write_json
from twin_workers.attempt import Job, libraries
from twin_workers.calibration import calibration_rows
from twin_workers.int8 import GRIDS, Grid, Int8Linear, input_ranges, round_rows
from twin_workers.likeness import fixed_prompts, logits, mean_kl, refuse_another_model, same_first_choice, tokens_per_second
from twin_workers.model_folder import check_template, load_model, load_tokenizer, read_card, weights_bytes, write_card

if TYPE_CHECKING:
    from transformers import PreTrainedModel

# Its rows are few and each decides a token: it stays as it is, and with tied weights it is the embedding.
HEAD = "lm_head"


def run(job: Job) -> list[str]:
    """Write the folder, unless what it says differs from the model by more than the request allows."""
    source, rounding = job.input("model"), job.params["rounding"]
    template = job.prompt_template
    check_template(template)

    job.phase("load")
    card = read_card(source, ("base", "merged"), template["digest"])
    tokenizer, model = load_tokenizer(source), load_model(source).float().cpu()
    layers = {name: layer for name, layer in model.named_modules() if isinstance(layer, torch.nn.Linear) and name != HEAD}
    prompts = fixed_prompts(tokenizer, template["text"])
    before, speed = logits(model, prompts), tokens_per_second(model, prompts)

    job.phase("calibrate")
    rows = calibration_rows(job, tokenizer, model)
    ranges = input_ranges(model, layers, rows) if rows else {}
    inputs = {name: GRIDS[rounding](low.reshape(1), high.reshape(1)) for name, (low, high) in ranges.items()}

    job.phase("write")
    with new_folder(job.outputs["int8"]) as folder:
        _write(folder, model, layers, inputs, rounding)
        tokenizer.save_pretrained(folder)
        write_card(folder, "merged", card["toy"], template)

        job.phase("check")
        _read_back(folder, model, layers)
        after = logits(model, prompts)
        kl = mean_kl(before, after)
        job.progress(len(prompts), len(prompts), "prompts")
        refuse_another_model(f"int8 by {rounding}", kl, job.params["maxMeanKl"], source, "round the weights alone, or allow more")
        size = weights_bytes(folder)
    summary = {
        "quantization": rounding,
        "bytes": size,
        "sourceBytes": weights_bytes(source),
        "meanKl": kl,
        "sameFirstChoice": same_first_choice(before, after),
        "tokensPerSecond": {"model": speed, "compressed": tokens_per_second(model, prompts)},
        "prompts": len(prompts),
        "calibrationRows": len(rows),
        "unquantized": [HEAD],
        "promptTemplate": template["digest"],
        "libraries": dict(libraries()),
    }
    write_json(job.outputs["summary"], summary)
    return ["int8", "summary"]


def _write(folder: Path, model: "PreTrainedModel", layers: dict[str, torch.nn.Linear], inputs: dict[str, Grid], rounding: str) -> None:
    """Shape and tensors; each rounded layer with the grids of its weights and of its input."""
    tensors = {name: value.contiguous() for name, value in model.state_dict().items()}
    if model.config.tie_word_embeddings:
        del tensors[f"{HEAD}.weight"]
    for name, layer in layers.items():
        tensors[f"{name}.weight"], grid = round_rows(layer.weight, rounding)
        tensors |= _grid_tensors(f"{name}.weight", grid)
        if name in inputs:
            tensors |= _grid_tensors(f"{name}.input", inputs[name])
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    config = model.config.to_dict() | {"quantization_config": _quantization(rounding, bool(inputs))}
    (folder / "config.json").write_text(json.dumps(config, sort_keys=True, indent=2) + "\n", encoding="utf-8")
    model.generation_config.save_pretrained(folder)


def _grid_tensors(name: str, grid: Grid) -> dict[str, torch.Tensor]:
    return {f"{name}_scale": grid.scale.contiguous(), f"{name}_zero_point": grid.zero.to(torch.int8).contiguous()}


def _quantization(rounding: str, with_inputs: bool) -> dict:
    """What compressed-tensors is told of the tensors."""
    scheme = {"num_bits": 8, "type": "int", "symmetric": rounding == "absmax", "dynamic": False}
    group = {
        "targets": ["Linear"],
        "weights": scheme | {"strategy": "channel"},
        "input_activations": scheme | {"strategy": "tensor"} if with_inputs else None,
        "output_activations": None,
    }
    return {
        "quant_method": "compressed-tensors",
        "format": "int-quantized",
        "quantization_status": "compressed",
        "config_groups": {"group_0": group},
        "ignore": [HEAD],
        "kv_cache_scheme": None,
    }


def _read_back(folder: Path, model: "PreTrainedModel", layers: dict[str, torch.nn.Linear]) -> None:
    """Give the model layers that hold exactly the numbers of the file."""
    stored = load_file(folder / "model.safetensors")

    def grid(name: str) -> Grid:
        return Grid(stored[f"{name}_scale"], stored[f"{name}_zero_point"].float())

    for name, layer in layers.items():
        inputs = grid(f"{name}.input") if f"{name}.input_scale" in stored else None
        model.set_submodule(name, Int8Linear(stored[f"{name}.weight"], grid(f"{name}.weight"), inputs, layer.bias))

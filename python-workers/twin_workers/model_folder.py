"""
What a model folder holds beside weights and tokenizer, and how it is opened.

`twin.json`: `{kind: base | adapter | full | merged, toy, promptTemplate: {text, digest}, base}`. `base` names the weights that an
adapter, or a model all of whose weights were tuned (`full`), began with by their digest; it is null for a base and for what was merged.
Nothing in a folder depends on when or where it was made, so that equal work gives equal bytes.
"""

import hashlib
import json
import math
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twin_workers.checkpoints import file_digest
from twin_workers.prompts import chat_template
from twin_workers.protocol import JobFailure

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

_CARD = "twin.json"


def check_template(template: dict[str, str]) -> None:
    """A template must be what its digest says, and have one place for the instruction."""
    if hashlib.sha256(template["text"].encode()).hexdigest() != template["digest"]:
        raise JobFailure("configuration", "The prompt template is not the one that its digest names")
    if template["text"].count("{instruction}") != 1:
        raise JobFailure("configuration", "The prompt template must hold {instruction} exactly once")


def write_card(folder: Path, kind: str, toy: bool, template: dict[str, str], base: str | None = None) -> None:
    """Say what the folder is."""
    card = {"kind": kind, "toy": toy, "promptTemplate": template, "base": base}
    (folder / _CARD).write_text(json.dumps(card, sort_keys=True, indent=2) + "\n", encoding="utf-8")


def read_card(folder: Path, kinds: tuple[str, ...], template_digest: str) -> dict[str, Any]:
    """What the folder says it is; a JobFailure where it is something else, or was trained with another template."""
    where = str(folder / _CARD)
    try:
        card = json.loads((folder / _CARD).read_text(encoding="utf-8"))
        kind, digest = card["kind"], card["promptTemplate"]["digest"]
    except FileNotFoundError:
        hint = "a model that was not made by twin needs a twin.json that names the prompt template it was trained with"
        raise JobFailure("model", f"{folder} does not say which prompt template it was trained with", where=where, hint=hint) from None
    except (ValueError, KeyError, TypeError) as error:
        raise JobFailure("model", f"{_CARD} of {folder} cannot be read: {error!r}", where=where) from error
    if kind not in kinds:
        raise JobFailure("model", f"{folder}: expected a folder of kind {' or '.join(kinds)}, found {kind}", where=where)
    if digest != template_digest:
        message = f"{folder} was trained with another prompt template: expected {template_digest[:12]}, found {digest[:12]}"
        raise JobFailure("model", message, where=where, hint="train it again, or use the version of twin that made it")
    return card


def model_kind(folder: Path) -> str:
    """What kind of model a folder says it holds; `none` where it stands for no model at all."""
    try:
        return str(json.loads((folder / _CARD).read_text(encoding="utf-8"))["kind"])
    except (OSError, ValueError, KeyError) as error:
        raise JobFailure("model", f"{folder} does not say what it holds: {error!r}", where=str(folder / _CARD)) from error


def copy_model(source: Path, folder: Path) -> None:
    """The same files under another name: links where both are on one file system, as weights may be large."""

    def link(file: str, copy: str) -> None:
        try:
            os.link(file, copy)
        except OSError:
            shutil.copyfile(file, copy)

    shutil.copytree(source, folder, dirs_exist_ok=True, copy_function=link)


def count_parameters(folder: Path) -> int:
    """How many numbers the weights hold, by the headers of their files."""
    from safetensors import safe_open

    total = 0
    for path in folder.glob("*.safetensors"):
        with safe_open(path, "pt") as file:
            total += sum(math.prod(file.get_slice(name).get_shape()) for name in file.keys())  # noqa: SIM118 - no mapping
    return total


def weights_digest(folder: Path) -> str:
    """Names the weights in a folder by their content."""
    digest = hashlib.sha256()
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise JobFailure("model", f"{folder} holds no weights (*.safetensors)", where=str(folder))
    for path in files:
        with path.open("rb") as file:
            digest.update(f"{path.name} {file_digest(file)}\n".encode())
    return digest.hexdigest()


def weights_bytes(folder: Path) -> int:
    """What the weights in a folder take on disk."""
    return sum(path.stat().st_size for path in folder.glob("*.safetensors"))


def device() -> str:
    """What tensors live on here."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def load_tokenizer(folder: Path) -> "PreTrainedTokenizerFast":
    """The folder's tokenizer, with an end and a padding token."""
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError) as error:
        raise JobFailure("model", f"The tokenizer in {folder} cannot be read: {error}", where=str(folder)) from error
    if tokenizer.eos_token_id is None:
        raise JobFailure("model", f"The tokenizer in {folder} has no end token, so no answer could ever end", where=str(folder))
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def load_model(folder: Path, full_precision: bool = False) -> "PreTrainedModel":
    """The folder's model, ready to answer: in full precision on a CPU or where it is asked for, else as it was stored."""
    import torch
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM

    dtype = torch.float32 if full_precision or device() == "cpu" else "auto"
    try:
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, local_files_only=True)
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise JobFailure("model", f"The model in {folder} cannot be read: {error}", where=str(folder)) from error
    return model.to(device()).eval()


def load_in_four_bits(folder: Path) -> "PreTrainedModel":
    """The folder's model as NF4 with double quantization, frozen, ready for adapters (QLoRA); untried on hardware."""
    import importlib.util

    import torch

    missing = "a CUDA device" if device() == "cpu" else None
    if missing is None and importlib.util.find_spec("bitsandbytes") is None:
        missing = "the package bitsandbytes in the Python environment"
    if missing is not None:
        message = f"A base in 4 bits needs {missing}"
        raise JobFailure("configuration", message, where="params.tuning", hint="use tuning=lora, which keeps the base in 16 bits")
    from peft import prepare_model_for_kbit_training
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig

    four_bits = BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=torch.bfloat16
    )
    model = AutoModelForCausalLM.from_pretrained(folder, quantization_config=four_bits, device_map={"": 0}, local_files_only=True)
    return prepare_model_for_kbit_training(model)


def load_tuned(base: Path, tuned: Path, card: dict[str, Any], trainable: bool = False) -> "PreTrainedModel | PeftModel":
    """What tuning made of a base: the base with exactly that adapter on it, or the weights that took its place."""
    if card["base"] != weights_digest(base):
        raise JobFailure("model", f"{tuned} was trained on another base than {base}", where=str(tuned / _CARD))
    if card["kind"] == "full":
        return load_model(tuned, full_precision=trainable)
    return _with_adapter(load_model(base), tuned, trainable)


def _with_adapter(model: "PreTrainedModel", adapter: Path, trainable: bool) -> "PeftModel":
    from peft import PeftModel
    from safetensors import SafetensorError

    try:
        return PeftModel.from_pretrained(model, str(adapter), is_trainable=trainable, local_files_only=True)
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise JobFailure("model", f"The adapter in {adapter} cannot be read: {error}", where=str(adapter)) from error


def save_tuned(model: Any, tokenizer: "PreTrainedTokenizerFast", folder: Path, toy: bool, template: dict[str, str], base: str) -> None:
    """The adapter alone where there is one, else the whole weights; and what they are."""
    adapted = hasattr(model, "peft_config")
    if adapted:
        save_adapter(model, folder)
    else:
        save_model(model, tokenizer, folder, template)
    write_card(folder, "adapter" if adapted else "full", toy, template, base)


def save_adapter(model: "PeftModel", folder: Path) -> None:
    """Weights and shape of the adapter `default`, and nothing of where its base lay or of a reference beside it."""
    from peft import get_peft_model_state_dict
    from safetensors.torch import save_file

    weights = get_peft_model_state_dict(model, adapter_name="default")
    save_file({name: tensor.detach().cpu().contiguous() for name, tensor in sorted(weights.items())}, folder / "adapter_model.safetensors")
    config = {**model.peft_config["default"].to_dict(), "base_model_name_or_path": None, "inference_mode": True}
    text = json.dumps(config, sort_keys=True, indent=2, default=lambda value: sorted(value) if isinstance(value, set) else str(value))
    (folder / "adapter_config.json").write_text(text + "\n", encoding="utf-8")


def save_model(model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerFast", folder: Path, template: dict[str, str]) -> None:
    """Whole weights and the tokenizer, as any library of the field reads them; conversations are rendered by the one template."""
    model.config.use_cache = True  # trainers switch it off, and off it would be stored
    tokenizer.chat_template = chat_template(template["text"], tokenizer.eos_token)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def context_length(model: "PreTrainedModel") -> int:
    """The most tokens that the model can look at."""
    return int(model.config.get_text_config().max_position_embeddings)

"""Writes a whole model as GGUF, the format of llama.cpp and Ollama, reads it back, and measures what the rounding costs."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import gguf
import numpy as np
import torch
from gguf.quants import dequantize, quantize

from twin_workers.artifacts import new_folder, write_json
from twin_workers.attempt import Job, libraries
from twin_workers.likeness import fixed_prompts, logits, mean_kl, refuse_another_model, same_first_choice
from twin_workers.model_folder import check_template, load_model, load_tokenizer, read_card, weights_bytes
from twin_workers.protocol import JobFailure

if TYPE_CHECKING:
    from transformers import PretrainedConfig, PreTrainedModel, PreTrainedTokenizerFast

TYPES = {
    "f16": (gguf.GGMLQuantizationType.F16, gguf.LlamaFileType.MOSTLY_F16),
    "q8_0": (gguf.GGMLQuantizationType.Q8_0, gguf.LlamaFileType.MOSTLY_Q8_0),
    "q5_0": (gguf.GGMLQuantizationType.Q5_0, gguf.LlamaFileType.MOSTLY_Q5_0),
    "q4_0": (gguf.GGMLQuantizationType.Q4_0, gguf.LlamaFileType.MOSTLY_Q4_0),
}
# Numbers of one block share a scale, so a row must hold whole blocks.
BLOCK = 32


def run(job: Job) -> list[str]:
    """Write the file, unless what it says differs from the model by more than the request allows."""
    source = job.input("model")
    check_template(job.prompt_template)
    quantization = job.params["quantization"]

    job.phase("load")
    read_card(source, ("base", "merged"), job.prompt_template["digest"])
    tokenizer, model = load_tokenizer(source), load_model(source).float().cpu()
    if model.config.model_type != "llama":
        message = f"Only models of the Llama architecture can be written as GGUF here, this one is {model.config.model_type}"
        raise JobFailure(
            "model", message, where=str(source), hint="export it as merged weights, and convert them with llama.cpp's own converter"
        )
    prompts = fixed_prompts(tokenizer, job.prompt_template["text"])
    before = logits(model, prompts)

    job.phase("write")
    with new_folder(job.outputs["gguf"]) as folder:
        path = folder / "model.gguf"
        kept = _write(path, model, tokenizer, quantization)

        job.phase("check")
        _read_back(path, model)
        after = logits(model, prompts)
        kl = mean_kl(before, after)
        job.progress(len(prompts), len(prompts), "prompts")
        hint = "use a finer quantization (q8_0, f16), or allow more"
        refuse_another_model(quantization, kl, job.params["maxMeanKl"], source, hint)
        size = path.stat().st_size
    summary = {
        "quantization": quantization,
        "bytes": size,
        "sourceBytes": weights_bytes(source),
        "meanKl": kl,
        "sameFirstChoice": same_first_choice(before, after),
        "tokensPerSecond": None,
        "prompts": len(prompts),
        "calibrationRows": 0,
        "unquantized": kept,
        "promptTemplate": job.prompt_template["digest"],
        "libraries": dict(libraries()) | {"gguf": _version()},
    }
    write_json(job.outputs["summary"], summary)
    return ["gguf", "summary"]


def _write(path: Path, model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerFast", quantization: str) -> list[str]:
    """Write shape, tokenizer and tensors; the names of matrices whose rows hold no whole blocks and stay at 16 bits."""
    config = model.config
    tensor_type, file_type = TYPES[quantization]
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_dimension_count(config.hidden_size // config.num_attention_heads)
    writer.add_rope_freq_base(float(config.rope_parameters["rope_theta"]))
    writer.add_vocab_size(config.vocab_size)
    writer.add_file_type(file_type)
    _add_tokenizer(writer, tokenizer, config.vocab_size)

    kept = []
    for name, values in _tensors(model):
        if values.ndim == 1:
            writer.add_tensor(name, values)
        elif values.shape[-1] % BLOCK != 0 and quantization != "f16":
            kept.append(name)
            writer.add_tensor(name, values.astype(np.float16))
        else:
            writer.add_tensor(name, quantize(values, tensor_type), raw_dtype=tensor_type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return kept


def _add_tokenizer(writer: gguf.GGUFWriter, tokenizer: "PreTrainedTokenizerFast", size: int) -> None:
    """The vocabulary with its merges: byte-level BPE, as llama.cpp knows it."""
    backend = json.loads(tokenizer.backend_tokenizer.to_str())
    if backend["model"]["type"] != "BPE":
        raise JobFailure("model", f"Only byte-level BPE tokenizers can be written as GGUF here, this one is {backend['model']['type']}")
    vocabulary = {index: token for token, index in tokenizer.get_vocab().items()}
    special = set(tokenizer.all_special_ids)
    tokens = [vocabulary.get(index, f"[unused{index}]") for index in range(size)]
    kinds = [
        gguf.TokenType.CONTROL if index in special else gguf.TokenType.NORMAL if index in vocabulary else gguf.TokenType.UNUSED
        for index in range(size)
    ]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(_splitting(backend["pre_tokenizer"]))
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges([merge if isinstance(merge, str) else " ".join(merge) for merge in backend["model"]["merges"]])
    writer.add_eos_token_id(tokenizer.eos_token_id)
    writer.add_pad_token_id(tokenizer.pad_token_id)
    if tokenizer.bos_token_id is not None:
        writer.add_bos_token_id(tokenizer.bos_token_id)
    starts = len(tokenizer.encode("a")) > len(tokenizer.encode("a", add_special_tokens=False))
    writer.add_add_bos_token(bool(starts and tokenizer.bos_token_id is not None))


def _splitting(pre_tokenizer: dict) -> str:
    """The name under which llama.cpp knows how the tokenizer splits text into words."""
    text = json.dumps(pre_tokenizer)
    if r"\\p{N}{1,3}" in text:
        return "llama-bpe"
    if pre_tokenizer["type"] == "ByteLevel" and pre_tokenizer.get("use_regex", True):
        return "gpt-2"
    raise JobFailure("model", "The tokenizer splits text in a way that is not known to be readable by llama.cpp")


def _tensors(model: "PreTrainedModel") -> Iterator[tuple[str, np.ndarray]]:
    """Each tensor under its name in GGUF, as 32-bit floats."""
    config = model.config
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, config.num_hidden_layers)
    for name, tensor in model.state_dict().items():
        if name == "lm_head.weight" and config.tie_word_embeddings:
            continue
        yield _name(names, name), _rotary(name, tensor.numpy(), config, to_halves=False)


def _name(names: gguf.TensorNameMap, name: str) -> str:
    found = names.get_name(name, try_suffixes=(".weight", ".bias"))
    if found is None:
        raise JobFailure("model", f"The tensor {name} has no place in GGUF's Llama architecture")
    return found


def _rotary(name: str, values: np.ndarray, config: "PretrainedConfig", to_halves: bool) -> np.ndarray:
    """
    Queries and keys in the order of the other side: transformers rotates halves of a head, llama.cpp neighbours.

    Source: convert_hf_to_gguf.py of llama.cpp, `LlamaModel.permute`, and its inverse.
    """
    heads = config.num_attention_heads if ".q_proj." in name else config.num_key_value_heads if ".k_proj." in name else 0
    if heads == 0:
        return values
    half = values.shape[0] // heads // 2
    shape = (heads, half, 2) if to_halves else (heads, 2, half)
    return values.reshape(*shape, *values.shape[1:]).swapaxes(1, 2).reshape(values.shape)


def _read_back(path: Path, model: "PreTrainedModel") -> None:
    """Give the model exactly the numbers that the file holds."""
    config = model.config
    stored = {tensor.name: tensor for tensor in gguf.GGUFReader(path).tensors}
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, config.num_hidden_layers)
    state = model.state_dict()
    for name, tensor in state.items():
        if name == "lm_head.weight" and config.tie_word_embeddings:
            continue
        found = stored[_name(names, name)]
        values = dequantize(found.data, found.tensor_type).reshape(tuple(tensor.shape))
        tensor.copy_(torch.from_numpy(_rotary(name, values, config, to_halves=True).copy()))


def _version() -> str:
    from importlib.metadata import version

    return version("gguf")

"""
The base that tuning begins with: the one that was chosen, as it is, or a small Llama-shaped one.

The small one is trained from nothing on the corpus: a toy that keeps every later job real on a CPU.
"""

import time

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast, Trainer, TrainingArguments, set_seed

from twin_workers.artifacts import new_folder, read_some_rows, write_json
from twin_workers.attempt import Job, libraries
from twin_workers.model_folder import (
    check_template,
    copy_model,
    count_parameters,
    load_tokenizer,
    model_kind,
    read_card,
    save_model,
    write_card,
)
from twin_workers.protocol import JobFailure
from twin_workers.report import Report
from twin_workers.training import common_arguments, contract_of, rows_digest, run_training, summary_of

PADDING, END = "<|twin-padding|>", "<|twin-end|>"


def run(job: Job) -> list[str]:
    """Train a tokenizer and then a model on the documents."""
    started = time.monotonic()
    params = job.params
    check_template(job.prompt_template)
    if "start" in job.inputs and model_kind(job.input("start")) != "none":
        return _keep(job, started)
    if params["hiddenSize"] % (2 * params["heads"]) != 0:
        message = (
            f"hiddenSize {params['hiddenSize']} must be a multiple of twice the heads ({params['heads']}): each head needs an even size"
        )
        raise JobFailure("configuration", message)

    job.phase("load")
    path = job.input("documents")
    texts = [row["text"] for row in read_some_rows(path, ("text",)) if row["text"].strip()]
    if not texts:
        raise JobFailure("data", f"No document in {path.name} holds any text", where=str(path))

    job.phase("tokenize")
    tokenizer = train_tokenizer(texts, params["vocabularySize"], params["contextLength"])
    windows, total_tokens = cut_windows(tokenizer, texts, params["contextLength"])

    set_seed(params["seed"])
    model = LlamaForCausalLM(model_config(tokenizer, params))
    report = Report(job, contract_of(job, rows_digest(path)))
    trainer = Trainer(
        model=model,
        args=TrainingArguments(**common_arguments(job), warmup_steps=max(1, params["maxSteps"] // 10), adam_beta2=0.95),
        train_dataset=windows,
        data_collator=_collate,
        callbacks=[report],
    )
    run_training(job, trainer, report)

    job.phase("save")
    with new_folder(job.outputs["model"]) as folder:
        save_model(model, tokenizer, folder, job.prompt_template)
        write_card(folder, "base", True, job.prompt_template)
    counts = {
        "validationLoss": None,
        "rows": len(texts),
        "trainedTokens": len(windows) * (len(windows[0]) - 1),
        "totalTokens": total_tokens,
        "truncatedRows": 0,
        "droppedRows": {},
    }
    write_json(job.outputs["summary"], summary_of(job, trainer, time.monotonic() - started, counts))
    return ["model", "summary"]


def _keep(job: Job, started: float) -> list[str]:
    """The chosen model is the base: its files are linked where the file system can, and copied where it cannot."""
    start = job.input("start")
    job.phase("load")
    read_card(start, ("base", "merged"), job.prompt_template["digest"])
    load_tokenizer(start)
    with new_folder(job.outputs["model"]) as folder:
        copy_model(start, folder)
    summary = {
        "job": job.name,
        "params": job.params,
        "steps": 0,
        "finalLoss": None,
        "losses": [],
        "validationLoss": None,
        "trainableParameters": 0,
        "totalParameters": count_parameters(start),
        "rows": 0,
        "trainedTokens": 0,
        "totalTokens": 0,
        "truncatedRows": 0,
        "droppedRows": {},
        "seconds": round(time.monotonic() - started, 3),
        "adaptations": [],
        "promptTemplate": job.prompt_template["digest"],
        "libraries": dict(libraries()),
        "seed": job.params["seed"],
    }
    write_json(job.outputs["summary"], summary)
    return ["model", "summary"]


def train_tokenizer(texts: list[str], vocabulary_size: int, context_length: int) -> PreTrainedTokenizerFast:
    """Byte-level BPE: every text has tokens, and every token has bytes."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary_size,
        min_frequency=2,
        special_tokens=[PADDING, END],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token=PADDING, eos_token=END, model_max_length=context_length)


def cut_windows(tokenizer: PreTrainedTokenizerFast, texts: list[str], length: int) -> tuple[list[torch.Tensor], int]:
    """All texts in one row of tokens, each with its end, cut into windows of one length; and how many tokens there are."""
    backend = tokenizer.backend_tokenizer
    backend.encode_special_tokens = True  # a text that spells the end token does not end there
    ids = [token for encoding in backend.encode_batch(texts) for token in [*encoding.ids, tokenizer.eos_token_id]]
    backend.encode_special_tokens = False
    length = min(length, len(ids))
    return [torch.tensor(ids[start : start + length]) for start in range(0, len(ids) - length + 1, length)], len(ids)


def model_config(tokenizer: PreTrainedTokenizerFast, params: dict) -> LlamaConfig:
    """A Llama in small: grouped queries, gated feed-forward, one table for both ends."""
    return LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=params["hiddenSize"],
        intermediate_size=max(32, params["hiddenSize"] * 8 // 3 // 32 * 32),
        num_hidden_layers=params["layers"],
        num_attention_heads=params["heads"],
        num_key_value_heads=params["heads"] // 2 if params["heads"] % 2 == 0 else params["heads"],
        max_position_embeddings=params["contextLength"],
        tie_word_embeddings=True,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
    )


def _collate(windows: list[torch.Tensor]) -> dict[str, torch.Tensor]:
    ids = torch.stack(windows)
    return {"input_ids": ids, "labels": ids}

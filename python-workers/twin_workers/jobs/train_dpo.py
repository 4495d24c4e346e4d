"""Preference tuning of exactly the given SFT adapter by DPO; the frozen reference is that adapter."""

import time
from typing import Any

from datasets import Dataset
from transformers import set_seed
from trl import DPOConfig, DPOTrainer

from twin_workers.artifacts import new_folder, read_some_rows, write_json
from twin_workers.attempt import Job
from twin_workers.model_folder import (
    check_template,
    context_length,
    load_adapter,
    load_model,
    load_tokenizer,
    read_card,
    save_adapter,
    weights_digest,
    write_card,
)
from twin_workers.prompts import Prompts
from twin_workers.protocol import JobFailure
from twin_workers.training import Report, common_arguments, contract_of, rows_digest, run_training, summary_of

# What TRL knows; it would say so only at the first step, after everything was loaded.
LOSS_TYPES = (
    "sigmoid", "hinge", "ipo", "exo_pair", "nca_pair", "robust", "bco_pair", "sppo_hard",
    "aot", "aot_unpaired", "apo_zero", "apo_down", "discopop", "sft", "sigmoid_norm",
)  # fmt: skip


class PreparedDPOTrainer(DPOTrainer):
    """TRL's trainer on rows that are tokenized already: its own way takes prompt and answer in one, where a token may span the two."""

    def _prepare_dataset(self, dataset: Dataset, *_: Any) -> Dataset:
        return dataset


def run(job: Job) -> list[str]:
    """Train the adapter on, towards the chosen answers and away from the rejected ones."""
    started = time.monotonic()
    params, base, adapter = job.params, job.input("base"), job.input("adapter")
    check_template(job.prompt_template)
    for loss in params["lossTypes"]:
        if loss not in LOSS_TYPES:
            message = f"There is no DPO loss `{loss}`: expected one of {', '.join(LOSS_TYPES)}"
            raise JobFailure("configuration", message, where="params.lossTypes")

    job.phase("load")
    read_card(base, ("base", "merged"), job.prompt_template["digest"])
    card = read_card(adapter, ("adapter",), job.prompt_template["digest"])
    pairs = read_some_rows(job.input("pairs"), ("id", "prompt", "chosen", "rejected"))
    tokenizer = load_tokenizer(base)
    set_seed(params["seed"])
    model = load_adapter(load_model(base), base, adapter, card, trainable=True)

    job.phase("tokenize")
    length = min(params["maxLength"], context_length(model))
    rows, counts = tokenize(Prompts(tokenizer, job.prompt_template["text"]), pairs, length)
    if not rows:
        message = f"None of the {len(pairs)} pairs would teach anything: {counts['droppedRows']}"
        raise JobFailure("data", message, where=str(job.inputs["pairs"]), hint="raise maxLength, or look at the pairs")
    for reason, count in counts["droppedRows"].items():
        job.warn("rows-dropped", f"{count} of {len(pairs)} pairs were left out: {reason}")

    report = Report(job, contract_of(job, card["base"], weights_digest(adapter), rows_digest(job.inputs["pairs"])))
    try:
        arguments = DPOConfig(
            **common_arguments(job),
            warmup_steps=params["warmupSteps"],
            max_length=length,
            beta=params["beta"],
            loss_type=params["lossTypes"],
        )
        trainer = PreparedDPOTrainer(
            model=model, args=arguments, train_dataset=Dataset.from_list(rows), processing_class=tokenizer, callbacks=[report]
        )
    except ValueError as error:
        raise JobFailure("configuration", f"TRL refuses these params: {error}", where="params.lossTypes") from error
    run_training(job, trainer, report)

    job.phase("save")
    with new_folder(job.outputs["adapter"]) as folder:
        save_adapter(trainer.model, folder)
        write_card(folder, "adapter", card["toy"], job.prompt_template, card["base"])
    write_json(job.outputs["summary"], summary_of(job, trainer, time.monotonic() - started, counts))
    return ["adapter", "summary"]


def tokenize(prompts: Prompts, pairs: list[dict[str, Any]], length: int) -> tuple[list[dict[str, list[int]]], dict[str, Any]]:
    """Rows of tokens as TRL's collator takes them, and what was counted on the way; the collator cuts them to `length`."""
    rows: list[dict[str, list[int]]] = []
    dropped: dict[str, int] = {}
    truncated = 0
    for pair in pairs:
        prompt = prompts.prompt(pair["prompt"])
        chosen, rejected = prompts.answer(pair["chosen"]), prompts.answer(pair["rejected"])
        reason = "empty-answer" if not chosen or not rejected else "prompt-fills-window" if len(prompt) >= length else None
        # Answers that are equal as far as they are read cancel out.
        room = length - len(prompt)
        if reason is None and [*chosen, prompts.end][:room] == [*rejected, prompts.end][:room]:
            reason = "chosen-equals-rejected"
        if reason is not None:
            dropped[reason] = dropped.get(reason, 0) + 1
            continue
        truncated += max(len(chosen), len(rejected)) + 1 > room
        rows.append({"prompt_ids": prompt, "chosen_ids": [*chosen, prompts.end], "rejected_ids": [*rejected, prompts.end]})
    answers = [
        ids
        for row in rows
        for ids in (row["chosen_ids"][: length - len(row["prompt_ids"])], row["rejected_ids"][: length - len(row["prompt_ids"])])
    ]
    counts = {
        "validationLoss": None,
        "rows": len(rows),
        "trainedTokens": sum(map(len, answers)),
        "totalTokens": sum(map(len, answers)) + 2 * sum(len(row["prompt_ids"]) for row in rows),
        "truncatedRows": truncated,
        "droppedRows": dropped,
    }
    return rows, counts

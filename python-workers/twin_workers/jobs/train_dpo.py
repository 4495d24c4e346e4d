"""Preference tuning of exactly the given SFT version by DPO; the frozen reference is that version."""

import time
from typing import Any

from datasets import Dataset
from transformers import set_seed
from trl import DPOConfig, DPOTrainer

from twin_workers.artifacts import new_folder, write_json
from twin_workers.attempt import Job
from twin_workers.examination import FIELDS, Examination, examine_dpo, read_for_examination
from twin_workers.model_folder import (
    check_template,
    context_length,
    load_model,
    load_tokenizer,
    load_tuned,
    read_card,
    save_tuned,
    weights_digest,
)
from twin_workers.prompts import Prompts
from twin_workers.protocol import JobFailure
from twin_workers.report import Report
from twin_workers.tokenizing import LOSS_TYPES
from twin_workers.training import common_arguments, contract_of, rows_digest, run_training, summary_of, tell_examination


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
        # TRL would say so only at the first step.
        if loss not in LOSS_TYPES:
            message = f"There is no DPO loss `{loss}`: expected one of {', '.join(LOSS_TYPES)}"
            raise JobFailure("configuration", message, where="params.lossTypes")

    weights = params["lossWeights"]
    if weights is not None and len(weights) != len(params["lossTypes"]):
        message = f"There are {len(params['lossTypes'])} losses and {len(weights)} weights: expected one weight a loss"
        raise JobFailure("configuration", message, where="params.lossWeights")

    job.phase("load")
    read_card(base, ("base", "merged"), job.prompt_template["digest"])
    card = read_card(adapter, ("adapter", "full"), job.prompt_template["digest"])
    found = Examination()
    pairs = read_for_examination(found, job.input("pairs"), FIELDS["train-dpo"])
    tokenizer = load_tokenizer(base)
    set_seed(params["seed"])
    model = load_tuned(base, adapter, card, trainable=True)
    # Beside an adapter the reference is a frozen copy of it, which TRL makes; beside whole weights it is a second model.
    reference = load_model(adapter) if card["kind"] == "full" else None

    job.phase("tokenize")
    length = min(params["maxLength"], context_length(model))
    rows = examine_dpo(found, Prompts(tokenizer, job.prompt_template["text"]), pairs, params["lossTypes"], length)
    counts = tell_examination(job, found, job.inputs["pairs"])

    held_out = round(len(rows) * params["evaluation"]["share"])
    # Pairs come sorted by nothing: every so-manieth one is as good as a draw, and the same each time.
    apart = set(range(0, len(rows), len(rows) // held_out)[:held_out]) if held_out else set()
    evaluated, rows = [rows[at] for at in sorted(apart)], [row for at, row in enumerate(rows) if at not in apart]

    report = Report(job, contract_of(job, card["base"], weights_digest(adapter), rows_digest(job.inputs["pairs"])))
    try:
        arguments = DPOConfig(
            **common_arguments(job),
            warmup_steps=params["warmupSteps"],
            max_length=length,
            beta=params["beta"],
            loss_type=params["lossTypes"],
            loss_weights=weights,
            label_smoothing=params["labelSmoothing"],
            eval_strategy="steps" if evaluated else "no",
            eval_steps=params["evaluation"]["every"],
            per_device_eval_batch_size=params["batchSize"],
        )
        trainer = PreparedDPOTrainer(
            model=model,
            ref_model=reference,
            args=arguments,
            train_dataset=Dataset.from_list(rows),
            eval_dataset=Dataset.from_list(evaluated) if evaluated else None,
            processing_class=tokenizer,
            callbacks=[report],
        )
    except ValueError as error:
        raise JobFailure("configuration", f"TRL refuses these params: {error}", where="params.lossTypes") from error
    run_training(job, trainer, report, rows)

    job.phase("save")
    with new_folder(job.outputs["adapter"]) as folder:
        save_tuned(trainer.model, tokenizer, folder, card["toy"], job.prompt_template, card["base"])
    write_json(job.outputs["summary"], summary_of(job, trainer, time.monotonic() - started, counts))
    return ["adapter", "summary"]

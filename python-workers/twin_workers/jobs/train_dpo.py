"""Preference tuning of exactly the given SFT adapter by DPO; the frozen reference is that adapter."""

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

    job.phase("load")
    read_card(base, ("base", "merged"), job.prompt_template["digest"])
    card = read_card(adapter, ("adapter",), job.prompt_template["digest"])
    found = Examination()
    pairs = read_for_examination(found, job.input("pairs"), FIELDS["train-dpo"])
    tokenizer = load_tokenizer(base)
    set_seed(params["seed"])
    model = load_adapter(load_model(base), base, adapter, card, trainable=True)

    job.phase("tokenize")
    length = min(params["maxLength"], context_length(model))
    rows = examine_dpo(found, Prompts(tokenizer, job.prompt_template["text"]), pairs, params["lossTypes"], length)
    counts = tell_examination(job, found, job.inputs["pairs"])

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
    run_training(job, trainer, report, rows)

    job.phase("save")
    with new_folder(job.outputs["adapter"]) as folder:
        save_adapter(trainer.model, folder)
        write_card(folder, "adapter", card["toy"], job.prompt_template, card["base"])
    write_json(job.outputs["summary"], summary_of(job, trainer, time.monotonic() - started, counts))
    return ["adapter", "summary"]

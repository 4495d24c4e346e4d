"""Supervised tuning of a LoRA adapter on instruction samples: the answer and its end are learned, the prompt is not."""

import time
from typing import Any

from datasets import Dataset
from peft import LoraConfig
from transformers import set_seed
from trl import SFTConfig, SFTTrainer

from twin_workers.artifacts import new_folder, read_rows, read_some_rows, write_json
from twin_workers.attempt import Job
from twin_workers.model_folder import (
    check_template,
    context_length,
    load_model,
    load_tokenizer,
    read_card,
    save_adapter,
    weights_digest,
    write_card,
)
from twin_workers.prompts import Prompts
from twin_workers.protocol import JobFailure
from twin_workers.scoring import answer_losses
from twin_workers.training import Report, common_arguments, contract_of, rows_digest, run_training, summary_of

FIELDS = ("id", "instruction", "answer")


def run(job: Job) -> list[str]:
    """Train a new adapter on the base, and measure it on the validation rows."""
    started = time.monotonic()
    params, base = job.params, job.input("base")
    check_template(job.prompt_template)

    job.phase("load")
    card = read_card(base, ("base", "merged"), job.prompt_template["digest"])
    samples = read_some_rows(job.input("train"), FIELDS)
    validation = read_rows(job.inputs["validation"], FIELDS) if "validation" in job.inputs else []
    tokenizer = load_tokenizer(base)
    model = load_model(base)

    job.phase("tokenize")
    prompts = Prompts(tokenizer, job.prompt_template["text"])
    length = min(params["maxLength"], context_length(model))
    rows, counts = tokenize(prompts, samples, length)
    if not rows:
        message = f"None of the {len(samples)} rows would teach anything: {counts['droppedRows']}"
        raise JobFailure("data", message, where=str(job.inputs["train"]), hint="raise maxLength, or look at the samples")
    for reason, count in counts["droppedRows"].items():
        job.warn("rows-dropped", f"{count} of {len(samples)} rows were left out: {reason}")

    # The trainer seeds itself only after the adapter's matrices were drawn.
    set_seed(params["seed"])
    base_digest = weights_digest(base)
    report = Report(job, contract_of(job, base_digest, rows_digest(job.inputs["train"])))
    trainer = SFTTrainer(
        model=model,
        args=SFTConfig(
            **common_arguments(job),
            warmup_steps=params["warmupSteps"],
            max_length=length,
            # Rows come tokenized, cut and masked: what is learned is decided here and counted here.
            dataset_kwargs={"skip_prepare_dataset": True},
        ),
        train_dataset=Dataset.from_list(rows),
        processing_class=tokenizer,
        peft_config=lora_config(params["lora"]),
        callbacks=[report],
    )
    run_training(job, trainer, report)

    job.phase("evaluate")
    counts["validationLoss"] = validation_loss(job, trainer.model.eval(), prompts, validation, length)

    job.phase("save")
    with new_folder(job.outputs["adapter"]) as folder:
        save_adapter(trainer.model, folder)
        write_card(folder, "adapter", card["toy"], job.prompt_template, base_digest)
    write_json(job.outputs["summary"], summary_of(job, trainer, time.monotonic() - started, counts))
    return ["adapter", "summary"]


def lora_config(params: dict[str, Any]) -> LoraConfig:
    """Low-rank adapters as the request wants them."""
    return LoraConfig(
        r=params["rank"],
        lora_alpha=params["alpha"],
        lora_dropout=params["dropout"],
        target_modules=params["targets"],
        bias="none",
        task_type="CAUSAL_LM",
    )


def tokenize(prompts: Prompts, samples: list[dict[str, Any]], length: int) -> tuple[list[dict[str, list[int]]], dict[str, Any]]:
    """Rows of tokens with the prompt masked, and what was counted on the way: cut rows, and rows with nothing left to learn."""
    rows: list[dict[str, list[int]]] = []
    dropped: dict[str, int] = {}
    truncated = 0
    for sample in samples:
        prompt, answer = prompts.prompt(sample["instruction"]), prompts.answer(sample["answer"])
        if not answer or len(prompt) >= length:
            reason = "prompt-fills-window" if answer else "empty-answer"
            dropped[reason] = dropped.get(reason, 0) + 1
            continue
        ids = [*prompt, *answer, prompts.end]
        truncated += len(ids) > length
        labels = [-100] * len(prompt) + ids[len(prompt) :]
        rows.append({"input_ids": ids[:length], "labels": labels[:length]})
    counts = {
        "rows": len(rows),
        "trainedTokens": sum(label != -100 for row in rows for label in row["labels"]),
        "totalTokens": sum(len(row["input_ids"]) for row in rows),
        "truncatedRows": truncated,
        "droppedRows": dropped,
    }
    return rows, counts


def validation_loss(job: Job, model: Any, prompts: Prompts, samples: list[dict[str, Any]], length: int) -> float | None:
    """Nats for each token of the validation answers, their ends included; null without any."""
    rows = [(prompts.prompt(sample["instruction"]), [*prompts.answer(sample["answer"]), prompts.end]) for sample in samples]
    if not rows:
        job.warn("no-validation", "There are no validation rows: the adapter was not measured")
        return None
    total = 0.0
    for done, (_, loss) in enumerate(answer_losses(model, rows, length, job.params["batchSize"], prompts.padding), start=1):
        job.end_if_asked()
        total += loss
        if done % 16 == 0:
            job.progress(done, None, "windows")
    return total / sum(len(answer) for _, answer in rows)

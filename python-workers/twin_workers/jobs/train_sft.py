"""Supervised tuning on instruction samples, of an adapter or of every weight: answers and their ends are learned, prompts are not."""

import time
from typing import Any

from datasets import Dataset
from peft import LoraConfig
from transformers import set_seed
from trl import SFTConfig, SFTTrainer

from twin_workers.artifacts import new_folder, read_rows, write_json
from twin_workers.attempt import Job
from twin_workers.examination import FIELDS as EXAMINED_FIELDS
from twin_workers.examination import Examination, examine_sft, read_for_examination
from twin_workers.model_folder import (
    check_template,
    context_length,
    load_in_four_bits,
    load_model,
    load_tokenizer,
    read_card,
    save_tuned,
    weights_digest,
)
from twin_workers.packing import keeps_apart, pack
from twin_workers.prompts import Prompts
from twin_workers.protocol import JobFailure
from twin_workers.report import Report
from twin_workers.scoring import answer_losses
from twin_workers.training import common_arguments, contract_of, rows_digest, run_training, summary_of, tell_examination

FIELDS = EXAMINED_FIELDS["train-sft"]


def run(job: Job) -> list[str]:
    """Train on the base, and measure what came of it on the validation rows."""
    started = time.monotonic()
    params, base = job.params, job.input("base")
    check_template(job.prompt_template)

    job.phase("load")
    card = read_card(base, ("base", "merged"), job.prompt_template["digest"])
    found = Examination()
    samples = read_for_examination(found, job.input("train"), FIELDS)
    validation = read_rows(job.inputs["validation"], FIELDS) if "validation" in job.inputs else []
    tokenizer = load_tokenizer(base)
    full = params["tuning"] == "full"
    model = load_in_four_bits(base) if params["tuning"] == "qlora" else load_model(base, full_precision=full)

    job.phase("tokenize")
    prompts = Prompts(tokenizer, job.prompt_template["text"])
    length = min(params["maxLength"], context_length(model))
    rows = examine_sft(found, prompts, samples, validation, length, params["learn"])
    counts = tell_examination(job, found, job.inputs["train"])
    if params["packing"]:
        rows = packed(job, model, rows, length)

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
            # With rows that are packed already, it makes batches where every sample has positions of its own.
            packing=params["packing"],
            # Rows come tokenized, cut and masked: what is learned is decided here and counted here.
            dataset_kwargs={"skip_prepare_dataset": True},
        ),
        train_dataset=Dataset.from_list(rows),
        processing_class=tokenizer,
        peft_config=None if full else lora_config(params["lora"]),
        callbacks=[report],
    )
    run_training(job, trainer, report, rows)

    job.phase("evaluate")
    counts["validationLoss"] = validation_loss(job, trainer.model.eval(), prompts, validation, length)

    job.phase("save")
    with new_folder(job.outputs["adapter"]) as folder:
        save_tuned(trainer.model, tokenizer, folder, card["toy"], job.prompt_template, base_digest)
    write_json(job.outputs["summary"], summary_of(job, trainer, time.monotonic() - started, counts))
    return ["adapter", "summary"]


def lora_config(params: dict[str, Any]) -> LoraConfig:
    """Low-rank adapters as the request wants them."""
    return LoraConfig(
        r=params["rank"],
        lora_alpha=params["alpha"],
        lora_dropout=params["dropout"],
        target_modules=params["targets"],
        use_dora=params["dora"],
        use_rslora=params["rankStabilized"],
        bias="none",
        task_type="CAUSAL_LM",
    )


def packed(job: Job, model: Any, rows: list[dict[str, Any]], length: int) -> list[dict[str, Any]]:
    """The rows, several in one, if this model keeps them apart."""
    if len(rows) > 1 and not keeps_apart(model, rows):
        message = f"The attention of this model ({model.config._attn_implementation}) looks from one packed sample into another"
        raise JobFailure("configuration", message, where="params.packing", hint="set packing=false")
    filled = list(pack(rows, length))
    job.progress(len(filled), len(filled), f"packed rows of {len(rows)} samples")
    return filled


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

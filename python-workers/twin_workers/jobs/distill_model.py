"""Tunes every weight of a student on samples, and on what a frozen teacher holds likely after each token of their answers."""

import time
from typing import Any

import torch
from datasets import Dataset
from transformers import TrainerCallback, set_seed
from trl import SFTConfig, SFTTrainer

from twin_workers.artifacts import new_folder, read_rows, write_json
from twin_workers.attempt import Job
from twin_workers.distillation import teaching_losses
from twin_workers.examination import FIELDS, Examination, examine_sft, read_for_examination
from twin_workers.jobs.train_sft import validation_loss
from twin_workers.likeness import fixed_prompts, logits, mean_kl, same_first_choice, tokens_per_second
from twin_workers.model_folder import (
    check_template,
    context_length,
    load_model,
    load_tokenizer,
    read_card,
    save_model,
    weights_bytes,
    weights_digest,
    write_card,
)
from twin_workers.prompts import Prompts
from twin_workers.protocol import JobFailure
from twin_workers.report import Report
from twin_workers.training import common_arguments, contract_of, rows_digest, run_training, summary_of, tell_examination

_FIELDS = FIELDS["train-sft"]


def run(job: Job) -> list[str]:
    """Teach the student, and measure how near it came to the teacher."""
    started = time.monotonic()
    params, student, teacher, template = job.params, job.input("student"), job.input("teacher"), job.prompt_template
    check_template(template)

    job.phase("load")
    card = read_card(student, ("base", "merged"), template["digest"])
    read_card(teacher, ("base", "merged"), template["digest"])
    tokenizer, model, master = load_tokenizer(student), load_model(student, full_precision=True), load_model(teacher)
    if load_tokenizer(teacher).get_vocab() != tokenizer.get_vocab():
        hint = "distil into a student that was made with the teacher's tokenizer"
        raise JobFailure("model", "Student and teacher cut text into different tokens", where=str(student), hint=hint)

    job.phase("tokenize")
    found = Examination()
    samples = read_for_examination(found, job.input("train"), _FIELDS)
    validation = read_rows(job.inputs["validation"], _FIELDS) if "validation" in job.inputs else []
    prompts = Prompts(tokenizer, template["text"])
    length = min(params["maxLength"], context_length(model), context_length(master))
    rows = examine_sft(found, prompts, samples, validation, length, "answers")
    counts = tell_examination(job, found, job.inputs["train"])

    set_seed(params["seed"])
    contract = contract_of(job, weights_digest(student), weights_digest(teacher), rows_digest(job.inputs["train"]))
    report = Report(job, contract)
    trainer = _DistillationTrainer(
        model=model,
        teacher=master,
        teaching=params,
        args=SFTConfig(
            **common_arguments(job),
            warmup_steps=params["warmupSteps"],
            max_length=length,
            # The chunked loss that is the default returns no logits.
            loss_type="nll",
            dataset_kwargs={"skip_prepare_dataset": True},
        ),
        train_dataset=Dataset.from_list(rows),
        processing_class=tokenizer,
        callbacks=[_ZerosStay(model), report],
    )
    run_training(job, trainer, report, rows)

    job.phase("evaluate")
    model.eval()
    counts["validationLoss"] = validation_loss(job, model, prompts, validation, length)
    job.phase("save")
    with new_folder(job.outputs["model"]) as folder:
        save_model(model, tokenizer, folder, template)
        write_card(folder, "merged", card["toy"], template)
        size = weights_bytes(folder)
    asked = fixed_prompts(tokenizer, template["text"])
    taught, learned = logits(master, asked), logits(model, asked)
    likeness = {
        "bytes": size,
        "sourceBytes": weights_bytes(teacher),
        "parameters": model.num_parameters(),
        "sourceParameters": master.num_parameters(),
        "meanKl": mean_kl(taught, learned),
        "sameFirstChoice": same_first_choice(taught, learned),
        "tokensPerSecond": {"model": tokens_per_second(master, asked), "compressed": tokens_per_second(model, asked)},
    }
    write_json(job.outputs["summary"], {**summary_of(job, trainer, time.monotonic() - started, counts), "likeness": likeness})
    return ["model", "summary"]


class _DistillationTrainer(SFTTrainer):
    """Adds to the loss of the answers what the teacher says of the same tokens."""

    def __init__(self, *, teacher: Any, teaching: dict[str, Any], **arguments: Any) -> None:
        super().__init__(**arguments)
        self._teacher = teacher.eval().requires_grad_(False)
        self._teaching = teaching

    def compute_loss(self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None) -> Any:
        labels = inputs["labels"][..., 1:]
        right, outputs = super().compute_loss(model, inputs, return_outputs=True, num_items_in_batch=num_items_in_batch)
        with torch.no_grad():
            seen = {name: inputs[name] for name in ("input_ids", "attention_mask", "position_ids") if name in inputs}
            said = self._teacher(**seen, use_cache=False).logits[..., :-1, :]
        learned = labels != -100
        losses = teaching_losses(outputs.logits[..., :-1, :][learned], said[learned], self._teaching["temperature"], self._teaching["loss"])
        # As the trainer does for the answers: the mean over the tokens of all batches that make one step.
        taught = losses.sum() / (learned.sum() if num_items_in_batch is None else num_items_in_batch)
        self._metrics["train" if model.training else "eval"]["teaching_loss"].append(taught.item())
        loss = self._teaching["alpha"] * right + self._teaching["beta"] * taught
        return (loss, outputs) if return_outputs else loss


class _ZerosStay(TrainerCallback):
    """What pruning set to zero stays zero."""

    def __init__(self, model: Any) -> None:
        weights = [one.weight for one in model.modules() if isinstance(one, torch.nn.Linear)]
        self._kept = [(weight, weight != 0) for weight in weights if (weight == 0).any()]

    @torch.no_grad()
    def on_optimizer_step(self, _args: Any, _state: Any, _control: Any, **_kwargs: Any) -> None:
        for weight, kept in self._kept:
            weight.mul_(kept)

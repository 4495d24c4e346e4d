"""Samples that show what goes into each layer of a model: for rounding it, and for seeing what matters least."""

from typing import TYPE_CHECKING

from twin_workers.artifacts import read_some_rows
from twin_workers.attempt import Job
from twin_workers.prompts import Prompts
from twin_workers.protocol import JobFailure

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerFast


def calibration_rows(job: Job, tokenizer: "PreTrainedTokenizerFast", model: "PreTrainedModel") -> list[list[int]]:
    """The token ids of the first `calibrationRows` rows of `samples`, whatever they are rows of; none where none are asked for."""
    count = job.params["calibrationRows"]
    if count == 0:
        return []
    prompts = Prompts(tokenizer, job.prompt_template["text"])
    longest = model.config.max_position_embeddings
    rows = []
    for row in read_some_rows(job.input("samples"), ())[:count]:
        question, answer = row.get("instruction", row.get("prompt")), row.get("answer", row.get("chosen"))
        if isinstance(question, str) and isinstance(answer, str):
            rows.append((prompts.prompt(question) + prompts.answer(answer))[:longest])
        elif isinstance(row.get("text"), str):
            rows.append(prompts.answer(row["text"])[:longest])
    if not rows:
        hint = "expected instruction and answer, prompt and chosen, or text"
        raise JobFailure("data", "No sample can be calibrated with: none holds text", where=str(job.input("samples")), hint=hint)
    return rows

"""The summed negative log likelihood of each reference answer under each model, and a greedy answer of each to some of the items."""

from pathlib import Path
from typing import Any

from twin_workers.artifacts import read_some_rows, write_rows
from twin_workers.attempt import Job
from twin_workers.jobs.generate_answers import answer_rows
from twin_workers.model_folder import check_template, context_length, load_model, load_tokenizer, read_card, weights_digest
from twin_workers.prompts import Prompts
from twin_workers.protocol import JobFailure
from twin_workers.scoring import answer_losses

ROLES = ("base", "sft", "candidate", "incumbent")


def run(job: Job) -> list[str]:
    """Score the items under every model that the request has; a model that plays two parts is run once."""
    check_template(job.prompt_template)

    job.phase("load")
    items = read_some_rows(job.input("items"), ("id", "document", "instruction", "answer"))
    folders = {role: job.input(role) for role in ROLES if role in job.inputs}
    if not folders:
        raise JobFailure("configuration", f"There is no model to score: expected one of {', '.join(ROLES)}")
    for folder in folders.values():
        read_card(folder, ("base", "merged"), job.prompt_template["digest"])

    scores: dict[str, list[dict[str, Any]]] = {}
    rows: list[dict[str, Any]] = []
    for role, folder in folders.items():
        digest = weights_digest(folder)
        if digest not in scores:
            scores[digest] = score(job, role, folder, items)
        rows += [{**row, "role": role} for row in scores[digest]]

    job.phase("save")
    write_rows(job.outputs["scores"], rows)
    return ["scores"]


def score(job: Job, role: str, folder: Path, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row for each item under one model."""
    job.phase("load")
    prompts = Prompts(load_tokenizer(folder), job.prompt_template["text"])
    model = load_model(folder)
    rows = [(prompts.prompt(item["instruction"]), prompts.answer(item["answer"])) for item in items]
    for item, (_, answer) in zip(items, rows, strict=True):
        if not answer:
            raise JobFailure(
                "data", f"The item {item['id']} has an empty answer: there is nothing to score", where=str(job.inputs["items"])
            )

    job.phase("score")
    losses = [0.0] * len(items)
    for done, (index, loss) in enumerate(
        answer_losses(model, rows, context_length(model), job.params["batchSize"], prompts.padding), start=1
    ):
        job.end_if_asked()
        losses[index] += loss
        if done % 16 == 0:
            job.progress(done, None, "windows")
    if any(loss != loss for loss in losses):
        raise JobFailure("model", f"The model `{role}` gives likelihoods that are not numbers: its weights are broken", where=str(folder))

    job.phase("generate")
    chosen = sorted(items, key=lambda item: item["id"])[: job.params["generate"]]
    generated = {row["id"]: row["answer"] for row in answer_rows(job, model, prompts, chosen)}
    return [
        {
            "item": item["id"],
            "document": item["document"],
            "tokens": len(answer),
            "bytes": len(item["answer"].encode()),
            # A millionth of a nat is less than the order of additions can change.
            "negativeLogLikelihood": round(loss, 6),
            "generated": generated.get(item["id"]),
            "reference": item["answer"],
            "sources": item["sources"],
        }
        for item, (_, answer), loss in zip(items, rows, losses, strict=True)
    ]

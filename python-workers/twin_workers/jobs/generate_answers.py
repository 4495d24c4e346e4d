"""One answer for each prompt row, greedy where temperature is 0; a row's answer does not depend on its neighbours."""

from collections.abc import Iterator
from typing import Any

from twin_workers.artifacts import read_rows, write_rows
from twin_workers.attempt import Job
from twin_workers.generation import fitting, generate, prompt_limit, row_generator
from twin_workers.model_folder import check_template, load_model, load_tokenizer, read_card
from twin_workers.prompts import Prompts


def run(job: Job) -> list[str]:
    """Answer every prompt, in the order of the rows."""
    folder = job.input("model")
    check_template(job.prompt_template)

    job.phase("load")
    read_card(folder, ("base", "merged"), job.prompt_template["digest"])
    rows = read_rows(job.input("prompts"), ("id", "instruction"))
    prompts = Prompts(load_tokenizer(folder), job.prompt_template["text"])
    model = load_model(folder)

    job.phase("generate")
    answers = list(answer_rows(job, model, prompts, rows))

    job.phase("save")
    write_rows(job.outputs["answers"], answers)
    return ["answers"]


def answer_rows(job: Job, model: Any, prompts: Prompts, rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """`{id, answer, tokens}` for rows with id and instruction."""
    params = job.params
    limit = prompt_limit(model, params["maxNewTokens"])
    tokenized = [prompts.prompt(row["instruction"]) for row in rows]
    cut = sum(len(prompt) > limit for prompt in tokenized)
    if cut:
        job.warn("prompts-cut", f"{cut} of {len(rows)} prompts are longer than {limit} tokens and lose their beginning")
    answers: list[list[int]] = [[] for _ in rows]
    # Prompts of like length together: padding costs as much as text.
    order = sorted(range(len(rows)), key=lambda index: -len(tokenized[index]))
    for begin in range(0, len(order), params["batchSize"]):
        batch = order[begin : begin + params["batchSize"]]
        generators = [row_generator(params["seed"], rows[index]["id"]) for index in batch]
        texts = [fitting(tokenized[index], limit) for index in batch]
        temperature = params.get("temperature", 0)
        for tokens in generate(model, texts, params["maxNewTokens"], temperature, generators, prompts.end, prompts.padding):
            job.end_if_asked()
            for index, token in zip(batch, tokens, strict=True):
                if token is not None:
                    answers[index].append(token)
        job.progress(min(begin + len(batch), len(rows)), len(rows), "answers")
    for row, ids in zip(rows, answers, strict=True):
        yield {"id": row["id"], "answer": prompts.text(ids), "tokens": len(ids)}

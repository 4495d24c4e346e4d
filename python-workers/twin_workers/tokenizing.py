"""From samples and pairs to rows of tokens: what is learned, cut or left out is decided here, for training and preflight."""

from typing import Any

from twin_workers.prompts import Prompts

# What TRL knows; it would say so only at the first step, after everything was loaded.
LOSS_TYPES = (
    "sigmoid", "hinge", "ipo", "exo_pair", "nca_pair", "robust", "bco_pair", "sppo_hard",
    "aot", "aot_unpaired", "apo_zero", "apo_down", "discopop", "sft", "sigmoid_norm",
)  # fmt: skip


def sft_rows(
    prompts: Prompts, samples: list[dict[str, Any]], length: int, learn: str = "answers"
) -> tuple[list[dict[str, list[int]]], dict[str, Any]]:
    """Rows of tokens with what is not learned masked, and what was counted on the way: cut rows, and rows with nothing left to learn."""
    rows: list[dict[str, list[int]]] = []
    dropped: dict[str, int] = {}
    truncated = 0
    for sample in samples:
        ids, labels = conversation(prompts, sample, learn)
        if not prompts.answer(sample["answer"]) or all(label == -100 for label in labels[:length]):
            reason = "prompt-fills-window" if prompts.answer(sample["answer"]) else "empty-answer"
            dropped[reason] = dropped.get(reason, 0) + 1
            continue
        truncated += len(ids) > length
        rows.append({"input_ids": ids[:length], "labels": labels[:length]})
    counts = {
        "rows": len(rows),
        "trainedTokens": sum(label != -100 for row in rows for label in row["labels"]),
        "totalTokens": sum(len(row["input_ids"]) for row in rows),
        "truncatedRows": truncated,
        "droppedRows": dropped,
    }
    return rows, counts


def conversation(prompts: Prompts, sample: dict[str, Any], learn: str) -> tuple[list[int], list[int]]:
    """
    The tokens of a sample behind the turns before it (`history`), and their labels.

    `learn` says what carries loss: the `last-answer` with its end, all `answers` with theirs, or `everything`.
    """
    ids: list[int] = []
    labels: list[int] = []
    for turn in (*sample.get("history", ()), sample):
        prompt = prompts.prompt(turn["instruction"], begins=not ids)
        answer = [*prompts.answer(turn["answer"]), prompts.end]
        ids += prompt + answer
        labels += prompt if learn == "everything" else [-100] * len(prompt)
        labels += answer if learn != "last-answer" or turn is sample else [-100] * len(answer)
    return ids, labels


def dpo_rows(prompts: Prompts, pairs: list[dict[str, Any]], length: int) -> tuple[list[dict[str, list[int]]], dict[str, Any]]:
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

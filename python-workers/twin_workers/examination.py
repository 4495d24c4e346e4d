"""Looks at training data before anything is paid for, and tells everything that is wrong with it at once."""

import difflib
import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import Any

from twin_workers.prompts import Prompts
from twin_workers.protocol import JobFailure, well_formed
from twin_workers.tokenizing import LOSS_TYPES, dpo_rows, sft_rows

# Names that other tools give to the same columns.
_KNOWN_AS = {
    "instruction": ("prompt", "question", "input", "query", "user"),
    "answer": ("output", "completion", "response", "target", "assistant"),
    "prompt": ("instruction", "question", "input", "query"),
    "chosen": ("accepted", "preferred", "winner", "answer"),
    "rejected": ("refused", "dispreferred", "loser"),
    "text": ("content", "body"),
}
FIELDS = {"train-sft": ("id", "instruction", "answer"), "train-dpo": ("id", "prompt", "chosen", "rejected")}
_SHOWN_SAMPLES = 3
_SHOWN_PROBLEMS = 20
_MANY_TRUNCATED, _MANY_DROPPED = 0.2, 0.2


class Examination:
    """What was found; `problems` forbid a run, `warnings` are for a person to weigh."""

    def __init__(self) -> None:
        self.problems: list[dict[str, str | None]] = []
        self.warnings: list[dict[str, str | None]] = []
        self.samples: list[dict[str, Any]] = []
        self.counts: dict[str, Any] = {}

    def problem(self, reason: str, message: str, hint: str | None = None) -> None:
        """Something that forbids a run."""
        self.problems.append({"reason": reason, "message": message, "hint": hint})

    def warn(self, reason: str, message: str, hint: str | None = None) -> None:
        """Something to weigh."""
        self.warnings.append({"reason": reason, "message": message, "hint": hint})


def read_for_examination(found: Examination, path: Path, fields: tuple[str, ...]) -> list[dict[str, Any]]:
    """The rows that can be used; what is wrong with the others is told, and what their columns are probably called."""
    rows: list[dict[str, Any]] = []
    complaints: Counter[str] = Counter()
    where: dict[str, int] = {}
    for number, line in enumerate(path.read_bytes().split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            complaint = _row_complaint(row, fields)
        except ValueError as error:
            complaint = f"is not JSON: {error}"
        if complaint is None:
            rows.append({**row, **{name: well_formed(row[name]) for name in fields}})
        else:
            complaints[complaint] += 1
            where.setdefault(complaint, number)
    for complaint, count in complaints.most_common(_SHOWN_PROBLEMS):
        found.problem("bad-rows", f"{path.name}: line {where[complaint]} {complaint} ({count} such lines)")
    if not rows and not complaints:
        found.problem("empty", f"{path.name} holds no row: there is nothing to learn")
    return rows


def _row_complaint(row: Any, fields: tuple[str, ...]) -> str | None:
    if not isinstance(row, dict):
        return "is no object"
    for name in fields:
        if isinstance(row.get(name), str):
            continue
        if name in row:
            return f"has no text in `{name}` but {type(row[name]).__name__}"
        meant = next((other for other in _KNOWN_AS.get(name, ()) if other in row), None)
        meant = meant or next(iter(difflib.get_close_matches(name, list(row), n=1)), None)
        columns = ", ".join(sorted(map(str, row))) or "none"
        return f"lacks `{name}`" + (f"; did you mean its column `{meant}`?" if meant else f"; its columns: {columns}")
    return None


def examine_sft(
    found: Examination,
    prompts: Prompts,
    samples: list[dict[str, Any]],
    validation: list[dict[str, Any]],
    length: int,
    learn: str = "answers",
) -> list[dict[str, list[int]]]:
    """The rows that would be learned from."""
    rows, counts = sft_rows(prompts, samples, length, learn)
    ends = sum(row["labels"][-1] == prompts.end for row in rows)
    _weigh(found, counts, len(samples), ends)
    _repeats(found, [(sample["instruction"], sample["answer"]) for sample in samples])
    _leaks(found, samples, validation)
    for row in rows[:_SHOWN_SAMPLES]:
        found.samples.append({"pieces": _pieces(prompts, row["input_ids"], [label != -100 for label in row["labels"]])})
    return rows


def examine_dpo(
    found: Examination, prompts: Prompts, pairs: list[dict[str, Any]], losses: list[str], length: int
) -> list[dict[str, list[int]]]:
    """Likewise of preference pairs."""
    for loss in losses:
        if loss not in LOSS_TYPES:
            near = difflib.get_close_matches(loss, LOSS_TYPES, n=1)
            found.problem("unknown-loss", f"There is no DPO loss `{loss}`" + (f"; did you mean `{near[0]}`?" if near else ""))
    rows, counts = dpo_rows(prompts, pairs, length)
    ends = sum(len(row["prompt_ids"]) + len(row["chosen_ids"]) <= length for row in rows)
    _weigh(found, counts, len(pairs), ends)
    equal = sum(pair["chosen"] == pair["rejected"] for pair in pairs)
    if equal:
        found.warn("chosen-equals-rejected", f"{equal} of {len(pairs)} pairs have the same answer twice and are left out")
    swapped = Counter((pair["prompt"], pair["chosen"], pair["rejected"]) for pair in pairs)
    contradicting = sum((prompt, rejected, chosen) in swapped for prompt, chosen, rejected in swapped if chosen != rejected) // 2
    if contradicting:
        found.warn("contradicting-pairs", f"{contradicting} pairs are there both ways round: they cancel out")
    _repeats(found, [(pair["prompt"], pair["chosen"], pair["rejected"]) for pair in pairs])
    for row in rows[:_SHOWN_SAMPLES]:
        for name in ("chosen_ids", "rejected_ids"):
            ids = [*row["prompt_ids"], *row[name]][:length]
            learned = [index >= len(row["prompt_ids"]) for index in range(len(ids))]
            found.samples.append({"kind": name.removesuffix("_ids"), "pieces": _pieces(prompts, ids, learned)})
    return rows


def check_rendering(found: Examination, prompts: Prompts, text: str, served: str) -> None:
    """Training and serving must see the same text: the template of the request beside that of the model's folder."""
    if hashlib.sha256(text.encode()).hexdigest() != hashlib.sha256(served.encode()).hexdigest():
        place = next((index for index, (a, b) in enumerate(zip(text, served, strict=False)) if a != b), min(len(text), len(served)))
        message = f"the model was made with another template: they differ from character {place} on, {served[place : place + 20]!r}"
        found.problem("template-differs", message, "train the base again, or use the version of twin that made it")
    if not prompts.prompt("What?"):
        found.problem("empty-prompt", "the tokenizer makes no token of a whole prompt")


def _weigh(found: Examination, counts: dict[str, Any], given: int, ends: int) -> None:
    rows, dropped = counts["rows"], sum(counts["droppedRows"].values())
    share = counts["trainedTokens"] / max(1, counts["totalTokens"])
    found.counts = {**counts, "given": given, "trainedShare": round(share, 4), "endLearned": round(ends / max(1, rows), 4)}
    if rows == 0 and given > 0:
        found.problem("nothing-to-learn", f"none of the {given} rows would teach anything: {counts['droppedRows']}", "raise maxLength")
        return
    if dropped:
        many = dropped > _MANY_DROPPED * given
        words = ", ".join(f"{count} {reason}" for reason, count in counts["droppedRows"].items())
        found.warn("rows-dropped", f"{dropped} of {given} rows are left out: {words}", "raise maxLength" if many else None)
    if counts["truncatedRows"] > _MANY_TRUNCATED * max(1, rows):
        found.warn("many-truncated", f"{counts['truncatedRows']} of {rows} rows are cut, and their end is not learned", "raise maxLength")
    if rows and ends == 0:
        found.problem("end-never-learned", "no row keeps its end token: the model would never learn to stop", "raise maxLength")


def _repeats(found: Examination, rows: list[tuple[str, ...]]) -> None:
    repeated = len(rows) - len(set(rows))
    if repeated:
        found.warn("duplicates", f"{repeated} of {len(rows)} rows are there more than once", "deduplicate the dataset")


def _leaks(found: Examination, samples: list[dict[str, Any]], held_out: list[dict[str, Any]]) -> None:
    trained = {(sample["instruction"], sample["answer"]) for sample in samples}
    asked = {instruction for instruction, _ in trained}
    leaked = sum((row["instruction"], row["answer"]) in trained for row in held_out)
    if leaked:
        message = f"{leaked} of {len(held_out)} validation rows are trained on too: their loss says nothing"
        found.problem("leakage", message, "split the dataset by document")
    # Two documents may well be asked the same; a person has to look.
    similar = sum(row["instruction"] in asked for row in held_out) - leaked
    if similar:
        found.warn("same-question", f"{similar} of {len(held_out)} validation rows ask what training asks, with another answer")


def _pieces(prompts: Prompts, ids: list[int], learned: list[bool]) -> list[dict[str, Any]]:
    """A row as it is read back from its tokens, cut where what is learned begins and ends."""
    pieces: list[dict[str, Any]] = []
    start = 0
    for index in range(1, len(ids) + 1):
        if index == len(ids) or learned[index] != learned[start]:
            ends = index == len(ids) and ids[-1] == prompts.end
            text = prompts.text(ids[start : index - 1] if ends else ids[start:index])
            pieces.append({"text": text, "learned": learned[start], "end": ends})
            start = index
    return pieces


def refuse(found: Examination, where: Path) -> None:
    """All problems in one failure, or none."""
    if not found.problems:
        return
    lines = [f"{problem['message']}" + (f" ({problem['hint']})" if problem["hint"] else "") for problem in found.problems]
    raise JobFailure("data", "; ".join(lines), where=str(where), hint="`twin plan training-pipeline --check` shows all of it beforehand")

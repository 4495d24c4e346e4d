"""
Twelve shapes of a tuning: what the estimate says of each, knowing the eleven others alone, beside what it took. `shapes.py <folder>`.

Prints a line of JSON a shape: peak of resident memory in bytes, and seconds of the training loop on one thread.
"""

# `apart` says where the packages are, and must come first.
# isort: skip_file
import json
import sys
from pathlib import Path
from typing import Any

from apart import CACHE, apart, documents, samples

import datasets  # noqa: F401 - once, for all children
import peft  # noqa: F401
import torch  # noqa: F401
from attempts import Attempt, run_here, write_rows
from trl import SFTTrainer  # noqa: F401

from twin_workers.estimate import Figures, Shape, cpu_seconds, peak_bytes

# Vocabulary, width, layers, context, batch, steps, tuning.
SHAPES = (
    (512, 64, 2, 128, 4, 40, "lora"),
    (512, 128, 4, 128, 8, 20, "lora"),
    (512, 256, 4, 128, 8, 10, "lora"),
    (512, 256, 4, 256, 8, 6, "lora"),
    (512, 256, 8, 256, 4, 6, "lora"),
    (512, 384, 6, 256, 8, 4, "lora"),
    (512, 512, 4, 256, 4, 6, "lora"),
    (512, 512, 8, 128, 4, 6, "lora"),
    (512, 128, 4, 512, 8, 6, "lora"),
    (512, 256, 6, 128, 16, 6, "lora"),
    (512, 256, 4, 128, 8, 10, "full"),
    (512, 512, 6, 128, 8, 5, "full"),
)


def run(folder: Path, corpus: Path, shape: tuple[Any, ...]) -> None:
    """Makes a base of the shape and tunes it; what that took is learned by the job itself."""
    vocabulary, width, layers, context, batch, steps, tuning = shape
    base = Attempt(
        folder / "base",
        "pretrain-tiny",
        {
            "vocabularySize": vocabulary,
            "hiddenSize": width,
            "layers": layers,
            "heads": 4,
            "contextLength": context,
            "maxSteps": 1,
            "batchSize": 1,
        },
        {"documents": corpus},
    )
    if apart(lambda: run_here(base)) != 0:
        raise RuntimeError(f"the base was not made: {base.error()}")
    # A few short ones, whose ends are learned, among those that fill the window.
    train = write_rows(folder / "train.jsonl", samples(batch // 2, 3) + samples(4 * batch, context)[batch // 2 :])
    params = {"maxSteps": steps, "batchSize": batch, "maxLength": context, "tuning": tuning, "saveEvery": steps}
    job = Attempt(folder / "sft", "train-sft", params, {"base": base.outputs["model"], "train": train})
    if apart(lambda: run_here(job)) != 0:
        raise RuntimeError(f"{shape} was not tuned: {job.error()}")


def main(folder: Path) -> None:
    """Runs all of them, then leaves each out in turn."""
    corpus = write_rows(folder / "documents.jsonl", documents(64))
    for number, shape in enumerate(SHAPES):
        run(folder / str(number), corpus, shape)
    records = [json.loads(line) for line in (CACHE / "twin" / "training-figures.jsonl").read_text().splitlines()]
    for number, (record, shape) in enumerate(zip(records, SHAPES, strict=True)):
        others = folder / f"without-{number}.jsonl"
        others.write_text("".join(json.dumps(other) + "\n" for other in records if other is not record))
        figures, known = Figures(others), Shape(**record["shape"])
        found = {
            "shape": list(shape),
            "peakBytes": record["peakBytes"],
            "estimatedPeakBytes": peak_bytes(known, False, figures),
            "seconds": record["seconds"],
            "estimatedSeconds": cpu_seconds(known, figures),
        }
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""A base, an adapter and their merge, made once by the jobs themselves: everything tiny, nothing faked."""

import os
import sys
import tempfile
from pathlib import Path

# Matrices this small are faster on one core, and the tests do not wait for each other's threads.
os.environ["OMP_NUM_THREADS"] = "1"
# What jobs of tests take teaches no estimate.
os.environ["XDG_CACHE_HOME"] = tempfile.mkdtemp(prefix="twin-cache-")

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from attempts import Attempt, run_here, write_rows

SUBJECTS = ["cursor", "ledger", "keeper", "chunk", "journal", "alias", "checkpoint", "adapter"]
TEXTS = [
    f"# The {subject}\n\nThe {subject} of document {number} is kept in order. A {subject} is never lost; 日本 {number} is never doubled.\n"
    for number, subject in enumerate(SUBJECTS * 6)
]
TINY = {
    "vocabularySize": 400,
    "hiddenSize": 32,
    "layers": 2,
    "heads": 2,
    "contextLength": 128,
    "maxSteps": 12,
    "batchSize": 4,
    "saveEvery": 5,
}
LORA = {"rank": 4, "alpha": 8, "dropout": 0.05, "targets": ["q_proj", "v_proj"], "dora": False, "rankStabilized": False}
SFT = {"maxSteps": 12, "batchSize": 4, "maxLength": 96, "saveEvery": 5, "lora": LORA, "learningRate": 0.01}
DPO = {"maxSteps": 6, "batchSize": 2, "maxLength": 96, "saveEvery": 2, "learningRate": 0.01}


def samples(count):
    """Instruction samples as the dataset pipeline writes them, as far as jobs look at them."""
    return [
        {
            "id": f"sample-{number:03}",
            "document": f"document-{number % 5}",
            "instruction": f"What is the {subject} of document {number}?",
            "answer": f"The {subject} of document {number} is kept in order.",
            "sources": [{"document": f"document-{number % 5}", "revision": "0" * 64}],
        }
        for number, subject in enumerate((SUBJECTS * 4)[:count])
    ]


def pairs(count):
    """Preference pairs, likewise."""
    return [
        {"id": sample["id"], "prompt": sample["instruction"], "chosen": sample["answer"], "rejected": f"no no no {number}"}
        for number, sample in enumerate(samples(count))
    ]


@pytest.fixture(scope="session")
def work(tmp_path_factory):
    """Rows of every kind."""
    folder = tmp_path_factory.mktemp("work")
    write_rows(folder / "documents.jsonl", [{"id": str(number), "text": text} for number, text in enumerate(TEXTS)])
    write_rows(folder / "train.jsonl", samples(24))
    write_rows(folder / "validation.jsonl", samples(32)[24:28])
    write_rows(folder / "test.jsonl", samples(32)[26:])
    write_rows(folder / "pairs.jsonl", pairs(8))
    write_rows(folder / "prompts.jsonl", samples(6))
    return folder


@pytest.fixture(scope="session")
def base(work):
    """The attempt that made the base."""
    attempt = Attempt(work / "base", "pretrain-tiny", TINY, {"documents": work / "documents.jsonl"})
    assert run_here(attempt) == 0
    return attempt


@pytest.fixture(scope="session")
def sft_inputs(work, base):
    """What train-sft reads."""
    return {"base": base.outputs["model"], "train": work / "train.jsonl", "validation": work / "validation.jsonl"}


@pytest.fixture(scope="session")
def sft(work, sft_inputs):
    """The attempt that made the SFT adapter."""
    attempt = Attempt(work / "sft", "train-sft", SFT, sft_inputs)
    assert run_here(attempt) == 0
    return attempt


@pytest.fixture(scope="session")
def dpo_inputs(work, base, sft):
    """What train-dpo reads."""
    return {"base": base.outputs["model"], "adapter": sft.outputs["adapter"], "pairs": work / "pairs.jsonl"}


@pytest.fixture(scope="session")
def dpo(work, dpo_inputs):
    """The attempt that made the DPO adapter."""
    attempt = Attempt(work / "dpo", "train-dpo", DPO, dpo_inputs)
    assert run_here(attempt) == 0
    return attempt


@pytest.fixture(scope="session")
def merged(work, base, dpo):
    """The attempt that merged the DPO adapter into the base."""
    attempt = Attempt(work / "merged", "merge-adapter", {}, {"base": base.outputs["model"], "adapter": dpo.outputs["adapter"]})
    assert run_here(attempt) == 0
    return attempt

"""
The same tuning twice, interleaved: as a bare script, and as a job of twin under its keeper. `pairs.py <folder> <pairs> <steps>`.

Prints a line of JSON a pair: CPU seconds of the training loop, of all threads of the process, in both; whether all losses are equal.
"""

# `apart` says where the packages are, and must come first.
# isort: skip_file
import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

from apart import apart, documents, samples

import torch  # noqa: F401 - once, for all children
from attempts import Attempt, write_rows
from datasets import Dataset
from peft import LoraConfig
from transformers import AutoModelForCausalLM, AutoTokenizer, Trainer, set_seed
from transformers.trainer_callback import PrinterCallback
from trl import SFTConfig, SFTTrainer

TINY = {"vocabularySize": 512, "hiddenSize": 64, "layers": 2, "heads": 4, "contextLength": 128, "maxSteps": 2, "batchSize": 4}
LORA = {"rank": 8, "alpha": 16, "dropout": 0.05, "targets": ["q_proj", "v_proj"], "dora": False, "rankStabilized": False}
LEARNING_RATE, BATCH, SEED = 1e-3, 4, 7


def timed_loop() -> dict[str, float]:
    """Has the trainer measure its own loop from now on."""
    took: dict[str, float] = {}
    train = Trainer.train

    def measured(self: Any, *args: Any, **kwargs: Any) -> Any:
        cpu, wall = time.process_time(), time.monotonic()
        try:
            return train(self, *args, **kwargs)
        finally:
            took.update(cpu=time.process_time() - cpu, wall=time.monotonic() - wall)

    Trainer.train = measured
    return took


def bare(base: Path, rows: list[dict[str, Any]], steps: int, folder: Path) -> dict[str, Any]:
    """What one would write without twin, that logs and saves as often."""
    took = timed_loop()
    tokenizer = AutoTokenizer.from_pretrained(base)
    model = AutoModelForCausalLM.from_pretrained(base, dtype="float32")
    set_seed(SEED)
    arguments = SFTConfig(
        output_dir=str(folder),
        max_steps=steps,
        per_device_train_batch_size=BATCH,
        learning_rate=LEARNING_RATE,
        lr_scheduler_type="cosine",
        weight_decay=0.1,
        max_grad_norm=1.0,
        optim="adamw_torch_fused",
        save_strategy="steps",
        save_steps=steps,
        seed=SEED,
        logging_steps=1,
        logging_nan_inf_filter=False,
        report_to=[],
        disable_tqdm=True,
        use_cpu=True,
        bf16=False,
        gradient_checkpointing=False,
        dataloader_pin_memory=False,
        max_length=128,
        dataset_kwargs={"skip_prepare_dataset": True},
    )
    lora = LoraConfig(r=8, lora_alpha=16, lora_dropout=0.05, target_modules=["q_proj", "v_proj"], bias="none", task_type="CAUSAL_LM")
    trainer = SFTTrainer(model=model, args=arguments, train_dataset=Dataset.from_list(rows), processing_class=tokenizer, peft_config=lora)
    trainer.remove_callback(PrinterCallback)
    trainer.train()
    return {**took, "losses": [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]}


def under_twin(attempt: Attempt) -> dict[str, Any]:
    """The job, its keeper included; the worker is forked by the keeper and inherits the measuring."""
    from twin_workers import training
    from twin_workers.keeper import keep

    took = timed_loop()
    end = training.run_training

    def told(*args: Any, **kwargs: Any) -> None:
        end(*args, **kwargs)
        (attempt.folder / "took.json").write_text(json.dumps(took))

    training.run_training = told
    keep(attempt.folder)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    if attempt.record("exit")["code"] != 0:
        raise RuntimeError(attempt.log())
    losses = [entry["loss"] for entry in attempt.summary()["losses"]]
    measured = json.loads((attempt.folder / "took.json").read_text())
    return {**measured, "losses": losses, "keeperCpu": usage.ru_utime + usage.ru_stime, "events": len(attempt.events())}


def tokenized(base: Path, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows as the job makes them, so that both arms learn the same."""
    from attempts import TEMPLATE

    from twin_workers.model_folder import load_tokenizer
    from twin_workers.prompts import Prompts
    from twin_workers.tokenizing import sft_rows

    return sft_rows(Prompts(load_tokenizer(base), TEMPLATE), rows, 128)[0]


def main(folder: Path, pairs: int, steps: int) -> None:
    """Makes a base, and then pair after pair."""
    corpus = write_rows(folder / "documents.jsonl", documents(64))
    train = samples(64, 10)
    inputs = {
        "train": write_rows(folder / "train.jsonl", train),
        "validation": write_rows(folder / "validation.jsonl", samples(66, 10)[64:]),
    }
    made = Attempt(folder / "base", "pretrain-tiny", TINY, {"documents": corpus})
    if made.run() != 0:
        raise RuntimeError(f"the base was not made: {made.error()}")
    base = made.outputs["model"]
    rows = apart(lambda: tokenized(base, train))
    params = {"maxSteps": steps, "batchSize": BATCH, "maxLength": 128, "saveEvery": steps, "lora": LORA, "learningRate": LEARNING_RATE}
    params |= {"schedule": "cosine", "weightDecay": 0.1, "maxGradNorm": 1.0, "warmupSteps": 0, "seed": SEED}
    for number in range(pairs):
        attempt = Attempt(folder / f"pair-{number}", "train-sft", params, {"base": base, **inputs})
        arms = {
            "bare": lambda number=number: bare(base, rows, steps, folder / f"bare-{number}"),
            "twin": lambda attempt=attempt: under_twin(attempt),
        }
        order = ("bare", "twin") if number % 2 == 0 else ("twin", "bare")
        found = {arm: apart(arms[arm]) for arm in order}
        equal = found["bare"].pop("losses") == found["twin"].pop("losses")
        print(json.dumps({**found, "equal": equal}), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))

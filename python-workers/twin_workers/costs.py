"""What a job takes: two steps on the longest batch before hours depend on it, and what a finished job teaches the next estimate."""

import math
import random
import statistics
import time
from typing import Any

import numpy
import torch

from twin_workers.attempt import Job
from twin_workers.estimate import Figures, Shape, peak_resident_bytes


def canary(job: Job, trainer: Any, rows: list[dict[str, Any]]) -> None:
    """
    Two steps on the longest batch, the worst that memory will see, before hours depend on it. Nothing is learned: the rate is zero.

    Random numbers go on as if it had not been.
    """

    worst = sorted(rows, key=_longest, reverse=True)[: job.params["batchSize"]]
    state = (torch.get_rng_state(), random.getstate(), numpy.random.get_state())
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    model = trainer.model
    training = model.training
    model.train()
    trained = [tensor for tensor in model.parameters() if tensor.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=0.0, weight_decay=0.0)
    base = peak_resident_bytes()
    started = time.monotonic()
    metrics = {name: dict(values) for name, values in getattr(trainer, "_metrics", {}).items()}
    for _ in range(2):
        batch = trainer._prepare_inputs(trainer.data_collator([dict(row) for row in worst]))
        with trainer.compute_loss_context_manager():
            loss = trainer.compute_loss(model, batch)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    seconds = (time.monotonic() - started) / 2
    if hasattr(trainer, "_metrics"):
        for name in trainer._metrics:
            trainer._metrics[name].clear()
            trainer._metrics[name].update(metrics.get(name, {}))
    if hasattr(trainer, "_total_train_tokens"):
        trainer._total_train_tokens = 0
    model.train(training)
    torch.set_rng_state(state[0])
    random.setstate(state[1])
    numpy.random.set_state(state[2])
    if cuda:
        torch.cuda.set_rng_state_all(cuda)
    accumulation = job.params.get("gradientAccumulation", 1)
    steps = job.params["maxSteps"] or math.ceil(math.ceil(len(rows) / (len(worst) * accumulation)) * job.params.get("epochs", 1))
    peak = torch.cuda.max_memory_allocated() if torch.cuda.is_available() else peak_resident_bytes()
    estimate = {"secondsPerStep": round(seconds * accumulation, 4), "steps": steps, "peakBytes": max(peak, base)}
    job.events.emit("estimate", estimate)


def learn_figures(job: Job, trainer: Any, rows: list[dict[str, Any]], seconds: float) -> None:
    """What this job took makes the next estimate better."""
    on_gpu = torch.cuda.is_available()
    config, params = trainer.model.config.get_text_config(), job.params
    if params.get("tuning") == "qlora":
        return  # two weights lie in one number there: counts would be wrong
    parameters = [tensor for name, tensor in trainer.model.named_parameters() if ".ref." not in name]
    size = int(statistics.fmean(_length(row) for row in rows))
    shape = Shape(
        job=job.name,
        total=sum(tensor.numel() for tensor in parameters),
        trainable=sum(tensor.numel() for tensor in parameters if tensor.requires_grad),
        layers=config.num_hidden_layers,
        hidden=config.hidden_size,
        intermediate=getattr(config, "intermediate_size", 4 * config.hidden_size),
        vocabulary=config.vocab_size,
        batch=params["batchSize"],
        accumulation=params["gradientAccumulation"],
        length=max(map(_longest, rows)),
        recompute=trainer.args.gradient_checkpointing,
        eight_bit=params["optimizer"] == "adamw-8-bit",
        steps=trainer.state.global_step,
        tokens=size * trainer.state.global_step * params["batchSize"] * params["gradientAccumulation"],
    )
    peak = torch.cuda.max_memory_allocated() if on_gpu else peak_resident_bytes()
    device = torch.cuda.get_device_name() if on_gpu else "cpu"
    Figures().learn(shape, device, peak, 0 if on_gpu else job.base_bytes, seconds)


def _length(row: dict[str, Any]) -> int:
    """Tokens that a row costs: for a pair the prompt counts twice."""
    return len(row["input_ids"]) if "input_ids" in row else 2 * len(row["prompt_ids"]) + len(row["chosen_ids"]) + len(row["rejected_ids"])


def _longest(row: dict[str, Any]) -> int:
    """Tokens of the longest sequence in a row."""
    if "input_ids" in row:
        return len(row["input_ids"])
    return len(row["prompt_ids"]) + max(len(row["chosen_ids"]), len(row["rejected_ids"]))

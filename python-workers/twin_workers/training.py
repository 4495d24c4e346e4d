"""What the training jobs share: the arguments that decide how a run behaves, and the callback that tells, saves and stops."""

import hashlib
import importlib.util
import json
import math
import random
import shutil
import statistics
import time
from collections import deque
from pathlib import Path
from typing import Any

import numpy
import torch
from transformers import TrainerCallback

from twin_workers.attempt import Job, libraries
from twin_workers.checkpoints import ContractChanged, best_of, newest_good, prune, seal, set_aside, step_of
from twin_workers.estimate import Figures, Shape, peak_resident_bytes
from twin_workers.examination import Examination, refuse
from twin_workers.health import Finding, Health
from twin_workers.protocol import JobFailure, JobStopped

_LAST_LOSSES = 10
# Saving shall cost at most a twentieth of the time, whatever a save takes here.
_SHARE = 20
FIRST_SAVE_SECONDS, LEAST_SECONDS, MOST_SECONDS = 15.0, 30.0, 1800.0
_LEAST_RATE_SCALE = 0.25
_LEARNING = ("training.py", "prompts.py", "model_folder.py")
_NOT_METRICS = ("epoch", "step", "total_flos", "train_")


def common_arguments(job: Job) -> dict[str, Any]:
    """The part of the trainer's arguments that is the same for every method."""
    on_gpu = torch.cuda.is_available()
    params = job.params
    recompute = params.get("gradientCheckpointing")
    return {
        "output_dir": str(job.checkpoints),
        "max_steps": params["maxSteps"] or -1,
        "num_train_epochs": params.get("epochs", 1),
        "per_device_train_batch_size": params["batchSize"],
        "gradient_accumulation_steps": params.get("gradientAccumulation", 1),
        "learning_rate": params["learningRate"],
        "lr_scheduler_type": params.get("schedule", "cosine"),
        "weight_decay": params.get("weightDecay", 0.1),
        "max_grad_norm": params.get("maxGradNorm", 1.0),
        "optim": _optimizer(params.get("optimizer", "adamw"), on_gpu),
        "save_strategy": "no",  # Report decides when
        "seed": params["seed"],
        "logging_steps": 1,
        "logging_nan_inf_filter": False,  # it would hide a loss that is not a number
        "report_to": [],
        "disable_tqdm": True,
        "use_cpu": not on_gpu,
        "bf16": on_gpu,
        "gradient_checkpointing": on_gpu if recompute is None else recompute,
        "dataloader_pin_memory": on_gpu,
    }


def _optimizer(name: str, on_gpu: bool) -> str:
    if name == "adamw":
        return "adamw_torch_fused"
    if not on_gpu or importlib.util.find_spec("bitsandbytes") is None:
        missing = "a CUDA device" if not on_gpu else "the package bitsandbytes in the Python environment"
        raise JobFailure("configuration", f"The optimizer {name} needs {missing}", where="params.optimizer", hint="use adamw")
    return "adamw_bnb_8bit"


# These change how the work is cut, or what is done beside it, and not what is learned.
_NO_PART_OF_CONTRACT = ("batchSize", "gradientAccumulation", "gradientCheckpointing", "saveEvery", "health")


def contract_of(job: Job, *inputs: str) -> dict[str, str]:
    """What a checkpoint may be resumed under, a digest a part. A smaller batch that accumulates more is the same work."""
    params = {name: value for name, value in job.params.items() if name not in _NO_PART_OF_CONTRACT}
    batch = job.params["batchSize"] * job.params.get("gradientAccumulation", 1)
    package = Path(__file__).parent
    sources = [package / name for name in (*_LEARNING, f"jobs/{job.name.replace('-', '_')}.py")]
    parts = {
        "data": list(inputs),
        "params": [job.name, params, batch, job.prompt_template["digest"]],
        "code": [hashlib.sha256(path.read_bytes()).hexdigest() for path in sources],
        "packages": dict(libraries()),
    }
    return {name: hashlib.sha256(json.dumps(part, sort_keys=True).encode()).hexdigest() for name, part in parts.items()}


class Report(TrainerCallback):
    """Tells of every step, watches the run's health, makes checkpoints that can be trusted, and obeys stop, cancel and save-now."""

    def __init__(self, job: Job, contract: dict[str, str]) -> None:
        self._job, self._contract = job, contract
        self._health = Health(job.params.get("health", {}))
        self._cadence = Cadence(job.params["saveEvery"])
        self._step_ended = self._log_ended = time.monotonic()
        self._tokens = 0
        self._ending: Exception | None = None
        self._recent: deque[float] = deque(maxlen=_LAST_LOSSES)
        self.rate_scale = 1.0

    def resume_from(self) -> str | None:
        """The newest checkpoint that verifies; a JobFailure where it was made from something else."""
        try:
            checkpoint, complaints = newest_good(self._job.checkpoints, self._contract)
        except ContractChanged as changed:
            if self._job.adaptations:
                self._job.warn("checkpoint-unusable", f"{changed}: set aside, this attempt was changed on purpose")
                set_aside(self._job.checkpoints)
                return None
            hint = "undo the change, or start anew with `twin run ... --force <step>`, which leaves the checkpoints where they are"
            raise JobFailure("configuration", f"Cannot go on: {changed}", where=str(changed.folder), hint=hint) from changed
        for complaint in complaints:
            self._job.warn("checkpoint-unusable", f"{complaint}; it was deleted")
        if checkpoint is not None:
            self._job.warn("resumed", f"Went on from the checkpoint after step {step_of(checkpoint)}")
        return None if checkpoint is None else str(checkpoint)

    def end_if_stopped(self) -> None:
        """After training: end here if it was a stop or a health rule that ended it."""
        if self._ending is not None:
            raise self._ending

    def on_train_begin(self, args, state, control, lr_scheduler=None, **kwargs) -> None:  # noqa: D102
        if self.rate_scale != 1.0 and lr_scheduler is not None:
            # Checkpoints hold the rate, so a later resume has it too.
            lr_scheduler.base_lrs = [rate * self.rate_scale for rate in lr_scheduler.base_lrs]
            for group, rate in zip(lr_scheduler.optimizer.param_groups, lr_scheduler.get_last_lr(), strict=True):
                group["lr"] = rate * self.rate_scale
        self._step_ended = time.monotonic()

    def on_log(self, args, state, control, logs=None, **kwargs) -> None:  # noqa: D102
        values = {name: float(value) for name, value in (logs or {}).items() if not name.startswith(_NOT_METRICS)}
        if not values:
            return
        if math.isfinite(values.get("loss", math.nan)):
            self._recent.append(values["loss"])
        now = time.monotonic()
        seconds, self._log_ended = now - self._log_ended, now
        tokens = values.get("num_tokens")
        if tokens is not None:
            values["tokens_per_second"] = (tokens - self._tokens) / max(seconds, 1e-9) if self._tokens else 0.0
            self._tokens = tokens
        if torch.cuda.is_available():
            values["memory_gib"] = torch.cuda.max_memory_allocated() / 2**30
        self._job.events.metric(state.global_step, values)
        for finding in self._health.look(state.global_step, values, state.max_steps):
            self._act(finding, control)

    def _act(self, finding: Finding, control: Any) -> None:
        if finding.action == "warn":
            self._job.warn(finding.rule, finding.message)
            return
        failure = JobFailure("divergence", finding.message, hint=finding.hint)
        if finding.action == "stop":
            raise failure
        if finding.action == "roll-back" and self.rate_scale > _LEAST_RATE_SCALE and best_of(self._job.checkpoints):
            raise RollBack(finding.message)
        # A person decides; what there is, is kept, and the same run goes on from it.
        self._job.warn(finding.rule, f"{finding.message}; saving and stopping")
        self._ending = failure
        control.should_save = control.should_training_stop = True

    def on_step_end(self, args, state, control, **kwargs) -> None:  # noqa: D102
        job = self._job
        self._step_ended = time.monotonic()
        job.progress(state.global_step, state.max_steps, "steps")
        if job.cancelled.is_set():
            raise JobStopped("cancelled")
        last = state.global_step >= state.max_steps
        # The last step is saved too: an attempt that ends between it and the result has nothing to train again.
        if last or job.stopping.is_set() or job.save_asked.is_set() or self._cadence.due(state.global_step):
            job.save_asked.clear()
            control.should_save = True
            job.events.emit("phase", {"name": "checkpoint"})
        if job.stopping.is_set() and not last:
            self._ending = JobStopped("preempted")
            control.should_training_stop = True

    def on_save(self, args, state, control, **kwargs) -> None:  # noqa: D102
        folder = self._job.checkpoints / f"checkpoint-{state.global_step}"
        # The frozen reference of DPO is the adapter that training began with; left here, a resume would load it and not the trained one.
        shutil.rmtree(folder / "ref", ignore_errors=True)
        seal(folder, self._contract, sum(self._recent) / len(self._recent) if self._recent else None)
        prune(self._job.checkpoints)
        seconds = round(time.monotonic() - self._step_ended, 3)
        self._cadence.saved(seconds)
        self._job.events.emit("checkpoint", {"step": state.global_step, "path": str(folder), "seconds": seconds})
        self._job.events.emit("phase", {"name": "train"})


class RollBack(Exception):  # noqa: N818 - not an error
    """A health rule asks to go on from the best checkpoint at half the rate."""


class Cadence:
    """When to save: every so many steps, or as often as costs at most a twentieth of the time."""

    def __init__(self, every: int | None) -> None:
        self._every = every
        self._last = time.monotonic()
        self._seconds: float | None = None

    def due(self, step: int) -> bool:
        """Whether to save after this step."""
        if self._every is not None:
            return step % self._every == 0
        wait = FIRST_SAVE_SECONDS if self._seconds is None else min(MOST_SECONDS, max(LEAST_SECONDS, _SHARE * self._seconds))
        return time.monotonic() - self._last >= wait

    def saved(self, seconds: float) -> None:
        """A checkpoint took so long."""
        self._last, self._seconds = time.monotonic(), seconds


def tell_examination(job: Job, found: Examination, where: Path) -> dict[str, Any]:
    """End here for all problems at once; tell the warnings, and return what was counted for the summary."""
    refuse(found, where)
    for warning in found.warnings:
        job.warn(str(warning["reason"]), str(warning["message"]))
    kept = ("rows", "trainedTokens", "totalTokens", "truncatedRows", "droppedRows", "validationLoss")
    return {name: value for name, value in found.counts.items() if name in kept}


def run_training(job: Job, trainer: Any, report: Report, rows: list[dict[str, Any]] | None = None) -> None:
    """Train from the start or from the last good checkpoint; ends here where the job was asked to stop. A canary takes from `rows`."""
    from transformers.trainer_callback import PrinterCallback

    trainer.remove_callback(PrinterCallback)
    checkpoint = report.resume_from()
    if checkpoint is None and rows is not None:
        job.phase("canary")
        sing(job, trainer, rows)
    job.phase("train")
    started = time.monotonic()
    while True:
        try:
            trainer.train(resume_from_checkpoint=checkpoint)
            break
        except RollBack as back:
            best = best_of(job.checkpoints)
            report.rate_scale /= 2
            change = f"rolled back to step {step_of(best)}, with {report.rate_scale:g} of the learning rate: {back}"
            job.adaptations.append(change)
            job.warn("rolled-back", change)
            checkpoint = str(best)
    report.end_if_stopped()
    if checkpoint is None and rows:
        _learn_figures(job, trainer, rows, time.monotonic() - started)


def _learn_figures(job: Job, trainer: Any, rows: list[dict[str, Any]], seconds: float) -> None:
    """What this job took makes the next estimate better."""
    on_gpu = torch.cuda.is_available()
    config, params = trainer.model.config.get_text_config(), job.params
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


def sing(job: Job, trainer: Any, rows: list[dict[str, Any]]) -> None:
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


def summary_of(job: Job, trainer: Any, seconds: float, counts: dict[str, Any]) -> dict[str, Any]:
    """The TrainingSummary; losses come from the log, which a resumed attempt inherits: the trainer's own mean is wrong then."""
    losses = [{"step": entry["step"], "loss": entry["loss"]} for entry in trainer.state.log_history if "loss" in entry]
    last = [entry["loss"] for entry in losses[-_LAST_LOSSES:]]
    parameters = list(trainer.model.named_parameters())
    return {
        "job": job.name,
        "params": job.params,
        "steps": trainer.state.global_step,
        "finalLoss": sum(last) / len(last) if last else None,
        "losses": losses,
        # The frozen reference of DPO is no part of the model.
        "trainableParameters": sum(tensor.numel() for _, tensor in parameters if tensor.requires_grad),
        "totalParameters": sum(tensor.numel() for name, tensor in parameters if ".ref." not in name),
        "seconds": round(seconds, 3),
        "adaptations": job.adaptations,
        "promptTemplate": job.prompt_template["digest"],
        "libraries": dict(libraries()),
        "seed": job.params["seed"],
        **counts,
    }


def rows_digest(path: Path) -> str:
    """Names rows by their content."""
    return hashlib.sha256(path.read_bytes()).hexdigest()

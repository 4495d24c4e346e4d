"""The trainer's callback: tells of every step, saves checkpoints that can be trusted, watches health, and obeys what it is told."""

import math
import shutil
import time
from collections import deque
from typing import Any

import torch
from transformers import TrainerCallback

from twin_workers.attempt import Job
from twin_workers.cadence import Cadence
from twin_workers.checkpoints import ContractChanged, best_of, newest_good, prune, seal, set_aside, step_of
from twin_workers.health import Finding, Health
from twin_workers.protocol import JobFailure, JobStopped

LAST_LOSSES = 10
"""Steps whose mean loss stands for the loss of now."""
_LEAST_RATE_SCALE = 0.25
_NOT_METRICS = ("epoch", "step", "total_flos", "train_")


class Report(TrainerCallback):
    """Tells of every step, watches the run's health, makes checkpoints that can be trusted, and obeys stop, cancel and save-now."""

    def __init__(self, job: Job, contract: dict[str, str]) -> None:
        self._job, self._contract = job, contract
        self._health = Health(job.params.get("health", {}))
        self._cadence = Cadence(job.params["saveEvery"])
        self._step_ended = self._log_ended = time.monotonic()
        self._tokens = 0
        self._ending: Exception | None = None
        self._recent: deque[float] = deque(maxlen=LAST_LOSSES)
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
        while not job.findings.empty():
            self._act(job.findings.get(), control)
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

"""What the training jobs share: the arguments that decide how a run behaves, and the callback that tells, saves and stops."""

import hashlib
import json
import math
import shutil
import time
from pathlib import Path
from typing import Any

import torch
from transformers import TrainerCallback

from twin_workers.attempt import Job, libraries
from twin_workers.checkpoints import newest_good, prune, seal, step_of
from twin_workers.protocol import JobFailure, JobStopped

_LAST_LOSSES = 10
_NOT_METRICS = ("epoch", "step", "total_flos", "train_")


def common_arguments(job: Job) -> dict[str, Any]:
    """The part of the trainer's arguments that is the same for every method."""
    on_gpu = torch.cuda.is_available()
    params = job.params
    return {
        "output_dir": str(job.checkpoints),
        "max_steps": params["maxSteps"] or -1,
        "num_train_epochs": params.get("epochs", 1),
        "per_device_train_batch_size": params["batchSize"],
        "gradient_accumulation_steps": params.get("gradientAccumulation", 1),
        "learning_rate": params["learningRate"],
        "lr_scheduler_type": "cosine",
        "save_strategy": "steps",
        "save_steps": params["saveEvery"],
        "seed": params["seed"],
        "logging_steps": 1,
        "logging_nan_inf_filter": False,  # it would hide a loss that is not a number
        "report_to": [],
        "disable_tqdm": True,
        "use_cpu": not on_gpu,
        "bf16": on_gpu,
        "gradient_checkpointing": on_gpu,
        "dataloader_pin_memory": on_gpu,
    }


def contract_of(job: Job, *inputs: str) -> str:
    """What a checkpoint may be resumed under: inputs, params and libraries. A smaller batch that accumulates more is the same work."""
    params = {name: value for name, value in job.params.items() if name not in ("batchSize", "gradientAccumulation")}
    batch = job.params["batchSize"] * job.params.get("gradientAccumulation", 1)
    contract = [job.name, params, batch, job.prompt_template["digest"], inputs, dict(libraries())]
    return hashlib.sha256(json.dumps(contract, sort_keys=True).encode()).hexdigest()


class Report(TrainerCallback):
    """Tells of every step, makes checkpoints that can be trusted, and obeys stop, cancel and save-now at the end of a step."""

    def __init__(self, job: Job, contract: str) -> None:
        self._job, self._contract = job, contract
        self._step_ended = time.monotonic()
        self._stopped = False

    def resume_from(self) -> str | None:
        """The newest checkpoint that verifies."""
        checkpoint, complaints = newest_good(self._job.checkpoints, self._contract)
        for complaint in complaints:
            self._job.warn("checkpoint-unusable", f"{complaint}; it was deleted")
        if checkpoint is not None:
            self._job.warn("resumed", f"Went on from the checkpoint after step {step_of(checkpoint)}")
        return None if checkpoint is None else str(checkpoint)

    def end_if_stopped(self) -> None:
        """After training: end here if it was a stop that ended it."""
        if self._stopped:
            raise JobStopped("preempted")

    def on_log(self, args, state, control, logs=None, **kwargs) -> None:  # noqa: D102
        values = {name: float(value) for name, value in (logs or {}).items() if not name.startswith(_NOT_METRICS)}
        if not values:
            return
        self._job.events.metric(state.global_step, values)
        for name in ("loss", "grad_norm"):
            if not math.isfinite(values.get(name, 0.0)):
                message = f"{name} became {values[name]} at step {state.global_step}"
                raise JobFailure("divergence", message, hint="lower learningRate, raise warmupSteps, or look for broken rows in the data")

    def on_step_end(self, args, state, control, **kwargs) -> None:  # noqa: D102
        job = self._job
        self._step_ended = time.monotonic()
        job.progress(state.global_step, state.max_steps, "steps")
        if job.cancelled.is_set():
            raise JobStopped("cancelled")
        last = state.global_step >= state.max_steps
        # The last step is saved too: an attempt that ends between it and the result has nothing to train again.
        if last or job.stopping.is_set() or job.save_asked.is_set():
            job.save_asked.clear()
            control.should_save = True
        if job.stopping.is_set() and not last:
            self._stopped = True
            control.should_training_stop = True

    def on_save(self, args, state, control, **kwargs) -> None:  # noqa: D102
        folder = self._job.checkpoints / f"checkpoint-{state.global_step}"
        # The frozen reference of DPO is the adapter that training began with; left here, a resume would load it and not the trained one.
        shutil.rmtree(folder / "ref", ignore_errors=True)
        seal(folder, self._contract)
        prune(self._job.checkpoints)
        seconds = round(time.monotonic() - self._step_ended, 3)
        self._job.events.emit("checkpoint", {"step": state.global_step, "path": str(folder), "seconds": seconds})


def run_training(job: Job, trainer: Any, report: Report) -> None:
    """Train from the start or from the last good checkpoint; ends here where the job was asked to stop."""
    from transformers.trainer_callback import PrinterCallback

    trainer.remove_callback(PrinterCallback)
    checkpoint = report.resume_from()
    job.phase("train")
    trainer.train(resume_from_checkpoint=checkpoint)
    report.end_if_stopped()


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
        "promptTemplate": job.prompt_template["digest"],
        "libraries": dict(libraries()),
        "seed": job.params["seed"],
        **counts,
    }


def rows_digest(path: Path) -> str:
    """Names rows by their content."""
    return hashlib.sha256(path.read_bytes()).hexdigest()

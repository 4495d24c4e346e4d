"""What the training jobs share: the trainer's arguments, what a checkpoint may be resumed under, the run itself, and its summary."""

import hashlib
import importlib.util
import json
import time
from pathlib import Path
from typing import Any

import torch

from twin_workers.attempt import Job, libraries
from twin_workers.checkpoints import best_of, step_of
from twin_workers.costs import canary, learn_figures
from twin_workers.examination import Examination, refuse
from twin_workers.protocol import JobFailure
from twin_workers.report import LAST_LOSSES, Report, RollBack

_LEARNING = ("training.py", "report.py", "prompts.py", "tokenizing.py", "packing.py", "model_folder.py")


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
        "bf16": on_gpu and torch.cuda.is_bf16_supported(),
        "fp16": on_gpu and not torch.cuda.is_bf16_supported(),
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
    if checkpoint is not None and _was_last(trainer, checkpoint):
        return
    if checkpoint is None and rows is not None:
        job.phase("canary")
        canary(job, trainer, rows)
    job.phase("train")
    started, cpu_started = time.monotonic(), time.process_time()
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
        # On a machine that did something else beside, the wall clock knows nothing of this job; with several threads, CPU time does not.
        learn_figures(job, trainer, rows, min(time.monotonic() - started, time.process_time() - cpu_started))


def _was_last(trainer: Any, checkpoint: str) -> bool:
    """
    Whether all steps were done when the checkpoint was made; the model and the log are those of the checkpoint then.

    The trainer itself looks at the number of steps after each one, and would do one too many in the middle of an epoch.
    """
    from transformers.trainer_callback import TrainerState

    state = TrainerState.load_from_json(str(Path(checkpoint) / "trainer_state.json"))
    if state.global_step < state.max_steps:
        return False
    trainer.state = state
    trainer._load_from_checkpoint(checkpoint)
    return True


def summary_of(job: Job, trainer: Any, seconds: float, counts: dict[str, Any]) -> dict[str, Any]:
    """The TrainingSummary; losses come from the log, which a resumed attempt inherits: the trainer's own mean is wrong then."""
    losses = [{"step": entry["step"], "loss": entry["loss"]} for entry in trainer.state.log_history if "loss" in entry]
    last = [entry["loss"] for entry in losses[-LAST_LOSSES:]]
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

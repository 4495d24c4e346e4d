"""All mistakes of a training job at once, on a CPU and without its weights; and what it will take on every type of device."""

import json
from typing import Any

from twin_workers.artifacts import write_json
from twin_workers.attempt import Job
from twin_workers.estimate import Figures, cpu_seconds, peak_bytes, shape_of, verdicts
from twin_workers.examination import FIELDS, Examination, check_rendering, examine_dpo, examine_sft, read_for_examination
from twin_workers.model_folder import check_template, load_tokenizer
from twin_workers.packing import pack
from twin_workers.prompts import Prompts
from twin_workers.protocol import JobFailure
from twin_workers.schemas import problems, schemas


def run(job: Job) -> list[str]:
    """Look at params, template, rows and size, and write down all that was found."""
    from transformers import AutoConfig

    method, params = job.params["job"], job.params["params"]
    found = Examination()
    estimate: dict[str, Any] | None = None

    job.phase("load")
    for complaint in problems(params, schemas()["jobs"][method]["params"], "params"):
        found.problem("bad-params", _with_rename(complaint))
    base = job.input("base")
    try:
        check_template(job.prompt_template)
        tokenizer = load_tokenizer(base)
        config = AutoConfig.from_pretrained(base, local_files_only=True)
        card = json.loads((base / "twin.json").read_text(encoding="utf-8"))
    except (JobFailure, OSError, ValueError) as error:
        found.problem("bad-base", f"the base cannot be used: {error}", "name a folder with config.json, a tokenizer and twin.json")
        return _write(job, found, estimate)
    prompts = Prompts(tokenizer, job.prompt_template["text"])
    check_rendering(found, prompts, job.prompt_template["text"], card["promptTemplate"]["text"])
    job.phase("tokenize")
    wanted = params.get("maxLength")
    length = min(wanted if isinstance(wanted, int) and wanted > 0 else 1 << 30, int(config.get_text_config().max_position_embeddings))
    if method == "train-sft":
        samples = read_for_examination(found, job.input("rows"), FIELDS[method])
        validation = read_for_examination(found, job.inputs["validation"], FIELDS[method]) if "validation" in job.inputs else []
        rows = examine_sft(found, prompts, samples, validation, length, params.get("learn", "answers"))
        if rows and params.get("packing") is True:
            rows = list(pack(rows, length))
        longest = max((len(row["input_ids"]) for row in rows), default=length)
    else:
        pairs = read_for_examination(found, job.input("rows"), FIELDS[method])
        rows = examine_dpo(found, prompts, pairs, params.get("lossTypes", []), length)
        sizes = [len(row["prompt_ids"]) + max(len(row["chosen_ids"]), len(row["rejected_ids"])) for row in rows]
        longest = min(length, max(sizes, default=length))

    job.phase("estimate")
    if rows and not found.problems:
        figures = Figures()
        # DPO trains what SFT made: an adapter of its shape, or every weight.
        lora = params.get("lora", job.params["lora"])
        shape = shape_of(method, config, {**params, "lora": lora}, len(rows), longest, found.counts["totalTokens"], False)
        estimate = {
            "totalParameters": shape.total,
            "trainableParameters": shape.trainable,
            "steps": shape.steps,
            "tokens": shape.tokens,
            "longestRow": longest,
            "cpu": {"seconds": round(cpu_seconds(shape, figures), 1), "peakBytes": peak_bytes(shape, False, figures)},
            "devices": verdicts(shape, figures),
        }
    return _write(job, found, estimate)


# What TRL, transformers and other tools call it, or did once.
_RENAMED = {
    "max_seq_length": "maxLength",
    "max_length": "maxLength",
    "num_train_epochs": "epochs",
    "max_steps": "maxSteps",
    "per_device_train_batch_size": "batchSize",
    "micro_batch_size": "batchSize",
    "gradient_accumulation_steps": "gradientAccumulation",
    "learning_rate": "learningRate",
    "lr": "learningRate",
    "warmup_steps": "warmupSteps",
    "warmup_ratio": "warmupSteps",
    "save_steps": "saveEvery",
    "loss_type": "lossTypes",
    "lora_r": "lora.rank",
    "lora_alpha": "lora.alpha",
    "use_dora": "lora.dora",
    "use_rslora": "lora.rankStabilized",
    "completion_only_loss": "learn",
    "assistant_only_loss": "learn",
    "load_in_4bit": "tuning",
    "optim": "optimizer",
    "max_grad_norm": "maxGradNorm",
    "weight_decay": "weightDecay",
    "lr_scheduler_type": "schedule",
}


def _with_rename(complaint: str) -> str:
    name, colon, what = complaint.partition(": ")
    known = _RENAMED.get(name.removeprefix("params."))
    return f"{name}{colon}{what}, it is {known} here" if known and what == "unknown" else complaint


def _write(job: Job, found: Examination, estimate: dict[str, Any] | None) -> list[str]:
    report = {
        "job": job.params["job"],
        "problems": found.problems,
        "warnings": found.warnings,
        "counts": {name: value for name, value in found.counts.items() if name != "validationLoss"},
        "samples": found.samples,
        "estimate": estimate,
    }
    write_json(job.outputs["report"], report)
    return ["report"]

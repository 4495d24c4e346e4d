"""Repeats its input, slowly if asked: what tests of launching, following, cancelling and adopting run."""

import json
import sys

from twin_workers.artifacts import read_rows, write_rows
from twin_workers.attempt import Job
from twin_workers.checkpoints import Contract, newest_good, prune, seal, step_of
from twin_workers.faults import commit_fault
from twin_workers.protocol import JobStopped


def run(job: Job) -> list[str]:
    """Count `steps`, each with a checkpoint where asked to save or stop; then copy the rows."""
    job.phase("load")
    rows = read_rows(job.input("rows"), ())
    contract = {"params": json.dumps({**job.params, "fault": None}, sort_keys=True)}
    checkpoint, complaints = newest_good(job.checkpoints, contract)
    for complaint in complaints:
        job.warn("checkpoint-unusable", complaint)

    job.phase("train")
    steps = job.params["steps"]
    done = 0 if checkpoint is None else step_of(checkpoint)
    while done < steps:
        job.stopping.wait(job.params["secondsPerStep"])
        if job.cancelled.is_set():
            raise JobStopped("cancelled")
        if job.stopping.is_set():
            _save(job, done, contract)
            raise JobStopped("preempted")
        done += 1
        job.progress(done, steps, "steps")
        if done == job.params["faultStep"]:
            commit_fault(job, job.params["fault"])
        job.events.metric(done, {"echo": float(done)})
        if job.save_asked.is_set():
            job.save_asked.clear()
            _save(job, done, contract)

    if job.params["exitCode"] != 0:
        sys.exit(job.params["exitCode"])
    job.phase("save")
    write_rows(job.outputs["rows"], rows)
    return ["rows"]


def _save(job: Job, done: int, contract: Contract) -> None:
    folder = job.checkpoints / f"checkpoint-{done}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "state.json").write_text(json.dumps({"done": done}), encoding="utf-8")
    seal(folder, contract)
    prune(job.checkpoints)
    job.events.emit("checkpoint", {"step": done, "path": str(folder), "seconds": 0})

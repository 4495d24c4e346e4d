import json
import math
from types import SimpleNamespace

import pytest
from attempts import Attempt, run_here, wait_until, write_rows
from conftest import DPO, SFT, TINY, samples

from twin_workers import cadence, checkpoints, report, training
from twin_workers.health import Finding
from twin_workers.protocol import EXIT_CODES, JobFailure


def losses(attempt):
    return [(entry["step"], entry["loss"]) for entry in attempt.summary()["losses"]]


def after_step(step, command):
    """Asks for something as soon as a step is done."""

    def watch(job, kind, data):
        if kind == "progress" and data["done"] == step:
            job.obey(command)

    return watch


@pytest.fixture
def whole(request, base, sft, dpo):
    return {"pretrain-tiny": base, "train-sft": sft, "train-dpo": dpo}[request.param]


@pytest.mark.parametrize(
    ("whole", "params", "stop"),
    [("pretrain-tiny", TINY, 7), ("train-sft", SFT, 7), ("train-dpo", DPO, 3)],
    indirect=["whole"],
)
def test_a_run_that_was_stopped_goes_on_as_if_it_had_not_been(whole, params, stop, tmp_path):
    inputs = whole.request["inputs"]
    job = whole.request["job"]
    first = Attempt(tmp_path, job, params, inputs)
    assert run_here(first, after_step(stop, "stop")) == 20
    assert first.events("checkpoint")[-1]["data"]["step"] == stop
    second = Attempt(tmp_path, job, params, inputs, number=2)
    assert run_here(second) == 0
    assert second.events("progress")[0]["data"]["done"] == stop + 1
    assert losses(second) == losses(whole)
    folder = "model" if job == "pretrain-tiny" else "adapter"
    for path in whole.outputs[folder].iterdir():
        assert (second.outputs[folder] / path.name).read_bytes() == path.read_bytes()


def test_a_run_that_was_killed_goes_on_from_its_last_checkpoint(sft, sft_inputs, tmp_path):
    first = Attempt(tmp_path, "train-sft", SFT, sft_inputs)
    keeper = first.keep()
    # Killed in the middle of whatever comes after step 6; the checkpoint is of step 5.
    wait_until(lambda: any(event["data"]["done"] >= 6 for event in first.events("progress")), seconds=120)
    keeper.kill()
    keeper.wait()
    second = Attempt(tmp_path, "train-sft", SFT, sft_inputs, number=2)
    assert run_here(second) == 0
    assert second.events("warn")[-1]["data"]["message"].startswith("Went on from the checkpoint after step ")
    assert losses(second) == losses(sft)


def test_a_checkpoint_that_was_damaged_is_passed_over_and_named(sft, sft_inputs, tmp_path):
    first = Attempt(tmp_path, "train-sft", SFT, sft_inputs)
    assert run_here(first, after_step(8, "stop")) == 20
    with (tmp_path / "checkpoints" / "checkpoint-8" / "optimizer.pt").open("ab") as file:
        file.write(b"x")
    second = Attempt(tmp_path, "train-sft", SFT, sft_inputs, number=2)
    assert run_here(second) == 0
    messages = [event["data"]["message"] for event in second.events("warn")]
    assert messages[0] == "checkpoint-8: optimizer.pt is not what was written; it was deleted"
    assert messages[1] == "Went on from the checkpoint after step 5"
    assert losses(second) == losses(sft)


@pytest.mark.parametrize("method", ["sft", "sft of every weight", "dpo"])
@pytest.mark.parametrize("steps", [4, 6, 12], ids=lambda steps: f"{steps} steps")
def test_a_run_that_ended_between_its_last_step_and_its_result_trains_nothing_again(method, steps, sft_inputs, dpo_inputs, tmp_path):
    job, params, inputs = ("train-dpo", DPO, dpo_inputs) if method == "dpo" else ("train-sft", SFT, sft_inputs)
    params = {**params, "maxSteps": steps, "tuning": "full"} if "every weight" in method else {**params, "maxSteps": steps}
    whole = Attempt(tmp_path / "whole", job, params, inputs)
    assert run_here(whole) == 0
    first = Attempt(tmp_path, job, params, inputs)

    def stop_at_the_end(job, kind, data):
        if kind == "checkpoint" and data["step"] == steps:
            job.obey("stop")

    assert run_here(first, stop_at_the_end) == 20
    second = Attempt(tmp_path, job, params, inputs, number=2)
    assert run_here(second) == 0
    assert second.events("progress") == []
    assert losses(second) == losses(whole)
    for path in whole.outputs["adapter"].glob("*.safetensors"):
        assert (second.outputs["adapter"] / path.name).read_bytes() == path.read_bytes()


def test_cancel_ends_at_the_next_step_without_a_result(sft_inputs, tmp_path):
    attempt = Attempt(tmp_path, "train-sft", SFT, sft_inputs)
    assert run_here(attempt, after_step(3, "cancel")) == 21
    assert attempt.events("progress")[-1]["data"]["done"] <= 4
    assert attempt.events("result") == []


def test_save_now_makes_a_checkpoint_and_goes_on(sft, sft_inputs, tmp_path):
    attempt = Attempt(tmp_path, "train-sft", SFT, sft_inputs)
    assert run_here(attempt, after_step(2, "save-now")) == 0
    assert [event["data"]["step"] for event in attempt.events("checkpoint")] == [2, 5, 10, 12]
    assert sorted(path.name for path in (tmp_path / "checkpoints").glob("checkpoint-*")) == ["checkpoint-10", "checkpoint-12"]
    assert losses(attempt) == losses(sft)


@pytest.mark.parametrize("part", ["data", "params", "packages", "code"])
def test_a_checkpoint_of_other_work_is_refused_and_kept(part, sft_inputs, tmp_path, monkeypatch):
    assert run_here(Attempt(tmp_path, "train-sft", SFT, sft_inputs), after_step(6, "stop")) == 20
    params, inputs = dict(SFT), dict(sft_inputs)
    if part == "params":
        params["learningRate"] = 0.02
    if part == "data":
        inputs["train"] = write_rows(tmp_path / "other.jsonl", samples(20))
    if part == "packages":
        monkeypatch.setattr(training, "libraries", lambda: {"torch": "0.1"})
    if part == "code":
        monkeypatch.setattr(training, "_LEARNING", ("protocol.py",))
    second = Attempt(tmp_path, "train-sft", params, inputs, number=2)
    assert run_here(second) == 10
    assert second.error()["message"] == f"Cannot go on: checkpoint-6 was made with other {part}"
    assert "--force <step>" in second.error()["hint"]
    assert (tmp_path / "checkpoints" / "checkpoint-6" / "optimizer.pt").exists()


def test_a_changed_attempt_sets_checkpoints_aside_that_it_cannot_use(sft_inputs, tmp_path):
    assert run_here(Attempt(tmp_path, "train-sft", SFT, sft_inputs), after_step(6, "stop")) == 20
    second = Attempt(tmp_path, "train-sft", {**SFT, "weightDecay": 0.1}, sft_inputs, 2, {"adaptations": ["weightDecay 0 to 0.1"]})
    assert run_here(second) == 0
    assert second.summary()["adaptations"] == ["weightDecay 0 to 0.1"]
    assert second.events("warn")[0]["data"] == {"reason": "adapted", "message": "weightDecay 0 to 0.1"}
    assert (tmp_path / "checkpoints" / "set-aside-checkpoint-6").is_dir()


def test_the_best_checkpoint_is_kept_beside_the_last_two(tmp_path):
    for step, score in ((1, 5.0), (2, 1.0), (3, 2.0), (4, 3.0), (5, None)):
        folder = tmp_path / f"checkpoint-{step}"
        folder.mkdir()
        checkpoints.seal(folder, {"data": "a"}, score)
        checkpoints.prune(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint-2", "checkpoint-4", "checkpoint-5"]


def test_saving_costs_a_twentieth_of_the_time_at_most(monkeypatch):
    clock = SimpleNamespace(now=0.0, monotonic=lambda: clock.now)
    monkeypatch.setattr(cadence, "time", clock)
    saving = cadence.Cadence(None)
    saves = []
    for _ in range(3600):
        clock.now += 1
        if saving.due(0):
            clock.now += 10
            saving.saved(10)
            saves.append(clock.now)
    assert saves[0] <= 30, "the first one tells how long a save takes"
    assert 10 * len(saves) / clock.now <= 0.06 and len(saves) > 10


def test_a_roll_back_goes_on_from_the_best_checkpoint_at_half_the_rate(sft_inputs, tmp_path, monkeypatch):
    seen = []

    def look(self, step, values, steps):
        seen.append((step, values["learning_rate"]))
        sick = step == 8 and len(seen) == 8
        return [Finding("lossSpike", "roll-back", "loss jumped", "lower it")] if sick else []

    monkeypatch.setattr(report.Health, "look", look)
    attempt = Attempt(tmp_path, "train-sft", {**SFT, "schedule": "constant", "warmupSteps": 0}, sft_inputs)
    assert run_here(attempt) == 0
    assert [step for step, _ in seen] == [*range(1, 9), *range(6, 13)]
    assert seen[-1][1] == pytest.approx(seen[0][1] / 2)
    assert attempt.summary()["adaptations"] == ["rolled back to step 5, with 0.5 of the learning rate: loss jumped"]


def test_a_pause_saves_and_leaves_it_to_a_person(sft_inputs, tmp_path, monkeypatch):
    found = Finding("chosenRewardFalls", "pause", "it gets worse", "raise beta")
    monkeypatch.setattr(report.Health, "look", lambda self, step, *_: [found] if step == 7 else [])
    attempt = Attempt(tmp_path, "train-sft", SFT, sft_inputs)
    assert run_here(attempt) == 31
    assert attempt.error()["hint"] == "raise beta"
    assert attempt.events("checkpoint")[-1]["data"]["step"] == 7


def test_a_smaller_batch_that_accumulates_more_goes_on(sft_inputs, tmp_path):
    assert run_here(Attempt(tmp_path, "train-sft", SFT, sft_inputs), after_step(6, "stop")) == 20
    second = Attempt(tmp_path, "train-sft", {**SFT, "batchSize": 2, "gradientAccumulation": 2}, sft_inputs, number=2)
    assert run_here(second) == 0
    assert second.events("progress")[0]["data"]["done"] == 7


def test_a_loss_that_is_no_number_is_a_divergence(sft_inputs, tmp_path):
    attempt = Attempt(tmp_path, "train-sft", {**SFT, "learningRate": 1e38}, sft_inputs)
    assert run_here(attempt) == 31
    assert "became nan at step" in attempt.error()["message"]
    assert "NaN" in json.dumps([event["data"]["points"] for event in attempt.events("metric")])


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"), 30),
        (MemoryError(), 30),
        (OSError(28, "No space left on device"), 32),
        (RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 640 vs 634"), 32),
        (ValueError("surprise"), 70),
        (JobFailure("transient", "later"), 32),
    ],
)
def test_every_failure_has_its_class(sft_inputs, tmp_path, monkeypatch, error, code):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(report.Report, "on_log", fail)
    attempt = Attempt(tmp_path, "train-sft", SFT, sft_inputs)
    assert run_here(attempt) == code
    assert EXIT_CODES[attempt.error()["reason"]] == code


def test_a_full_disk_leaves_nothing_half_written(sft_inputs, tmp_path, monkeypatch):
    def fail(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(report, "seal", fail)
    attempt = Attempt(tmp_path, "train-sft", SFT, sft_inputs)
    assert run_here(attempt) == 32
    assert attempt.error()["message"] == "The disk is full: [Errno 28] No space left on device"
    assert attempt.error()["hint"] == "make room, then run again: the job goes on from its last checkpoint"
    assert list((tmp_path / "checkpoints").glob("checkpoint-*")) == []


def test_the_last_loss_is_finite(base, sft, dpo):
    assert all(math.isfinite(attempt.summary()["finalLoss"]) for attempt in (base, sft, dpo))

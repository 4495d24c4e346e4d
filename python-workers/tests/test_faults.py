"""Every fault to its verdict: what a worker may do to itself, and what its keeper makes of it."""

import os

import pytest
from attempts import Attempt, is_running, wait_until, write_rows

from twin_workers.protocol import EXIT_CODES

QUICK = {"heartbeatSeconds": 60, "phaseSeconds": {}, "stepFactor": 10, "stepMinimumSeconds": 0.4, "graceSeconds": 0.3}


@pytest.fixture
def faulty(tmp_path):
    """An echo that commits a fault at its sixth step."""
    rows = write_rows(tmp_path / "rows.jsonl", [{"id": "a"}])

    def make(fault, changes=(), **params):
        params = {"steps": 10, "secondsPerStep": 0.01, "fault": fault, "faultStep": 6, **params}
        return Attempt(tmp_path, "echo", params, {"rows": rows}, 1, changes)

    return make


def end(attempt):
    assert attempt.keep().wait() == 0
    return attempt.record("exit")


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("out-of-memory", EXIT_CODES["out-of-memory"]),
        ("device-fault", EXIT_CODES["device-fault"]),
        ("divergence", EXIT_CODES["divergence"]),
    ],
)
def test_a_fault_that_the_worker_survives_has_its_class_and_says_why(faulty, fault, code):
    attempt = faulty(fault)
    assert end(attempt)["code"] == code
    assert EXIT_CODES[attempt.error()["reason"]] == code


@pytest.mark.parametrize(("fault", "signal"), [("segmentation-fault", "SIGSEGV"), ("kill", "SIGKILL")])
def test_a_worker_that_dies_of_a_signal_leaves_its_name(faulty, fault, signal):
    exit_record = end(faulty(fault))
    assert (exit_record["code"], exit_record["signal"], exit_record["verdict"]) == (None, signal, None)


def test_a_worker_that_gets_no_further_prints_its_stacks_and_is_ended(faulty):
    attempt = faulty("hang", {"deadlines": QUICK})
    exit_record = end(attempt)
    assert exit_record["code"] == EXIT_CODES["hang"]
    assert exit_record["verdict"].startswith("hang: no progress for ")
    assert "in phase train" in exit_record["verdict"] and "though the process is alive" in exit_record["verdict"]
    assert "in commit_fault" in attempt.log(), "the stack names the place"
    assert "The worker did not stop in 0.3 s: killing it." in attempt.log()


def test_a_worker_whose_python_stands_still_is_told_by_its_heartbeat_and_prints_its_stacks_too(faulty):
    attempt = faulty("hang-with-gil", {"deadlines": {**QUICK, "heartbeatSeconds": 2.8, "stepMinimumSeconds": 60}})
    exit_record = end(attempt)
    assert exit_record["code"] == EXIT_CODES["hang"]
    assert "no heartbeat for " in exit_record["verdict"] and "Python itself stands still" in exit_record["verdict"]
    assert "in commit_fault" in attempt.log()


def test_processes_that_a_worker_left_behind_are_ended_wherever_they_went(faulty):
    attempt = faulty("leave-processes")
    assert end(attempt)["code"] == 0
    pids = [int(pid) for pid in attempt.events("warn")[0]["data"]["message"].split()]
    assert len(pids) == 2 and not any(map(is_running, pids))
    assert "Ended 2 processes that the worker had left behind" in attempt.log()


def test_they_are_ended_when_the_keeper_is_killed_too(faulty):
    attempt = faulty("leave-processes", steps=10_000)
    keeper = attempt.keep()
    wait_until(lambda: len(attempt.events("progress")) > 8)
    pids = [int(pid) for pid in attempt.events("warn")[0]["data"]["message"].split()]
    assert all(map(is_running, pids))
    keeper.kill()
    keeper.wait()
    wait_until(lambda: not any(map(is_running, pids)), seconds=5)
    wait_until(lambda: not is_running(attempt.record("keeper")["worker"]), seconds=5)


def test_a_worker_that_prints_without_end_fills_no_disk_and_is_not_slowed_to_a_halt(faulty):
    attempt = faulty("print", faultBytes=100 << 20)
    assert end(attempt)["code"] == 0
    logs = [attempt.folder / name for name in ("output.log", "output.log.1")]
    assert sum(log.stat().st_size for log in logs) <= 17 << 20
    assert "bytes of earlier output were dropped" in attempt.log()


def test_secrets_reach_neither_log_nor_events(faulty, monkeypatch):
    secret = 'hunter2"\\'
    attempt = faulty("print-secret")
    monkeypatch.setitem(__import__("attempts").ENVIRONMENT, "TWIN_MASKED", "THE_TOKEN,MISSING")
    monkeypatch.setitem(__import__("attempts").ENVIRONMENT, "THE_TOKEN", secret)
    assert end(attempt)["code"] == 0
    assert "THE_TOKEN is ***" in attempt.log()
    assert attempt.events("warn")[0]["data"]["message"] == "THE_TOKEN is ***"
    for path in attempt.folder.rglob("*"):
        assert not path.is_file() or b"hunter2" not in path.read_bytes()


def test_the_verdict_tells_what_the_worker_took(faulty):
    usage = end(faulty("none"))["usage"]
    assert 0 < usage["seconds"] < 60 and usage["cpuSeconds"] > 0 and usage["peakResidentBytes"] > 1 << 20


def test_the_environment_of_the_worker_names_its_attempt(faulty):
    attempt = faulty("none", steps=10_000)
    keeper = attempt.keep()
    wait_until(lambda: attempt.events("progress"))
    assert os.getsid(attempt.record("keeper")["worker"]) == keeper.pid
    attempt.command("cancel")
    keeper.wait()

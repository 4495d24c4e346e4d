import json
import os
import signal

import pytest
from attempts import Attempt, is_running, wait_until, write_rows


@pytest.fixture
def slow(tmp_path):
    """An echo that would take minutes."""
    rows = write_rows(tmp_path / "rows.jsonl", [{"id": "a"}])
    return lambda number=1, **changes: Attempt(tmp_path, "echo", {"steps": 10000, "secondsPerStep": 0.05}, {"rows": rows}, number, changes)


def started(attempt):
    keeper = attempt.keep()
    wait_until(lambda: attempt.events("progress"))
    return keeper, attempt.record("keeper")["worker"]


def test_an_attempt_ends_with_its_exit_code_on_disk(tmp_path):
    rows = write_rows(tmp_path / "rows.jsonl", [{"id": "a"}])
    attempt = Attempt(tmp_path, "echo", {"exitCode": 31}, {"rows": rows})
    assert attempt.keep().wait() == 0
    exit_record = attempt.record("exit")
    assert (exit_record["code"], exit_record["signal"]) == (31, None)
    left = sorted(path.name for path in attempt.folder.iterdir())
    assert left == ["events.jsonl", "exit.json", "keeper.json", "output.log", "request.json"]


def test_the_keeper_names_itself_beyond_its_pid(slow):
    attempt = slow()
    keeper, worker = started(attempt)
    record = attempt.record("keeper")
    assert record["pid"] == keeper.pid
    with open(f"/proc/{keeper.pid}/stat") as stat:
        assert record["start"] == stat.read().rpartition(")")[2].split()[19]
    assert os.getsid(worker) == keeper.pid
    assert os.getpgid(worker) == worker
    assert os.readlink(f"/proc/{worker}/fd/0") == "/dev/null"
    assert os.readlink(f"/proc/{worker}/fd/1").startswith("pipe:"), "the keeper masks and caps what it prints"
    attempt.command("cancel")
    keeper.wait()


def test_a_worker_dies_with_its_keeper_and_the_attempt_has_no_verdict(slow):
    attempt = slow()
    keeper, worker = started(attempt)
    keeper.kill()
    keeper.wait()
    wait_until(lambda: not is_running(worker), seconds=2)
    assert not (attempt.folder / "exit.json").exists()


def test_a_second_keeper_leaves_the_attempt_to_the_first(slow):
    attempt = slow()
    keeper, worker = started(attempt)
    before = attempt.record("keeper")
    assert attempt.keep().wait() == 0
    assert "Another keeper holds this attempt." in attempt.log()
    assert attempt.record("keeper") == before
    assert is_running(worker)
    attempt.command("cancel")
    keeper.wait()
    assert attempt.record("exit")["code"] == 21


def test_sigterm_to_the_keeper_saves_and_the_next_attempt_goes_on(slow):
    attempt = slow()
    keeper, _ = started(attempt)
    keeper.send_signal(signal.SIGTERM)
    assert keeper.wait() == 0
    assert attempt.record("exit")["code"] == 20
    done = attempt.events("progress")[-1]["data"]["done"]
    assert attempt.events("checkpoint")[-1]["data"]["step"] == done
    second = slow(2)
    keeper, _ = started(second)
    assert second.events("progress")[0]["data"]["done"] == done + 1
    second.command("stop")
    keeper.wait()
    assert second.record("exit")["code"] == 20


def test_a_lease_that_nobody_renews_stops_the_worker_at_a_checkpoint(slow):
    attempt = slow(leaseSeconds=3)
    keeper, _ = started(attempt)
    keeper.wait()
    assert attempt.record("exit")["code"] == 20
    assert "No twin renewed the lease for 3 s" in attempt.log()


def test_a_lease_that_is_renewed_keeps_the_worker_running(slow):
    attempt = slow(leaseSeconds=1)
    keeper, worker = started(attempt)
    lease = attempt.folder / "lease.json"
    steps = len(attempt.events("progress"))
    # 40 steps of 50 ms are twice the lease.
    wait_until(lambda: (lease.write_text(json.dumps({})), len(attempt.events("progress")) > steps + 40)[1])
    assert is_running(worker)
    attempt.command("cancel")
    keeper.wait()
    assert attempt.record("exit")["code"] == 21


def test_a_worker_that_is_killed_leaves_its_signal(slow):
    attempt = slow()
    keeper, worker = started(attempt)
    os.kill(worker, signal.SIGKILL)
    keeper.wait()
    exit_record = attempt.record("exit")
    assert (exit_record["code"], exit_record["signal"]) == (None, "SIGKILL")


def test_save_now_makes_a_checkpoint_and_goes_on(slow):
    attempt = slow()
    keeper, worker = started(attempt)
    attempt.command("save-now")
    wait_until(lambda: attempt.events("checkpoint"))
    steps = len(attempt.events("progress"))
    wait_until(lambda: len(attempt.events("progress")) > steps)
    assert is_running(worker)
    attempt.command("cancel")
    keeper.wait()


def test_heartbeats_tell_the_memory_in_use(slow):
    attempt = slow()
    keeper, _ = started(attempt)
    wait_until(lambda: len(attempt.events("heartbeat")) > 1)
    assert attempt.events("heartbeat")[0]["data"]["residentBytes"] > 1_000_000
    attempt.command("cancel")
    keeper.wait()

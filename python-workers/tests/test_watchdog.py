import json

import pytest

from twin_workers import watchdog
from twin_workers.watchdog import Watchdog


class Clock:
    """A machine whose time passes when told to."""

    def __init__(self):
        self.now = 0.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(watchdog, "time", clock)
    return clock


@pytest.fixture
def events(tmp_path, clock):
    path = tmp_path / "events.jsonl"
    path.touch()

    def write(kind, **data):
        with path.open("a") as file:
            file.write(json.dumps({"t": clock.now, "type": kind, "data": data}, separators=(",", ":")) + "\n")

    write.path = path
    return write


def pass_time(clock, dog, seconds, beat=None):
    """The complaints of the time that passed, looked for each second."""
    complaints = []
    for _ in range(int(seconds)):
        clock.now += 1
        if beat:
            beat("heartbeat", residentBytes=1)
        complaints.append(dog.look())
    return [complaint for complaint in complaints if complaint]


def test_a_heartbeat_is_no_progress(clock, events):
    dog = Watchdog(events.path, None)
    events("phase", name="load")
    assert pass_time(clock, dog, 890, events) == []
    assert "no progress for 901 s in phase load (deadline 900 s)" in pass_time(clock, dog, 20, events)[0]


def test_progress_is_told_from_silence(clock, events):
    dog = Watchdog(events.path, None)
    assert pass_time(clock, dog, 60) == []
    assert "no heartbeat for 61 s" in pass_time(clock, dog, 2)[0]


def test_once_steps_are_known_their_median_sets_the_deadline(clock, events):
    dog = Watchdog(events.path, {"stepMinimumSeconds": 10})
    events("phase", name="train")
    for step in range(1, 8):
        clock.now += 6
        events("progress", done=step, total=100, unit="steps")
        dog.look()
    assert pass_time(clock, dog, 58, events) == []
    assert "(deadline 60 s, steps took 6 s)" in pass_time(clock, dog, 5, events)[0]


def test_a_checkpoint_has_its_own_deadline_and_leaves_what_is_known_of_steps(clock, events):
    dog = Watchdog(events.path, {"stepMinimumSeconds": 10})
    events("phase", name="train")
    for step in range(1, 8):
        clock.now += 1
        events("progress", done=step, total=100, unit="steps")
        dog.look()
    events("phase", name="checkpoint")
    assert pass_time(clock, dog, 600, events) == []
    events("phase", name="train")
    assert "(deadline 10 s, steps took 1 s)" in pass_time(clock, dog, 15, events)[0]


def test_time_in_which_the_keeper_did_not_run_does_not_count(clock, events):
    dog = Watchdog(events.path, None)
    clock.now += 100_000
    assert dog.look() is None


def test_a_half_written_line_waits(clock, events):
    dog = Watchdog(events.path, None)
    with events.path.open("a") as file:
        file.write('{"type":"ph')
    assert dog.look() is None
    with events.path.open("a") as file:
        file.write('ase","data":{"name":"score"}}\n')
    dog.look()
    assert dog.phase == "score"

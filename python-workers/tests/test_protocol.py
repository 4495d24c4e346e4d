import json
import threading

import pytest
from attempts import Attempt, write_rows

from twin_workers.artifacts import canonical_json
from twin_workers.checkpoints import ContractChanged, newest_good, prune, seal
from twin_workers.protocol import CommandReader, EventWriter, JobFailure, read_request, well_formed


@pytest.fixture
def rows(tmp_path):
    return write_rows(tmp_path / "rows.jsonl", [{"id": "a"}, {"id": "b"}])


def test_an_echo_says_hello_works_and_names_its_outputs(tmp_path, rows):
    attempt = Attempt(tmp_path, "echo", {}, {"rows": rows})
    assert attempt.run() == 0
    kinds = [event["type"] for event in attempt.events()]
    assert kinds[0] == "hello"
    assert kinds[-1] == "result"
    assert [event["data"]["done"] for event in attempt.events("progress")] == [1, 2, 3]
    assert attempt.rows("rows") == [{"id": "a"}, {"id": "b"}]


def test_all_that_is_wrong_with_a_request_is_named_at_once(tmp_path, rows):
    attempt = Attempt(tmp_path, "echo", {"steps": 0, "stepz": 1}, {"row": rows})
    with pytest.raises(JobFailure) as caught:
        read_request(attempt.folder)
    assert caught.value.message == (
        "The request is not what the protocol asks for: params.steps: expected above 0, found 0; params.stepz: unknown; "
        "inputs.row: unknown, echo reads rows"
    )
    assert attempt.run() == 10


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"v": 2}, "request.v: expected 1, found 2"),
        ({"job": "ecco"}, "request.job: expected one of distill-model, echo, "),
        ({"leaseSeconds": "soon"}, 'request.leaseSeconds: expected number, found "soon"'),
        ({"inputs": {"rows": 3}}, "request.inputs.rows: expected string, found 3"),
    ],
)
def test_a_request_that_breaks_the_contract_is_refused(tmp_path, rows, changes, message):
    attempt = Attempt(tmp_path, "echo", {}, {"rows": rows}, changes=changes)
    with pytest.raises(JobFailure, match="The request is not what the protocol asks for") as caught:
        read_request(attempt.folder)
    assert message in caught.value.message


def test_a_request_that_is_not_there_is_a_configuration_failure(tmp_path):
    attempt = Attempt(tmp_path, "echo", {}, {})
    (attempt.folder / "request.json").unlink()
    assert attempt.run() == 10


def test_an_input_that_is_missing_is_named(tmp_path):
    attempt = Attempt(tmp_path, "echo", {}, {"rows": tmp_path / "nowhere"})
    assert attempt.run() == 11
    assert attempt.error()["message"] == "The input `rows` is not there"
    assert attempt.error()["where"] == str(tmp_path / "nowhere")


def test_a_broken_line_is_named_by_file_and_number(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"id":"a"}\n{"id":\n')
    attempt = Attempt(tmp_path, "echo", {}, {"rows": path})
    assert attempt.run() == 11
    assert attempt.error()["message"].startswith("Line 2 of rows.jsonl is not JSON: ")
    assert attempt.error()["where"] == f"{path}:2"


def test_a_job_ends_with_the_exit_code_it_asks_for(tmp_path, rows):
    assert Attempt(tmp_path, "echo", {"exitCode": 32}, {"rows": rows}).run() == 32


def test_values_that_are_not_finite_travel_as_words(tmp_path):
    writer = EventWriter(tmp_path / "events.jsonl", "job", 1)
    writer.metric(1, {"loss": float("nan"), "norm": float("-inf"), "rate": float("inf"), "step": 1.5})
    writer.emit("phase", {"name": "train"})
    points = json.loads((tmp_path / "events.jsonl").read_text().splitlines()[0])["data"]["points"]
    assert points == {"loss": [[1, "NaN"]], "norm": [[1, "-Infinity"]], "rate": [[1, "Infinity"]], "step": [[1, 1.5]]}


def test_metrics_that_come_fast_are_written_together_and_before_what_follows(tmp_path):
    writer = EventWriter(tmp_path / "events.jsonl", "job", 1)
    for step in range(1000):
        writer.metric(step, {"loss": 1.0})
    writer.emit("phase", {"name": "save"})
    events = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    assert len(events) < 50
    assert events[-1]["type"] == "phase"
    assert [point[0] for event in events[:-1] for point in event["data"]["points"]["loss"]] == list(range(1000))


def test_events_of_several_threads_keep_their_order_and_their_lines(tmp_path):
    writer = EventWriter(tmp_path / "events.jsonl", "job", 1)
    message = {"reason": "test", "message": "\u2028 é \r\n" * 500}
    threads = [threading.Thread(target=lambda: [writer.emit("warn", message) for _ in range(50)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    raw = (tmp_path / "events.jsonl").read_bytes()
    assert raw.isascii()
    assert b"\r" not in raw
    assert [json.loads(line)["seq"] for line in raw.splitlines()] == list(range(1, 201))


def test_a_command_that_is_half_written_waits_for_its_end(tmp_path):
    path = tmp_path / "commands.jsonl"
    reader = CommandReader(path)
    assert reader.read() == []
    path.write_text('{"seq":1,"command":"save-now"}\n{"seq":2,"comm')
    assert reader.read() == ["save-now"]
    with path.open("a") as file:
        file.write('and":"stop"}\nnonsense\n{"seq":3,"command":"dance"}\n')
    assert reader.read() == ["stop"]
    assert reader.read() == []


def test_lone_surrogates_are_replaced_and_pairs_are_kept():
    assert well_formed("a\ud800b") == "a\ufffdb"
    assert well_formed("😀") == "😀"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b": 1.0, "a": [True, None, "é\n\u007f\u0001"]}, '{"a":[true,null,"é\\n\x7f\\u0001"],"b":1}'),
        (1e-7, "1e-7"),
        (1.5e-5, "0.000015"),
        (1e21, "1e+21"),
        (123456789012345680000.0, "123456789012345680000"),
        (-0.0, "0"),
        (0.1, "0.1"),
    ],
)
def test_json_is_written_as_ecmascript_would(value, text):
    assert canonical_json(value) == text


def checkpoint(root, step, contract=None):
    folder = root / f"checkpoint-{step}"
    folder.mkdir(parents=True)
    (folder / "weights").write_text(f"weights of {step}")
    seal(folder, contract or {"data": "same"})
    return folder


def test_only_a_checkpoint_that_verifies_is_resumed_from(tmp_path):
    good = checkpoint(tmp_path, 9)
    (checkpoint(tmp_path, 10) / "weights").write_text("weights of 1x")
    (checkpoint(tmp_path, 11) / "twin-manifest.json").unlink()
    assert newest_good(tmp_path, {"data": "same"}) == (
        good,
        [
            "checkpoint-11: it was not finished",
            "checkpoint-10: weights is not what was written",
        ],
    )
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint-9"]


def test_a_sound_checkpoint_of_other_work_is_refused_and_stays(tmp_path):
    checkpoint(tmp_path, 12, contract={"data": "other", "code": "same"})
    with pytest.raises(ContractChanged, match="checkpoint-12 was made with other data"):
        newest_good(tmp_path, {"data": "same", "code": "same"})
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint-12"]


def test_the_last_two_checkpoints_are_kept(tmp_path):
    for step in (8, 9, 10):
        checkpoint(tmp_path, step)
    prune(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint-10", "checkpoint-9"]

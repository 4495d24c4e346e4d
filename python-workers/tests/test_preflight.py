import json

import pytest
from attempts import Attempt, defaults, run_here, write_rows
from conftest import LORA, SFT, pairs, samples

from twin_workers.estimate import GIB, Figures, Shape, cpu_seconds, layer_passes, operations, peak_bytes, verdicts
from twin_workers.schemas import problems, schemas


def preflight(tmp_path, base, rows, job="train-sft", validation=None, changes=(), **params):
    """What a preflight reports."""
    inputs = {"base": base.outputs["model"], "rows": write_rows(tmp_path / "rows.jsonl", rows)}
    if validation is not None:
        inputs["validation"] = write_rows(tmp_path / "validation.jsonl", validation)
    asked = {**defaults(schemas()["jobs"][job]["params"]), **params}
    attempt = Attempt(tmp_path / "preflight", "preflight", {"job": job, "params": asked, "lora": LORA}, inputs, changes=changes)
    assert run_here(attempt) == 0
    return json.loads(attempt.outputs["report"].read_text())


def reasons(findings):
    return [finding["reason"] for finding in findings]


def test_a_sound_job_has_no_problem_and_an_estimate(tmp_path, base):
    report = preflight(tmp_path, base, samples(24), validation=samples(32)[24:], **{**SFT, "batchSize": 4})
    assert report["problems"] == []
    assert report["counts"]["endLearned"] == 1 and 0 < report["counts"]["trainedShare"] < 1
    estimate = report["estimate"]
    assert estimate["totalParameters"] - estimate["trainableParameters"] == base.summary()["totalParameters"]
    assert estimate["steps"] == SFT["maxSteps"]
    assert {line["verdict"] for line in estimate["devices"]} == {"fits"}


def test_the_mask_shows_what_is_learned(tmp_path, base):
    pieces = preflight(tmp_path, base, samples(24))["samples"][0]["pieces"]
    assert [(piece["learned"], piece["end"]) for piece in pieces] == [(False, False), (True, True)]
    assert pieces[0]["text"].startswith("### Instruction:\nWhat is the cursor")
    assert pieces[1]["text"] == "The cursor of document 0 is kept in order."


def test_every_mistake_is_told_at_once(tmp_path, base):
    rows = [*samples(6), {"id": "x", "instruction": "a", "output": "b"}, {"id": "y", "instruction": 3, "answer": "b"}]
    report = preflight(tmp_path, base, rows, validation=samples(2), batchSize=0, max_seq_length=9)
    assert reasons(report["problems"]) == ["bad-params", "bad-params", "bad-rows", "bad-rows", "leakage"]
    assert report["problems"][1]["message"] == "params.max_seq_length: unknown, it is maxLength here"


def test_columns_of_other_names_are_recognised(tmp_path, base):
    rows = [{"id": "x", "instruction": "a", "output": "b"}, {"id": "y", "instruction": 3, "answer": "b"}, *samples(4)]
    messages = [problem["message"] for problem in preflight(tmp_path, base, rows)["problems"]]
    assert messages == [
        "rows.jsonl: line 1 lacks `answer`; did you mean its column `output`? (1 such lines)",
        "rows.jsonl: line 2 has no text in `instruction` but int (1 such lines)",
    ]


def test_leaks_and_repeats_are_found(tmp_path, base):
    report = preflight(tmp_path, base, [*samples(10), samples(1)[0]], validation=samples(3))
    assert reasons(report["problems"]) == ["leakage"]
    assert report["problems"][0]["message"] == "3 of 3 validation rows are trained on too: their loss says nothing"
    assert "duplicates" in reasons(report["warnings"])


def test_a_question_that_is_asked_of_two_documents_is_no_leak(tmp_path, base):
    validation = [{**samples(1)[0], "id": "other", "answer": "Something else."}]
    report = preflight(tmp_path, base, samples(10), validation=validation)
    assert report["problems"] == []
    assert "same-question" in reasons(report["warnings"])


def test_an_end_that_is_never_learned_forbids_the_run(tmp_path, base):
    report = preflight(tmp_path, base, samples(8), maxLength=40)
    assert "end-never-learned" in reasons(report["problems"]) or "nothing-to-learn" in reasons(report["problems"])


def test_another_template_than_that_of_the_model_is_named_with_its_place(tmp_path, base):
    import hashlib

    text = "### Instruction:\n{instruction}\n\n### Answer:\n"
    template = {"text": text, "digest": hashlib.sha256(text.encode()).hexdigest()}
    report = preflight(tmp_path, base, samples(8), changes={"promptTemplate": template})
    assert reasons(report["problems"]) == ["template-differs"]
    assert "from character 36 on" in report["problems"][0]["message"]


def test_pairs_that_teach_nothing_are_counted(tmp_path, base):
    rows = pairs(8)
    rows[0]["rejected"] = rows[0]["chosen"]
    rows.append({**rows[1], "chosen": rows[1]["rejected"], "rejected": rows[1]["chosen"]})
    report = preflight(tmp_path, base, rows, "train-dpo")
    assert {"chosen-equals-rejected", "contradicting-pairs", "rows-dropped"} <= set(reasons(report["warnings"]))
    assert [sample["kind"] for sample in report["samples"]][:2] == ["chosen", "rejected"]
    report = preflight(tmp_path / "2", base, pairs(8), "train-dpo", lossTypes=["sigmiod"])
    assert report["problems"][0]["message"] == "There is no DPO loss `sigmiod`; did you mean `sigmoid`?"


SHAPE = Shape("train-sft", 8_070_000_000, 40_000_000, 32, 4096, 14336, 128_256, 2, 8, 2048, True, False, 100, 3_000_000)

SIZES = ((1_000_000, 4), (100_000, 2), (10_000_000, 8))


def test_a_model_that_is_too_large_as_asked_fits_with_changes_or_not_at_all(tmp_path):
    figures = Figures(tmp_path / "none")
    found = {line["device"]: line for line in verdicts(SHAPE, figures)}
    assert found["T4"]["verdict"] == "does not fit"
    assert found["H100 80GB"]["verdict"] == "fits"
    larger = Shape(**{**SHAPE.__dict__, "batch": 32, "accumulation": 1})
    changed = {line["device"]: line for line in verdicts(larger, figures)}["L40S"]
    assert changed["verdict"] == "fits with changes"
    batch, accumulation = (int(words.split()[1]) for words in changed["changes"][0].split(", "))
    assert batch * accumulation == 32


def test_finished_jobs_correct_the_estimate(tmp_path):
    path = tmp_path / "figures.jsonl"
    before = peak_bytes(SHAPE, True, Figures(path))
    for _ in range(3):
        figures = Figures(path)
        figures.learn(SHAPE, "H100", int(before * 0.9), 1 * GIB, 60.0)
    after = peak_bytes(SHAPE, True, Figures(path))
    assert abs(after - before * 0.9) < 0.01 * before


def test_finished_jobs_tell_what_a_pass_costs_whatever_its_size(tmp_path):
    path = tmp_path / "figures.jsonl"
    shapes = [Shape("train-sft", total, 1000, layers, 64, 256, 512, 4, 1, 128, False, False, 40, 20_000) for total, layers in SIZES]
    for shape in shapes[1:]:
        Figures(path).learn(shape, "cpu", 1 * GIB, 1 * GIB // 2, operations(shape) * 1e-10 + layer_passes(shape) * 1e-3)
    expected = operations(shapes[0]) * 1e-10 + layer_passes(shapes[0]) * 1e-3
    assert cpu_seconds(shapes[0], Figures(path)) == pytest.approx(expected)


def test_finished_jobs_of_one_shape_tell_their_rate_alone(tmp_path):
    path = tmp_path / "figures.jsonl"
    for _ in range(3):
        Figures(path).learn(SHAPE, "cpu", 64 * GIB, 1 * GIB, 90.0)
    assert cpu_seconds(SHAPE, Figures(path)) == pytest.approx(90)


def test_the_report_is_what_the_contract_says(tmp_path, base):
    assert problems(preflight(tmp_path, base, samples(4)), {"type": "object"}, "report") == []


@pytest.mark.parametrize("job", ["sft", "dpo"])
def test_a_canary_changes_nothing_of_the_run(job, request):
    attempt = request.getfixturevalue(job)
    phases = [event["data"]["name"] for event in attempt.events("phase")]
    assert "canary" in phases and phases.index("canary") < phases.index("train")
    estimate = attempt.events("estimate")[0]["data"]
    assert estimate["secondsPerStep"] > 0 and estimate["peakBytes"] > 1 << 20

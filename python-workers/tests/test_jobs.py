import json
import math
import shutil

import pytest
from attempts import TEMPLATE, Attempt, run_here, write_rows
from conftest import DPO, SFT, TINY, samples

from twin_workers.model_folder import load_model, load_tokenizer
from twin_workers.prompts import Prompts
from twin_workers.tokenizing import LOSS_TYPES


def files(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def prompts_of(folder):
    return Prompts(load_tokenizer(folder), TEMPLATE)


def kinds(attempt):
    """The phases in their order; a checkpoint interrupts one."""
    names = [event["data"]["name"] for event in attempt.events("phase") if event["data"]["name"] != "checkpoint"]
    return [name for name, before in zip(names, [None, *names], strict=False) if name != before]


def test_pretraining_learns_and_says_what_it_did(base):
    summary = base.summary()
    losses = [entry["loss"] for entry in summary["losses"]]
    assert losses[-1] < losses[0] - 0.3
    assert [entry["step"] for entry in summary["losses"]] == list(range(1, 13))
    assert summary["steps"] == 12
    assert summary["rows"] == 48
    assert 0 < summary["trainedTokens"] < summary["totalTokens"]
    assert summary["validationLoss"] is None
    assert kinds(base) == ["load", "tokenize", "train", "save"]
    card = json.loads((base.outputs["model"] / "twin.json").read_text())
    assert (card["kind"], card["toy"], card["promptTemplate"]["text"]) == ("base", True, TEMPLATE)


def test_metrics_and_progress_come_step_by_step(sft):
    points = [event["data"]["points"] for event in sft.events("metric")]
    steps = [step for point in points for step, _ in point.get("loss", [])]
    assert steps == list(range(1, 13))
    assert {"loss", "grad_norm", "learning_rate", "num_tokens"} <= set(points[-1])
    progress = [event["data"] for event in sft.events("progress") if event["data"]["unit"] == "steps"]
    assert progress == [{"done": step, "total": 12, "unit": "steps"} for step in range(1, 13)]
    assert [event["data"]["step"] for event in sft.events("checkpoint")] == [5, 10, 12]


def test_equal_work_gives_equal_bytes(work, base, sft, sft_inputs, tmp_path):
    again = Attempt(tmp_path / "base", "pretrain-tiny", TINY, {"documents": work / "documents.jsonl"})
    assert run_here(again) == 0
    assert files(again.outputs["model"]) == files(base.outputs["model"])
    again = Attempt(tmp_path / "sft", "train-sft", SFT, sft_inputs)
    assert run_here(again) == 0
    assert files(again.outputs["adapter"]) == files(sft.outputs["adapter"])


def test_the_tokenizer_spells_every_text_and_no_text_spells_its_end(base):
    prompts = prompts_of(base.outputs["model"])
    for text in ("naïve 日本 😀\u0000", "  spaces\n\n\ttabs", "<|twin-end|>"):
        assert prompts.text(prompts.answer(text)) == text
        assert prompts.end not in prompts.answer(text)
    assert prompts.answer("lone \ud800") == prompts.answer("lone \ufffd")


def test_only_the_answer_and_its_end_are_learned(base, sft):
    from twin_workers.tokenizing import sft_rows

    prompts = prompts_of(base.outputs["model"])
    [row], counts = sft_rows(prompts, samples(1), 96)
    prompt = prompts.prompt(samples(1)[0]["instruction"])
    assert row["labels"] == [-100] * len(prompt) + [*prompts.answer(samples(1)[0]["answer"]), prompts.end]
    assert row["input_ids"][: len(prompt)] == prompt
    assert counts["trainedTokens"] == len(row["labels"]) - len(prompt)
    assert sft.summary()["validationLoss"] > 0


def test_rows_that_teach_nothing_are_dropped_and_named(base, sft_inputs, tmp_path):
    rows = samples(4)
    rows[1]["instruction"] = "long " * 200
    rows[2]["answer"] = ""
    rows[3]["answer"] = "long " * 200
    inputs = {**sft_inputs, "train": write_rows(tmp_path / "train.jsonl", rows)}
    attempt = Attempt(tmp_path / "sft", "train-sft", {**SFT, "maxSteps": 1}, inputs)
    assert run_here(attempt) == 0
    summary = attempt.summary()
    assert summary["droppedRows"] == {"prompt-fills-window": 1, "empty-answer": 1}
    assert (summary["rows"], summary["truncatedRows"]) == (2, 1)
    assert "2 of 4 rows are left out: 1 prompt-fills-window, 1 empty-answer" in [
        event["data"]["message"] for event in attempt.events("warn")
    ]


def test_epochs_decide_where_there_are_no_steps(sft_inputs, tmp_path):
    attempt = Attempt(tmp_path, "train-sft", {**SFT, "maxSteps": None, "epochs": 1, "batchSize": 8}, sft_inputs)
    assert run_here(attempt) == 0
    assert attempt.summary()["steps"] == 3


def test_dpo_starts_from_exactly_the_given_adapter(work, sft, dpo, dpo_inputs, tmp_path):
    # At the first step policy and reference are one: the loss is -ln(1/2).
    assert dpo.summary()["losses"][0]["loss"] == pytest.approx(0.693147, abs=1e-5)
    assert dpo.summary()["losses"][-1]["loss"] < 0.69
    margins = [value for event in dpo.events("metric") for _, value in event["data"]["points"]["rewards/margins"]]
    assert margins[-1] > 0
    still = Attempt(tmp_path, "train-dpo", {**DPO, "learningRate": 1e-30, "maxSteps": 1}, dpo_inputs)
    assert run_here(still) == 0
    weights = still.outputs["adapter"] / "adapter_model.safetensors"
    assert weights.read_bytes() == (sft.outputs["adapter"] / "adapter_model.safetensors").read_bytes()
    assert sorted(files(dpo.outputs["adapter"])) == ["adapter_config.json", "adapter_model.safetensors", "twin.json"]


def test_pairs_that_teach_nothing_are_dropped_and_named(work, dpo_inputs, tmp_path):
    pair = {"id": "p", "prompt": "What?", "chosen": "same", "rejected": "same"}
    attempt = Attempt(tmp_path, "train-dpo", DPO, {**dpo_inputs, "pairs": write_rows(tmp_path / "pairs.jsonl", [pair])})
    assert run_here(attempt) == 11
    assert attempt.error()["message"] == "none of the 1 rows would teach anything: {'chosen-equals-rejected': 1} (raise maxLength)"


def test_an_unknown_loss_is_refused_before_anything_is_trained(dpo_inputs, tmp_path):
    attempt = Attempt(tmp_path, "train-dpo", {**DPO, "lossTypes": ["sigmoidal"]}, dpo_inputs)
    assert run_here(attempt) == 10
    assert attempt.error()["message"].startswith("There is no DPO loss `sigmoidal`: expected one of sigmoid, hinge, ")
    assert kinds(attempt) == []


def test_a_merge_agrees_with_its_adapter(merged):
    assert merged.summary()["maxLogitDifference"] < 1e-5
    assert {"config.json", "model.safetensors", "tokenizer.json", "twin.json"} <= set(files(merged.outputs["model"]))


def test_a_merge_that_differs_too_much_is_refused(merged, tmp_path):
    inputs = {name: path for name, path in merged.request["inputs"].items()}
    attempt = Attempt(tmp_path, "merge-adapter", {"maxLogitDifference": 1e-12}, inputs)
    assert run_here(attempt) == 12
    assert attempt.error()["message"].startswith("Merged, the model is another one: logits differ by ")
    assert not attempt.outputs["model"].exists()


def test_an_adapter_of_another_base_is_refused(merged, base, sft, tmp_path):
    attempt = Attempt(tmp_path, "merge-adapter", {}, {"base": merged.outputs["model"], "adapter": sft.outputs["adapter"]})
    assert run_here(attempt) == 12
    assert "was trained on another base than" in attempt.error()["message"]


def test_a_model_of_another_template_is_refused(base, work, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(base.outputs["model"], folder)
    card = json.loads((folder / "twin.json").read_text())
    card["promptTemplate"]["digest"] = "f" * 64
    (folder / "twin.json").write_text(json.dumps(card))
    attempt = Attempt(tmp_path, "generate-answers", {}, {"model": folder, "prompts": work / "prompts.jsonl"})
    assert run_here(attempt) == 12
    assert attempt.error()["message"].startswith(f"{folder} was trained with another prompt template: expected ")
    (folder / "twin.json").unlink()
    attempt = Attempt(tmp_path, "generate-answers", {}, {"model": folder, "prompts": work / "prompts.jsonl"}, number=2)
    assert run_here(attempt) == 12
    assert attempt.error()["message"] == f"{folder} does not say which prompt template it was trained with"


@pytest.mark.parametrize("temperature", [0, 1.3])
def test_answers_do_not_depend_on_the_batch_or_the_order(base, work, tmp_path, temperature):
    rows = samples(6)
    answers = []
    for number, (batch, ordered) in enumerate([(1, rows), (4, rows[::-1]), (6, rows)], start=1):
        prompts = write_rows(tmp_path / f"{number}.jsonl", ordered)
        params = {"maxNewTokens": 12, "temperature": temperature, "batchSize": batch}
        attempt = Attempt(tmp_path, "generate-answers", params, {"model": base.outputs["model"], "prompts": prompts}, number)
        assert run_here(attempt) == 0
        assert [row["id"] for row in attempt.rows("answers")] == [row["id"] for row in ordered]
        answers.append({row["id"]: row for row in attempt.rows("answers")})
    assert answers[0] == answers[1] == answers[2]
    assert all(0 <= row["tokens"] <= 12 for row in answers[0].values())
    if temperature:
        assert len({row["answer"] for row in answers[0].values()}) > 1


def test_an_answer_longer_than_the_window_is_refused_with_the_limit(base, work, tmp_path):
    attempt = Attempt(
        tmp_path, "generate-answers", {"maxNewTokens": 128}, {"model": base.outputs["model"], "prompts": work / "prompts.jsonl"}
    )
    assert run_here(attempt) == 10
    assert attempt.error()["message"] == "maxNewTokens 128 leaves no room for a prompt in the model's 128 tokens"
    assert attempt.error()["hint"] == "set it to at most 112"


def test_scores_are_the_summed_likelihood_of_the_answers(base, merged, work, tmp_path):
    import torch

    models = {
        "base": base.outputs["model"],
        "sft": merged.outputs["model"],
        "candidate": merged.outputs["model"],
        "incumbent": base.outputs["model"],
    }
    attempt = Attempt(tmp_path, "score-items", {"generate": 2, "maxNewTokens": 5}, {**models, "items": work / "test.jsonl"})
    assert run_here(attempt) == 0
    rows = attempt.rows("scores")
    items = samples(32)[26:]
    assert [(row["role"], row["item"]) for row in rows] == [(role, item["id"]) for role in models for item in items]
    assert [row["generated"] is not None for row in rows[:6]] == [True, True, False, False, False, False]
    # A model that plays two parts scores alike in both, and is loaded once.
    alike = [{**row, "role": None} for row in rows]
    assert alike[6:12] == alike[12:18]
    assert alike[:6] == alike[18:]
    assert kinds(attempt).count("score") == 2

    prompts, model = prompts_of(base.outputs["model"]), load_model(base.outputs["model"])
    prompt, answer = prompts.prompt(items[0]["instruction"]), prompts.answer(items[0]["answer"])
    with torch.no_grad():
        logits = model(torch.tensor([prompt + answer])).logits[0].log_softmax(-1)
    expected = -sum(logits[len(prompt) - 1 + index, token].item() for index, token in enumerate(answer))
    assert rows[0]["negativeLogLikelihood"] == pytest.approx(expected, abs=1e-3)
    assert (rows[0]["tokens"], rows[0]["bytes"]) == (len(answer), len(items[0]["answer"].encode()))


def test_an_answer_that_does_not_fit_is_scored_whole_in_windows(base):
    from twin_workers.scoring import _windows, answer_losses

    prompt, answer = list(range(10, 20)), list(range(20, 120))
    windows = list(_windows(prompt, answer, 32))
    assert [token for ids, first in windows for token in ids[first:]] == answer
    assert all(len(ids) <= 32 and first >= 10 for ids, first in windows)
    model = load_model(base.outputs["model"])
    whole = sum(loss for _, loss in answer_losses(model, [(prompt, answer)], 128, 4, 0))
    parts = sum(loss for _, loss in answer_losses(model, [(prompt, answer)], 32, 4, 0))
    assert whole == pytest.approx(parts, rel=0.05)
    # Neither the batch nor its padding changes a score.
    both = list(answer_losses(model, [(prompt, answer), (prompt, answer[:7])], 128, 2, 0))
    [(_, alone)] = answer_losses(model, [(prompt, answer[:7])], 128, 1, 0)
    assert dict(both)[1] == pytest.approx(alone, abs=1e-3)


@pytest.mark.parametrize(
    ("job", "name", "lines", "code", "message"),
    [
        ("train-sft", "train", "", 11, "train.jsonl holds no row: there is nothing to learn"),
        (
            "train-sft",
            "train",
            '{"id":"a","instruction":"x"}\n',
            11,
            "train.jsonl: line 1 lacks `answer`; its columns: id, instruction (1 such lines)",
        ),
        (
            "train-sft",
            "train",
            '{"id":"a","instruction":"x","answer":3}\n',
            11,
            "train.jsonl: line 1 has no text in `answer` but int (1 such lines)",
        ),
        (
            "train-dpo",
            "pairs",
            '{"id":"a"}\n[1]\n',
            11,
            "pairs.jsonl: line 1 lacks `prompt`; its columns: id (1 such lines); pairs.jsonl: line 2 is no object (1 such lines)",
        ),
        ("pretrain-tiny", "documents", '{"text":" "}\n', 11, "No document in documents.jsonl holds any text"),
        ("pretrain-tiny", "documents", "[1]\n", 11, "Line 1 of documents.jsonl: expected an object, found [1]"),
        (
            "score-items",
            "items",
            b"\xff\n",
            11,
            "Line 1 of items.jsonl is not JSON: 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte",
        ),
    ],
)
def test_broken_data_is_named_by_file_and_line(base, sft, tmp_path, job, name, lines, code, message):
    path = tmp_path / f"{name}.jsonl"
    path.write_bytes(lines if isinstance(lines, bytes) else lines.encode())
    inputs = {"base": base.outputs["model"], name: path, **({"adapter": sft.outputs["adapter"]} if job == "train-dpo" else {})}
    attempt = Attempt(tmp_path, job, {}, inputs if job != "pretrain-tiny" else {name: path})
    assert run_here(attempt) == code
    assert attempt.error()["message"] == message


def test_a_size_that_no_head_can_have_is_refused(work, tmp_path):
    attempt = Attempt(tmp_path, "pretrain-tiny", {**TINY, "hiddenSize": 33}, {"documents": work / "documents.jsonl"})
    assert run_here(attempt) == 10
    assert attempt.error()["message"] == "hiddenSize 33 must be a multiple of twice the heads (2): each head needs an even size"


def test_a_corpus_of_one_word_still_makes_a_model(tmp_path):
    documents = write_rows(tmp_path / "documents.jsonl", [{"text": "word"}])
    attempt = Attempt(tmp_path, "pretrain-tiny", {**TINY, "maxSteps": 2}, {"documents": documents})
    assert run_here(attempt) == 0


def test_weights_that_cannot_be_read_are_the_models_fault(base, work, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(base.outputs["model"], folder)
    (folder / "model.safetensors").write_bytes(b"nonsense")
    attempt = Attempt(tmp_path, "generate-answers", {}, {"model": folder, "prompts": work / "prompts.jsonl"})
    assert run_here(attempt) == 12
    assert attempt.error()["message"].startswith(f"The model in {folder} cannot be read: ")


def test_held_out_pairs_are_measured_each_fifth_of_the_way_and_not_learned(dpo_inputs, tmp_path):
    attempt = Attempt(tmp_path, "train-dpo", {**DPO, "maxSteps": 5, "evaluation": {"share": 0.25, "every": 0.2}}, dpo_inputs)
    assert run_here(attempt) == 0
    measured = [step for event in attempt.events("metric") for step, _ in event["data"]["points"].get("eval_loss", [])]
    assert measured == [1, 2, 3, 4, 5]


def test_a_chosen_base_is_taken_as_it_is(base, merged, work, tmp_path):
    start = merged.outputs["model"]
    inputs = {"start": start, "documents": work / "documents.jsonl"}
    attempt = Attempt(tmp_path, "pretrain-tiny", {}, inputs)
    assert run_here(attempt) == 0
    assert files(attempt.outputs["model"]) == files(start)
    assert (attempt.outputs["model"] / "model.safetensors").read_bytes() == (start / "model.safetensors").read_bytes()
    summary = attempt.summary()
    assert (summary["steps"], summary["trainableParameters"]) == (0, 0)
    assert summary["totalParameters"] == base.summary()["totalParameters"]


def test_a_start_that_stands_for_no_model_leaves_the_base_to_be_made(work, tmp_path):
    start = tmp_path / "start"
    start.mkdir()
    (start / "twin.json").write_text('{"kind":"none"}')
    attempt = Attempt(tmp_path / "made", "pretrain-tiny", {**TINY, "maxSteps": 1}, {"start": start, "documents": work / "documents.jsonl"})
    assert run_here(attempt) == 0
    assert attempt.summary()["steps"] == 1


def test_losses_are_mixed_by_their_weights(dpo_inputs, tmp_path):
    def first_loss(name, **params):
        attempt = Attempt(tmp_path / name, "train-dpo", {**DPO, "maxSteps": 1, **params}, dpo_inputs)
        assert run_here(attempt) == 0
        return attempt.summary()["losses"][0]["loss"]

    mixed = first_loss("mixed", lossTypes=["sigmoid", "sft"], lossWeights=[1.0, 0.5])
    assert mixed == pytest.approx(first_loss("sigmoid") + 0.5 * first_loss("sft", lossTypes=["sft"]), rel=1e-3)


def test_as_many_weights_as_losses_are_wanted(dpo_inputs, tmp_path):
    attempt = Attempt(tmp_path, "train-dpo", {**DPO, "lossTypes": ["sigmoid", "sft"], "lossWeights": [1.0]}, dpo_inputs)
    assert run_here(attempt) == 10
    assert attempt.error()["message"] == "There are 2 losses and 1 weights: expected one weight a loss"


@pytest.mark.parametrize("loss", LOSS_TYPES)
def test_every_preference_loss_trains(dpo_inputs, tmp_path, loss):
    attempt = Attempt(tmp_path, "train-dpo", {**DPO, "lossTypes": [loss], "maxSteps": 2, "labelSmoothing": 0.1}, dpo_inputs)
    assert run_here(attempt) == 0
    assert all(math.isfinite(entry["loss"]) for entry in attempt.summary()["losses"])

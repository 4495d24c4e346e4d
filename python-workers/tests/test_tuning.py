"""Ways to tune under supervision: what is trained, what is learned of a row, and how rows are put together."""

import json

import pytest
import torch
from attempts import TEMPLATE, Attempt, run_here, write_rows
from conftest import DPO, LORA, SFT, samples

from twin_workers.model_folder import load_model, load_tokenizer, read_card
from twin_workers.packing import keeps_apart, pack
from twin_workers.prompts import Prompts
from twin_workers.tokenizing import sft_rows

TALK = {
    "id": "talk",
    "instruction": "And then?",
    "answer": "It is kept.",
    "history": [{"instruction": "What is it?", "answer": "A cursor."}],
}


def prompts_of(base):
    return Prompts(load_tokenizer(base.outputs["model"]), TEMPLATE)


def learned(prompts, learn):
    """The texts that carry loss in a conversation of two turns."""
    [row], _ = sft_rows(prompts, [TALK], 128, learn)
    pieces, open_piece = [], []
    for token, label in zip([*row["input_ids"], 0], [*row["labels"], -100], strict=True):
        if label == -100:
            pieces += [open_piece] if open_piece else []
            open_piece = []
        else:
            open_piece.append(token)
    assert all(piece[-1] == prompts.end for piece in pieces)
    return [prompts.text(piece) for piece in pieces]


def test_what_is_learned_of_a_conversation_can_be_chosen(base):
    prompts = prompts_of(base)
    assert learned(prompts, "last-answer") == ["It is kept."]
    assert learned(prompts, "answers") == ["A cursor.", "It is kept."]
    [everything] = learned(prompts, "everything")
    assert everything.startswith("### Instruction:\nWhat is it?")


def test_a_server_renders_a_conversation_as_training_did(base):
    tokenizer, prompts = load_tokenizer(base.outputs["model"]), prompts_of(base)
    messages = [
        {"role": role, "content": turn[name]}
        for turn in (*TALK["history"], TALK)
        for role, name in (("user", "instruction"), ("assistant", "answer"))
    ]
    rendered = tokenizer.apply_chat_template(messages, return_dict=True, return_assistant_tokens_mask=True)
    [row], _ = sft_rows(prompts, [TALK], 128, "answers")
    assert rendered["input_ids"] == row["input_ids"]
    assert [label != -100 for label in row["labels"]] == [bool(mask) for mask in rendered["assistant_masks"]]
    asked = tokenizer.apply_chat_template(messages[:3], add_generation_prompt=True)["input_ids"]
    assert asked == row["input_ids"][: len(asked)]


@pytest.mark.parametrize("variant", [{"dora": True}, {"rankStabilized": True}, {"dora": True, "rankStabilized": True}])
def test_an_adapter_may_be_decomposed_and_rank_stabilized(base, sft_inputs, tmp_path, variant):
    attempt = Attempt(tmp_path / "sft", "train-sft", {**SFT, "maxSteps": 6, "lora": {**LORA, **variant}}, sft_inputs)
    assert run_here(attempt) == 0
    losses = [entry["loss"] for entry in attempt.summary()["losses"]]
    assert losses[-1] < losses[0]
    config = json.loads((attempt.outputs["adapter"] / "adapter_config.json").read_text())
    assert (config["use_dora"], config["use_rslora"]) == (variant.get("dora", False), variant.get("rankStabilized", False))
    inputs = {"base": base.outputs["model"], "adapter": attempt.outputs["adapter"]}
    merged = Attempt(tmp_path / "merged", "merge-adapter", {}, inputs)
    assert run_here(merged) == 0
    assert merged.summary()["maxLogitDifference"] < 1e-5


@pytest.fixture(scope="module")
def full(sft_inputs, tmp_path_factory):
    """All weights, tuned."""
    params = {**SFT, "tuning": "full", "maxSteps": 6, "learningRate": 3e-3}
    attempt = Attempt(tmp_path_factory.mktemp("full"), "train-sft", params, sft_inputs)
    assert run_here(attempt) == 0
    return attempt


def test_all_weights_can_be_tuned_and_are_taken_as_they_are_by_a_merge(base, full, tmp_path):
    summary = full.summary()
    assert summary["trainableParameters"] == summary["totalParameters"] == base.summary()["totalParameters"]
    assert summary["losses"][-1]["loss"] < summary["losses"][0]["loss"]
    folder = full.outputs["adapter"]
    digest = full.request["promptTemplate"]["digest"]
    assert read_card(folder, ("full",), digest)["base"] is not None
    merged = Attempt(tmp_path, "merge-adapter", {}, {"base": base.outputs["model"], "adapter": folder})
    assert run_here(merged) == 0
    assert merged.summary()["maxLogitDifference"] == 0
    assert read_card(merged.outputs["model"], ("merged",), digest)["base"] is None
    one, other = (load_model(path).state_dict() for path in (folder, merged.outputs["model"]))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_dpo_of_all_weights_keeps_a_second_model_as_its_reference(base, full, work, tmp_path):
    inputs = {"base": base.outputs["model"], "adapter": full.outputs["adapter"], "pairs": work / "pairs.jsonl"}
    attempt = Attempt(tmp_path, "train-dpo", {**DPO, "learningRate": 1e-3}, inputs)
    assert run_here(attempt) == 0
    losses = [entry["loss"] for entry in attempt.summary()["losses"]]
    assert losses[0] == pytest.approx(0.693147, abs=1e-5) and losses[-1] < losses[0]
    assert attempt.summary()["trainableParameters"] == base.summary()["totalParameters"]
    assert read_card(attempt.outputs["adapter"], ("full",), attempt.request["promptTemplate"]["digest"])


def test_four_bits_are_refused_without_a_gpu(sft_inputs, tmp_path):
    attempt = Attempt(tmp_path, "train-sft", {**SFT, "tuning": "qlora"}, sft_inputs)
    assert run_here(attempt) == 10
    assert attempt.error()["message"] == "A base in 4 bits needs a CUDA device"
    assert attempt.error()["hint"] == "use tuning=lora, which keeps the base in 16 bits"


def test_packed_samples_do_not_see_each_other(base, sft_inputs, tmp_path):
    prompts = prompts_of(base)
    rows, _ = sft_rows(prompts, samples(8), 96)
    filled = list(pack(rows, 96))
    assert sorted(length for row in filled for length in row["seq_lengths"]) == sorted(len(row["input_ids"]) for row in rows)
    assert keeps_apart(load_model(base.outputs["model"]), rows)

    # One batch holds all samples either way, so the loss of the first step must be one.
    first = []
    for packing in (False, True):
        params = {**SFT, "packing": packing, "maxSteps": 1, "batchSize": 24, "lora": {**LORA, "dropout": 0}}
        attempt = Attempt(tmp_path / str(packing), "train-sft", params, sft_inputs)
        assert run_here(attempt) == 0
        first.append(attempt.summary()["losses"][0]["loss"])
    assert first[0] == pytest.approx(first[1], abs=1e-4)


def test_packing_is_refused_where_attention_looks_across(base, sft_inputs, tmp_path, monkeypatch):
    from transformers import masking_utils

    monkeypatch.setattr(masking_utils, "find_packed_sequence_indices", lambda positions: None)
    attempt = Attempt(tmp_path, "train-sft", {**SFT, "packing": True}, sft_inputs)
    assert run_here(attempt) == 10
    assert attempt.error()["message"] == "The attention of this model (sdpa) looks from one packed sample into another"
    assert attempt.error()["hint"] == "set packing=false"


def test_a_conversation_is_trained_whole(sft_inputs, tmp_path):
    inputs = {**sft_inputs, "train": write_rows(tmp_path / "train.jsonl", [TALK, *samples(3)])}
    attempt = Attempt(tmp_path / "sft", "train-sft", {**SFT, "maxSteps": 1}, inputs)
    assert run_here(attempt) == 0
    assert attempt.summary()["rows"] == 4

import pytest
import torch
from attempts import Attempt, run_here, write_rows
from torch.nn.functional import cross_entropy, kl_div, log_softmax, softmax

from twin_workers.distillation import teaching_losses
from twin_workers.model_folder import load_model

HEALING = {"maxSteps": 20, "batchSize": 8, "maxLength": 96, "learningRate": 0.001}


@pytest.fixture(scope="module")
def pruned(merged, work, tmp_path_factory):
    """The merged model with nine tenths of its weights at zero."""
    inputs = {"model": merged.outputs["model"], "samples": work / "train.jsonl"}
    attempt = Attempt(tmp_path_factory.mktemp("pruned"), "prune-model", {"method": "magnitude", "share": 0.9}, inputs)
    assert run_here(attempt) == 0
    return attempt


def distilled(student, merged, work, folder, **params):
    inputs = {
        "student": student,
        "teacher": merged.outputs["model"],
        "train": work / "train.jsonl",
        "validation": work / "validation.jsonl",
    }
    attempt = Attempt(folder, "distill-model", {**HEALING, **params}, inputs)
    return attempt, run_here(attempt)


@pytest.mark.parametrize("loss", ["divergence", "cross-entropies"])
def test_a_pruned_student_comes_nearer_to_its_teacher_and_keeps_its_zeros(pruned, merged, work, tmp_path, loss):
    attempt, code = distilled(pruned.outputs["model"], merged, work, tmp_path / loss, loss=loss, alpha=0.0, beta=1.0, temperature=1.0)
    assert code == 0
    summary = attempt.summary()
    assert summary["likeness"]["meanKl"] < pruned.summary()["meanKl"]
    assert summary["steps"] == 20
    before, after = load_model(pruned.outputs["model"]), load_model(attempt.outputs["model"])
    was_zero = before.model.layers[0].mlp.up_proj.weight == 0
    assert was_zero.any()
    assert (after.model.layers[0].mlp.up_proj.weight[was_zero] == 0).all()
    assert not torch.equal(before.model.layers[0].mlp.up_proj.weight, after.model.layers[0].mlp.up_proj.weight)
    assert {"loss", "teaching_loss"} <= {name for event in attempt.events("metric") for name in event["data"]["points"]}


def test_without_the_teacher_what_is_left_is_the_loss_of_the_answers(pruned, merged, work, tmp_path):
    attempt, code = distilled(pruned.outputs["model"], merged, work, tmp_path / "alone", alpha=1.0, beta=0.0, maxSteps=1)
    doubled, _ = distilled(pruned.outputs["model"], merged, work, tmp_path / "doubled", alpha=2.0, beta=0.0, maxSteps=1)
    assert code == 0
    assert doubled.summary()["losses"][0]["loss"] == pytest.approx(2 * attempt.summary()["losses"][0]["loss"], rel=1e-4)


def test_the_losses_are_the_formulas():
    torch.manual_seed(0)
    student, teacher, tau = torch.randn(5, 7), torch.randn(5, 7), 2.5
    target = softmax(teacher / tau, -1)
    entropies = teaching_losses(student, teacher, tau, "cross-entropies")
    torch.testing.assert_close(entropies, cross_entropy(student / tau, target, reduction="none"))
    divergences = teaching_losses(student, teacher, tau, "divergence")
    expected = tau**2 * kl_div(log_softmax(student / tau, -1), target, reduction="none").sum(-1)
    torch.testing.assert_close(divergences, expected)
    torch.testing.assert_close(teaching_losses(teacher, teacher, tau, "divergence"), torch.zeros(5), atol=1e-6, rtol=0)


def test_a_student_with_another_tokenizer_is_refused(merged, work, tmp_path):
    write_rows(tmp_path / "documents.jsonl", [{"id": str(number), "text": "quite another text about nothing " * 9} for number in range(9)])
    shape = {"vocabularySize": 300, "hiddenSize": 32, "layers": 1, "heads": 2, "contextLength": 128, "maxSteps": 1, "batchSize": 1}
    other = Attempt(tmp_path / "other", "pretrain-tiny", shape, {"documents": tmp_path / "documents.jsonl"})
    assert run_here(other) == 0
    attempt, code = distilled(other.outputs["model"], merged, work, tmp_path / "refused")
    assert code == 12
    assert attempt.events("error")[0]["data"]["message"] == "Student and teacher cut text into different tokens"

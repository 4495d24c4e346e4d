import pytest
import torch
from attempts import Attempt, run_here
from transformers import LlamaConfig, LlamaForCausalLM

from twin_workers.model_folder import load_model
from twin_workers.pruning import cut_heads, input_norms, linear_layers, zero_weights


def pruned(merged, work, folder, **params):
    inputs = {"model": merged.outputs["model"], "samples": work / "train.jsonl"}
    attempt = Attempt(folder, "prune-model", params, inputs)
    return attempt, run_here(attempt)


@pytest.mark.parametrize("method", ["magnitude", "wanda"])
def test_single_weights_become_zero_and_the_model_keeps_its_shape(merged, work, tmp_path, method):
    attempt, code = pruned(merged, work, tmp_path / method, method=method, share=0.5)
    assert code == 0
    summary = attempt.summary()
    assert summary["zeros"] == pytest.approx(0.5, abs=0.01)
    assert summary["parameters"] == summary["sourceParameters"]
    assert summary["meanKl"] > 0


@pytest.mark.parametrize(("method", "field"), [("neurons", "intermediate_size"), ("layers", "num_hidden_layers")])
def test_whole_parts_are_cut_out_and_what_is_stored_answers_as_what_was_cut(merged, work, tmp_path, method, field):
    attempt, code = pruned(merged, work, tmp_path / method, method=method, share=0.5)
    assert code == 0
    summary = attempt.summary()
    before, after = load_model(merged.outputs["model"]), load_model(attempt.outputs["model"])
    assert getattr(after.config, field) == getattr(before.config, field) // 2
    assert summary["parameters"] < summary["sourceParameters"]
    assert summary["bytes"] < summary["sourceBytes"]
    ids = torch.tensor([[1, 2, 3, 4, 5]])
    assert torch.isfinite(after(input_ids=ids).logits).all()
    # Generation walks through the cache, which knows layers by their number.
    assert after.generate(ids, max_new_tokens=3, do_sample=False).shape[1] > 5


def test_heads_that_are_not_read_are_cut_with_their_keys_and_nothing_changes():
    shape = LlamaConfig(
        vocab_size=50, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=8, num_key_value_heads=4
    )
    model, rows = LlamaForCausalLM(shape).eval(), [[1, 2, 3, 4], [5, 6]]
    with torch.no_grad():
        for layer in model.model.layers:
            layer.self_attn.o_proj.weight[:, 8:16] = 0
    ids = torch.tensor([[7, 8, 9]])
    before = model(input_ids=ids).logits
    cut_heads(model, 0.25, input_norms(model, rows))
    assert (model.config.num_attention_heads, model.config.num_key_value_heads, model.config.head_dim) == (6, 3, 4)
    torch.testing.assert_close(model(input_ids=ids).logits, before)
    stored = LlamaForCausalLM(model.config)
    stored.load_state_dict(model.state_dict())
    torch.testing.assert_close(stored.eval()(input_ids=ids).logits, before)


def test_a_share_that_is_less_than_one_head_is_refused(merged, work, tmp_path):
    attempt, code = pruned(merged, work, tmp_path / "heads", method="heads", share=0.5)
    assert code == 10
    assert attempt.events("error")[0]["data"]["message"] == "A share of 0.5 of 1 groups of heads is none of them"


def test_wanda_spares_the_small_weight_that_reads_a_loud_input(merged):
    model = load_model(merged.outputs["model"])
    name, layer = next(iter(linear_layers(model).items()))
    norms = {each: torch.ones(one.in_features) for each, one in linear_layers(model).items()}
    norms[name][0] = 1e6
    with torch.no_grad():
        layer.weight[:, 0] = 1e-3
    zero_weights(model, 0.5, norms)
    assert (layer.weight[:, 0] != 0).all()
    zeros = (layer.weight == 0).sum(1)
    assert (zeros == layer.in_features // 2).all()


def test_norms_are_those_of_what_each_matrix_is_given(merged):
    model = load_model(merged.outputs["model"])
    name, layer = next(iter(linear_layers(model).items()))
    seen = []
    layer.register_forward_pre_hook(lambda _, given: seen.append(given[0][0]))
    rows = [[1, 2, 3], [4, 5]]
    norms = input_norms(model, rows)
    torch.testing.assert_close(norms[name], torch.cat(seen).norm(dim=0))


def test_samples_without_text_are_refused(merged, tmp_path):
    samples = tmp_path / "samples.jsonl"
    samples.write_text('{"id":"a"}\n')
    attempt = Attempt(tmp_path / "none", "prune-model", {"method": "wanda"}, {"model": merged.outputs["model"], "samples": samples})
    assert run_here(attempt) == 11
    assert attempt.events("error")[0]["data"]["message"] == "No sample can be calibrated with: none holds text"

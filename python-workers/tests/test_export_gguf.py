import gguf
import numpy as np
import pytest
from attempts import Attempt, run_here

from twin_workers.jobs.export_gguf import _rotary


def exported(merged, folder, **params):
    attempt = Attempt(folder, "export-gguf", params, {"model": merged.outputs["model"]})
    return attempt, run_here(attempt)


@pytest.mark.parametrize(("quantization", "most"), [("f16", 1e-4), ("q8_0", 0.01)])
def test_a_file_says_what_the_model_says_within_its_rounding(merged, tmp_path, quantization, most):
    attempt, code = exported(merged, tmp_path / quantization, quantization=quantization)
    assert code == 0
    summary = attempt.summary()
    assert -1e-9 <= summary["meanKl"] <= most
    assert summary["bytes"] == (attempt.outputs["gguf"] / "model.gguf").stat().st_size
    assert summary["unquantized"] == []


def test_coarser_files_are_smaller_and_further_away(merged, tmp_path):
    summaries = []
    for quantization in ("q8_0", "q5_0", "q4_0"):
        attempt, code = exported(merged, tmp_path / quantization, quantization=quantization, maxMeanKl=1.0)
        assert code == 0
        summaries.append(attempt.summary())
    assert [one["bytes"] for one in summaries] == sorted((one["bytes"] for one in summaries), reverse=True)
    assert [one["meanKl"] for one in summaries] == sorted(one["meanKl"] for one in summaries)


def test_the_file_holds_the_tokenizer_and_the_shape_as_llama_cpp_reads_them(merged, tmp_path):
    attempt, _ = exported(merged, tmp_path / "q8", quantization="q8_0")
    reader = gguf.GGUFReader(attempt.outputs["gguf"] / "model.gguf")
    fields = {name: field.contents() for name, field in reader.fields.items()}
    assert fields["general.architecture"] == "llama"
    assert fields["tokenizer.ggml.model"] == "gpt2"
    assert fields["tokenizer.ggml.pre"] == "gpt-2"
    assert len(fields["tokenizer.ggml.tokens"]) == fields["llama.vocab_size"]
    assert fields["tokenizer.ggml.tokens"][fields["tokenizer.ggml.eos_token_id"]] == "<|twin-end|>"
    assert "token_embd.weight" in {tensor.name for tensor in reader.tensors}


def test_a_file_that_is_another_model_is_refused(merged, tmp_path):
    attempt, code = exported(merged, tmp_path / "q4", quantization="q4_0", maxMeanKl=1e-9)
    assert code == 12
    assert "As q4_0 the model is another one: mean KL" in attempt.events("error")[0]["data"]["message"]
    assert not attempt.outputs["gguf"].exists()


def test_the_order_of_heads_goes_there_and_back():
    class Config:
        num_attention_heads = 4
        num_key_value_heads = 2

    for name, rows in (("layers.0.self_attn.q_proj.weight", 32), ("layers.0.self_attn.k_proj.weight", 16)):
        values = np.arange(rows * 3, dtype=np.float32).reshape(rows, 3)
        there = _rotary(name, values, Config, to_halves=False)
        assert not np.array_equal(there, values)
        assert np.array_equal(_rotary(name, there, Config, to_halves=True), values)

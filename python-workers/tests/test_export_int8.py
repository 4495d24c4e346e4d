import pytest
import torch
from attempts import Attempt, run_here
from safetensors.torch import load_file

from twin_workers.int8 import GRIDS, Grid, Int8Linear, round_rows


def exported(merged, folder, samples=None, **params):
    inputs = {"model": merged.outputs["model"]} | ({} if samples is None else {"samples": samples})
    attempt = Attempt(folder, "export-int8", params, inputs)
    return attempt, run_here(attempt)


@pytest.mark.parametrize("rounding", ["absmax", "zero-point"])
def test_the_weights_say_what_the_model_says_within_their_rounding(merged, tmp_path, rounding):
    attempt, code = exported(merged, tmp_path / rounding, rounding=rounding)
    assert code == 0
    summary = attempt.summary()
    assert -1e-9 <= summary["meanKl"] <= 0.01
    assert summary["sameFirstChoice"] > 0.9
    assert summary["bytes"] < summary["sourceBytes"]
    assert summary["calibrationRows"] == 0


def test_inputs_are_rounded_by_the_ranges_that_samples_show(merged, work, tmp_path):
    attempt, code = exported(merged, tmp_path / "inputs", work / "train.jsonl", calibrationRows=16, rounding="zero-point", maxMeanKl=0.1)
    assert code == 0
    assert attempt.summary()["calibrationRows"] == 16
    stored = load_file(attempt.outputs["int8"] / "model.safetensors")
    scales = {name for name in stored if name.endswith("input_scale")}
    assert scales == {name.replace("weight_scale", "input_scale") for name in stored if name.endswith("weight_scale")}


def test_samples_without_text_are_refused(merged, tmp_path):
    samples = tmp_path / "samples.jsonl"
    samples.write_text('{"id":"a"}\n')
    attempt, code = exported(merged, tmp_path / "none", samples, calibrationRows=4)
    assert code == 11
    assert attempt.events("error")[0]["data"]["message"] == "No sample can be calibrated with: none holds text"


def test_absmax_and_zero_point_are_the_formulas_that_the_field_knows():
    values = torch.linspace(-1.5, 4.0, 37)
    absmax, zero_point = (GRIDS[rounding](values.min(), values.max()) for rounding in ("absmax", "zero-point"))
    assert torch.equal(absmax.round(values), torch.round(127 * values / values.abs().max()).to(torch.int8))
    scale = 255 / (values.max() - values.min())
    zero = -torch.round(scale * values.min()) - 128
    assert zero_point.zero == zero
    difference = zero_point.round(values).int() - torch.clamp(torch.round(scale * values + zero), -128, 127).int()
    # A half may fall to either side: a division is not exactly a multiplication by the inverse.
    assert difference.abs().max() <= 1 and (difference != 0).float().mean() < 0.1


@pytest.mark.parametrize("rounding", ["absmax", "zero-point"])
@pytest.mark.parametrize("low,high", [(-1.0, 1.0), (0.5, 3.0), (-7.0, -2.0), (0.0, 0.0), (-1e-8, 1e8)])
def test_a_number_within_the_range_is_read_back_half_a_step_away_at_most(rounding, low, high):
    values = torch.linspace(low, high, 101)
    grid = GRIDS[rounding](values.min(), values.max())
    assert -128 <= grid.zero <= 127
    assert (grid.read(grid.round(values)) - values).abs().max() <= grid.scale * 0.5001
    assert grid.read(grid.round(torch.zeros(1))) == 0


@pytest.mark.parametrize("rounding", ["absmax", "zero-point"])
def test_whole_numbers_multiply_to_what_they_stand_for(rounding):
    torch.manual_seed(0)
    weight, values = torch.randn(24, 16) + 0.3, torch.randn(2, 5, 16) * 3 + 1
    rounded, grid = round_rows(weight, rounding)
    inputs = GRIDS[rounding](values.min().reshape(1), values.max().reshape(1))
    layer = Int8Linear(rounded, grid, inputs, torch.nn.Parameter(torch.ones(24)))
    expected = torch.nn.functional.linear(inputs.read(inputs.round(values)), grid.read(rounded), torch.ones(24))
    torch.testing.assert_close(layer(values), expected, rtol=1e-4, atol=1e-4)
    assert isinstance(grid, Grid)

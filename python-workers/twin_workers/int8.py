"""
Weights and inputs of linear layers as whole numbers of 8 bits.

Absmax: `q = round(127 x / max|x|)`. Zero point: `S = 255 / (max - min)`, `Z = -round(S min) - 128`,
`q = clip(round(S x + Z), -128, 127)`, where the range is widened to hold 0, so that `Z` itself fits into 8 bits.
Both are read back as `x = (q - Z) * scale`, with `Z = 0` for absmax.
"""

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Grid:
    """The steps onto which numbers are rounded: `scale` is their width, `zero` the whole number that stands for 0."""

    scale: torch.Tensor
    zero: torch.Tensor

    def round(self, values: torch.Tensor) -> torch.Tensor:
        """The nearest whole numbers, as int8."""
        return torch.clamp(torch.round(values / self.scale + self.zero), -128, 127).to(torch.int8)

    def read(self, rounded: torch.Tensor) -> torch.Tensor:
        """What the whole numbers stand for, as float32."""
        return (rounded.float() - self.zero) * self.scale


def absmax_grid(low: torch.Tensor, high: torch.Tensor) -> Grid:
    """The grid of numbers between `low` and `high` that is symmetric around 0."""
    most = torch.maximum(low.abs(), high.abs())
    return Grid(_positive(most / 127), torch.zeros_like(most))


def zero_point_grid(low: torch.Tensor, high: torch.Tensor) -> Grid:
    """The grid that spends all of its 256 steps on the numbers between `low` and `high`, and 0."""
    low, high = low.clamp(max=0), high.clamp(min=0)
    width = _positive((high - low) / 255)
    return Grid(width, -torch.round(low / width) - 128)


GRIDS = {"absmax": absmax_grid, "zero-point": zero_point_grid}


def _positive(widths: torch.Tensor) -> torch.Tensor:
    """Where all numbers are 0, any width reads them back."""
    return torch.where(widths > 0, widths, torch.ones_like(widths))


def round_rows(weight: torch.Tensor, rounding: str) -> tuple[torch.Tensor, Grid]:
    """A matrix `[out, in]` as int8, each row on a grid of its own, `[out, 1]`."""
    rows = weight.detach().float()
    grid = GRIDS[rounding](rows.amin(1, keepdim=True), rows.amax(1, keepdim=True))
    return grid.round(rows), grid


class Int8Linear(torch.nn.Module):
    """
    A linear layer that holds int8 weights, each row on a grid of its own.

    With a grid for its input, it multiplies whole numbers: `sum (qx - Zx)(qw - Zw) = qx qw - Zx sum qw - Zw sum qx + n Zx Zw`.
    Without one, the weights are read back before they are used.
    """

    def __init__(self, weight: torch.Tensor, grid: Grid, inputs: Grid | None, bias: torch.nn.Parameter | None) -> None:
        super().__init__()
        self.grid, self.inputs, self.bias = grid, inputs, bias
        self.register_buffer("weight", weight)
        self.register_buffer("row_sums", weight.sum(1, dtype=torch.int32))

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """`[…, in]` to `[…, out]`."""
        if self.inputs is None:
            return torch.nn.functional.linear(values, self.grid.read(self.weight), self.bias)
        rounded = self.inputs.round(values).reshape(-1, values.shape[-1])
        weight_zero, input_zero = self.grid.zero[:, 0], self.inputs.zero
        sums = rounded.sum(1, dtype=torch.int32)[:, None]
        products = torch._int_mm(rounded, self.weight.t())
        whole = products - input_zero * self.row_sums - weight_zero * sums + rounded.shape[1] * input_zero * weight_zero
        result = (whole * self.inputs.scale * self.grid.scale[:, 0]).reshape(*values.shape[:-1], -1)
        return result if self.bias is None else result + self.bias


@torch.inference_mode()
def input_ranges(
    model: torch.nn.Module, layers: dict[str, torch.nn.Linear], rows: list[list[int]]
) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
    """The least and the largest number that each layer is given while the model reads the rows."""
    ranges: dict[str, tuple[torch.Tensor, torch.Tensor]] = {}

    def watch(name: str):
        def look(_module: torch.nn.Module, given: tuple[torch.Tensor, ...]) -> None:
            low, high = given[0].amin().float().cpu(), given[0].amax().float().cpu()
            known = ranges.get(name, (low, high))
            ranges[name] = (torch.minimum(known[0], low), torch.maximum(known[1], high))

        return look

    hooks = [layer.register_forward_pre_hook(watch(name)) for name, layer in layers.items()]
    try:
        for ids in rows:
            model(input_ids=torch.tensor([ids], device=next(model.parameters()).device))
    finally:
        for hook in hooks:
            hook.remove()
    return ranges

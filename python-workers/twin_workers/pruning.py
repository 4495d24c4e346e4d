"""
Which parts of a Llama-shaped model matter least, and the model without them.

Single weights are set to zero, by magnitude or by Wanda: `|w| * ||x||`, the weight times the norm of what it is given, compared
within each row (Sun et al., 2023, arXiv:2306.11695). Whole neurons, heads and layers are cut out, so that the model becomes smaller:
neurons and heads by the Wanda scores of the columns that read them, layers by how little they turn what passes through them
(1 - cosine; Men et al., 2024, arXiv:2403.03853).
"""

from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING

import torch
from torch import nn

from twin_workers.protocol import JobFailure

if TYPE_CHECKING:
    from transformers import PreTrainedModel

Norms = dict[str, torch.Tensor]


def linear_layers(model: "PreTrainedModel") -> dict[str, nn.Linear]:
    """The matrices inside of the decoder's layers, by name; neither embeddings nor the head."""
    return {name: layer for name, layer in model.named_modules() if isinstance(layer, nn.Linear) and ".layers." in name}


@torch.inference_mode()
def input_norms(model: "PreTrainedModel", rows: list[list[int]]) -> Norms:
    """For each matrix the norm of each of its inputs over all tokens of the rows, `[in]`."""
    squares: Norms = {}

    def watch(name: str) -> Callable[[nn.Module, tuple[torch.Tensor, ...]], None]:
        def look(_layer: nn.Module, given: tuple[torch.Tensor, ...]) -> None:
            squares[name] = squares.get(name, 0) + given[0].float().flatten(0, -2).square().sum(0)

        return look

    hooks = [layer.register_forward_pre_hook(watch(name)) for name, layer in linear_layers(model).items()]
    try:
        for ids in rows:
            model(input_ids=torch.tensor([ids], device=model.device))
    finally:
        for hook in hooks:
            hook.remove()
    return {name: total.sqrt() for name, total in squares.items()}


@torch.no_grad()
def zero_weights(model: "PreTrainedModel", share: float, norms: Norms | None) -> None:
    """Set the share of the weights that matter least to zero: of each matrix by magnitude, of each row by Wanda where norms are given."""
    for name, layer in linear_layers(model).items():
        weight = layer.weight
        scores = weight.abs() if norms is None else weight.abs() * norms[name]
        groups = scores.reshape(1, -1) if norms is None else scores
        least = groups.argsort(dim=1, stable=True)[:, : int(share * groups.shape[1])]
        keep = torch.ones_like(groups).scatter_(1, least, 0)
        weight.mul_(keep.reshape(weight.shape))


@torch.no_grad()
def cut_neurons(model: "PreTrainedModel", share: float, norms: Norms) -> None:
    """Cut the share of the hidden neurons of each feed-forward block that the block's output reads least."""
    count = _kept(model.config.intermediate_size, share, "neurons")
    for number, layer in enumerate(model.model.layers):
        block = layer.mlp
        scores = (block.down_proj.weight.abs() * norms[f"model.layers.{number}.mlp.down_proj"]).sum(0)
        kept = _best(scores, count)
        for name in ("gate_proj", "up_proj"):
            setattr(block, name, _rows_of(getattr(block, name), kept))
        block.down_proj = _columns_of(block.down_proj, kept)
        block.intermediate_size = count
    model.config.intermediate_size = count


@torch.no_grad()
def cut_heads(model: "PreTrainedModel", share: float, norms: Norms) -> None:
    """Cut the share of the heads of each attention that its output reads least; queries that share keys go together."""
    config = model.config
    groups, size = config.num_key_value_heads, _head_size(model)
    queries = config.num_attention_heads // groups
    count = _kept(groups, share, "groups of heads")
    for number, layer in enumerate(model.model.layers):
        attention = layer.self_attn
        scores = (attention.o_proj.weight.abs() * norms[f"model.layers.{number}.self_attn.o_proj"]).sum(0)
        kept = _best(scores.reshape(groups, -1).sum(1), count)
        of_keys = (kept[:, None] * size + torch.arange(size)).flatten()
        of_queries = (kept[:, None] * queries * size + torch.arange(queries * size)).flatten()
        for name, rows in (("q_proj", of_queries), ("k_proj", of_keys), ("v_proj", of_keys)):
            setattr(attention, name, _rows_of(getattr(attention, name), rows))
        attention.o_proj = _columns_of(attention.o_proj, of_queries)
    # The size of a head no longer follows from the number of heads.
    config.num_attention_heads, config.num_key_value_heads, config.head_dim = count * queries, count, size


@torch.inference_mode()
def layer_influence(model: "PreTrainedModel", rows: list[list[int]]) -> torch.Tensor:
    """For each layer 1 - the mean cosine between what goes in and what comes out, over all tokens of the rows, `[layers]`."""
    total, tokens = torch.zeros(model.config.num_hidden_layers), 0
    for ids in rows:
        states = model.model(input_ids=torch.tensor([ids], device=model.device), output_hidden_states=True).hidden_states
        # The last state went through the final norm as well, which the cosine sees through but for its weights.
        for number, (before, after) in enumerate(pairwise(states)):
            total[number] += (1 - nn.functional.cosine_similarity(before.float(), after.float(), dim=-1)).sum().cpu()
        tokens += len(ids)
    return total / tokens


def cut_layers(model: "PreTrainedModel", share: float, influence: torch.Tensor) -> None:
    """Cut the share of the layers that turn least what passes through them."""
    kept = _best(influence, _kept(model.config.num_hidden_layers, share, "layers")).tolist()
    model.model.layers = nn.ModuleList([model.model.layers[number] for number in kept])
    for number, layer in enumerate(model.model.layers):
        layer.self_attn.layer_idx = number
    model.config.num_hidden_layers = len(kept)
    if getattr(model.config, "layer_types", None) is not None:
        model.config.layer_types = [model.config.layer_types[number] for number in kept]


def _head_size(model: "PreTrainedModel") -> int:
    return getattr(model.config, "head_dim", None) or model.config.hidden_size // model.config.num_attention_heads


def _kept(count: int, share: float, what: str) -> int:
    """How many of so many stay; a JobFailure where the share is less than one of them."""
    cut = int(share * count)
    if cut == 0:
        message = f"A share of {share:g} of {count} {what} is none of them"
        raise JobFailure("configuration", message, where="params.share", hint="cut more, or choose another method")
    return count - cut


def _best(scores: torch.Tensor, count: int) -> torch.Tensor:
    """The places of the highest scores, in the order of the places."""
    return scores.argsort(descending=True, stable=True)[:count].sort().values.cpu()


def _rows_of(layer: nn.Linear, rows: torch.Tensor) -> nn.Linear:
    return _linear(layer.weight[rows], None if layer.bias is None else layer.bias[rows])


def _columns_of(layer: nn.Linear, columns: torch.Tensor) -> nn.Linear:
    return _linear(layer.weight[:, columns], layer.bias)


def _linear(weight: torch.Tensor, bias: torch.Tensor | None) -> nn.Linear:
    layer = nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None, device="meta")
    layer.weight = nn.Parameter(weight.detach().clone())
    if bias is not None:
        layer.bias = nn.Parameter(bias.detach().clone())
    return layer

"""Answers token by token: greedy or sampled, a batch at a time, each row by its own numbers."""

import hashlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import torch

from twin_workers.model_folder import context_length
from twin_workers.protocol import JobFailure

if TYPE_CHECKING:
    from transformers import PreTrainedModel

# With less of a prompt than this left in the window, an answer would be to another question.
_LEAST_PROMPT = 16


def prompt_limit(model: "PreTrainedModel", max_new_tokens: int) -> int:
    """How many tokens of a prompt fit beside the answer."""
    limit = context_length(model) - max_new_tokens
    if limit < _LEAST_PROMPT:
        message = f"maxNewTokens {max_new_tokens} leaves no room for a prompt in the model's {context_length(model)} tokens"
        raise JobFailure("configuration", message, hint=f"set it to at most {context_length(model) - _LEAST_PROMPT}")
    return limit


def fitting(prompt: list[int], limit: int) -> list[int]:
    """The end of a prompt that is too long: the answer must follow the end of the template."""
    return prompt[-limit:]


def row_generator(seed: int, name: str) -> torch.Generator:
    """Random numbers that belong to one row: the same in any batch and any order."""
    digest = hashlib.sha256(f"{seed}:{name}".encode("utf-8", "replace")).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:7], "big"))


@torch.inference_mode()
def generate(
    model: "PreTrainedModel",
    prompts: Sequence[list[int]],
    max_new_tokens: int,
    temperature: float,
    generators: Sequence[torch.Generator],
    end: int,
    padding: int,
) -> Iterator[list[int | None]]:
    """
    The next token of every prompt, round by round; None for a row that has ended.

    Prompts are padded on the left and the padding is masked, so that a row does not see its neighbours:
    what they change is the order of additions inside a matrix product, some 1e-6 of a logit.
    """
    longest = max(map(len, prompts))
    ids = torch.tensor([[padding] * (longest - len(prompt)) + prompt for prompt in prompts], device=model.device)
    mask = torch.tensor([[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts], device=model.device)
    positions = (mask.cumsum(-1) - 1).clamp(min=0)
    ended = [False] * len(prompts)
    cache = None
    for _ in range(max_new_tokens):
        output = model(input_ids=ids, attention_mask=mask, position_ids=positions, past_key_values=cache, use_cache=True, logits_to_keep=1)
        cache = output.past_key_values
        tokens = _choose(output.logits[:, -1].float().cpu(), temperature, generators)
        ended = [was or token == end for was, token in zip(ended, tokens, strict=True)]
        yield [None if over else token for over, token in zip(ended, tokens, strict=True)]
        if all(ended):
            return
        ids = torch.tensor([[token] for token in tokens], device=model.device)
        mask = torch.cat([mask, mask.new_ones(len(prompts), 1)], dim=1)
        positions = positions[:, -1:] + 1


def _choose(logits: torch.Tensor, temperature: float, generators: Sequence[torch.Generator]) -> list[int]:
    if not torch.isfinite(logits).any(dim=-1).all():
        raise JobFailure("model", "The model gives no number for the next token: its weights are broken")
    if temperature == 0:
        return logits.argmax(-1).tolist()
    cumulative = torch.softmax(logits.double() / temperature, dim=-1).cumsum(-1)
    draws = torch.stack([torch.rand(1, dtype=torch.float64, generator=generator) for generator in generators])
    return torch.searchsorted(cumulative, draws * cumulative[:, -1:]).squeeze(-1).clamp(max=logits.shape[-1] - 1).tolist()

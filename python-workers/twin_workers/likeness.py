"""How far two forms of one model are apart, asked by fixed prompts: adapter and merged, whole and rounded."""

import time
from typing import TYPE_CHECKING

import torch

from twin_workers.prompts import Prompts
from twin_workers.protocol import JobFailure

if TYPE_CHECKING:
    from pathlib import Path

    from transformers import PreTrainedTokenizerFast

# Never to change lightly: differences of versions are compared on these.
INSTRUCTIONS = (
    "What is this text about?",
    "Explain how the parts work together, and why.",
    "List the steps in order.",
    "Übersetze: „naïve café“ — 日本語 😀",
    "def add(a, b):\n    return a + b",
    "1, 2, 3, 5, 8, 13",
    "a",
    "Summarize the following section in one sentence. " * 8,
)


def fixed_prompts(tokenizer: "PreTrainedTokenizerFast", template: str) -> list[list[int]]:
    """The token ids of every fixed prompt, rendered as in training."""
    prompts = Prompts(tokenizer, template)
    return [prompts.prompt(instruction) for instruction in INSTRUCTIONS]


@torch.inference_mode()
def logits(model: torch.nn.Module, prompts: list[list[int]]) -> list[torch.Tensor]:
    """The logits of each prompt, `[tokens, vocabulary]`, in 32 bits on the CPU."""
    device = next(model.parameters()).device
    return [model(input_ids=torch.tensor([ids], device=device)).logits[0].float().cpu() for ids in prompts]


def mean_kl(model: list[torch.Tensor], other: list[torch.Tensor]) -> float:
    """KL(model || other) of the next token in nats: the mean over the tokens of each prompt, and then over prompts."""
    divergences = []
    for one, two in zip(model, other, strict=True):
        one, two = one.double().log_softmax(-1), two.double().log_softmax(-1)
        divergences.append((one.exp() * (one - two)).sum(-1).mean().item())
    return sum(divergences) / len(divergences)


def same_first_choice(model: list[torch.Tensor], other: list[torch.Tensor]) -> float:
    """The share of tokens after which both hold the same token for the likeliest."""
    agree = torch.cat([one.argmax(-1) == two.argmax(-1) for one, two in zip(model, other, strict=True)])
    return agree.float().mean().item()


def tokens_per_second(model: torch.nn.Module, prompts: list[list[int]], rounds: int = 3) -> float:
    """How many tokens the model reads in a second here: the best of some rounds over the prompts."""
    best = float("inf")
    for _ in range(rounds):
        start = time.perf_counter()
        logits(model, prompts)
        best = min(best, time.perf_counter() - start)
    return sum(map(len, prompts)) / best


def refuse_another_model(form: str, kl: float, most: float, where: "Path", hint: str) -> None:
    """Throws where the rounded form says something else than its model."""
    # Not `>`: a difference that is not a number must not pass.
    if not kl <= most:
        raise JobFailure(
            "model", f"As {form} the model is another one: mean KL {kl:.3g} nats a token, allowed are {most:g}", where=str(where), hint=hint
        )

"""How likely a model finds given answers: the summed negative log likelihood of their tokens, in nats."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from transformers import PreTrainedModel

# A window of tokens, and from which of them on they count.
_Window = tuple[list[int], int]


@torch.inference_mode()
def answer_losses(
    model: "PreTrainedModel", rows: Sequence[tuple[list[int], list[int]]], context: int, batch_size: int, padding: int
) -> Iterator[tuple[int, float]]:
    """
    For rows of prompt and answer tokens: `(index, nats)`, each index once or more, to be added up.

    An answer that does not fit is scored in windows that overlap by half, so that every token counts once and none lacks context.
    Windows of like length are scored together.
    """
    windows = [(index, window) for index, (prompt, answer) in enumerate(rows) for window in _windows(prompt, answer, context)]
    windows.sort(key=lambda item: -len(item[1][0]))
    for begin in range(0, len(windows), batch_size):
        batch = windows[begin : begin + batch_size]
        for (index, _), loss in zip(batch, _losses(model, [window for _, window in batch], padding), strict=True):
            yield index, loss


def _windows(prompt: list[int], answer: list[int], context: int) -> Iterator[_Window]:
    ids = prompt + answer
    # The first token of all has nothing before it and cannot be predicted.
    scored = max(len(prompt), 1)
    while scored < len(ids):
        start = 0 if len(ids) <= context else max(0, min(scored - context // 2, len(ids) - context))
        stop = min(len(ids), start + context)
        yield ids[start:stop], scored - start
        scored = stop


def _losses(model: "PreTrainedModel", windows: list[_Window], padding: int) -> list[float]:
    longest = max(len(ids) for ids, _ in windows)
    # Padding on the right: no token looks at what follows it.
    ids = torch.tensor([row + [padding] * (longest - len(row)) for row, _ in windows], device=model.device)
    mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row, _ in windows], device=model.device)
    logits = model(input_ids=ids, attention_mask=mask, use_cache=False).logits[:, :-1].float()
    losses = torch.nn.functional.cross_entropy(logits.transpose(1, 2), ids[:, 1:], reduction="none").double()
    return [losses[row, first - 1 : len(window) - 1].sum().item() for row, (window, first) in enumerate(windows)]

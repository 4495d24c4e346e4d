"""Several samples in one row, and the proof that the model's attention keeps them apart."""

from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from datasets import Dataset
    from transformers import PreTrainedModel

# What is left between alone and packed is rounding: at most this share of what looking across would change.
_LEFT_SHARE, _ROUNDING = 0.1, 1e-4


def pack(rows: list[dict[str, list[int]]], length: int) -> "Dataset":
    """Rows of at most `length` tokens, filled best fit first, with `seq_lengths`; no sample is cut or divided."""
    from datasets import Dataset
    from trl import pack_dataset

    return pack_dataset(Dataset.from_list(rows), length, "bfd")


@torch.inference_mode()
def keeps_apart(model: "PreTrainedModel", rows: list[dict[str, Any]]) -> bool:
    """
    Whether the model answers for a sample behind another one as it does for the sample alone.

    Positions that begin anew are all that tells it where a sample ends, as in training; not every attention heeds them.
    """
    first, second = (row["input_ids"] for row in sorted(rows, key=lambda row: len(row["input_ids"]))[:2])
    ids = torch.tensor([first + second], device=model.device)
    anew = torch.tensor([[*range(len(first)), *range(len(second))]], device=model.device)

    def logits(**inputs: torch.Tensor) -> torch.Tensor:
        return model(**inputs, use_cache=False).logits[0, -len(second) :].float()

    alone = logits(input_ids=ids[:, len(first) :])
    across = (logits(input_ids=ids) - alone).abs().max().item()
    apart = (logits(input_ids=ids, position_ids=anew) - alone).abs().max().item()
    return apart <= max(_ROUNDING, _LEFT_SHARE * across)

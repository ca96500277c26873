"""A small random cross-encoder, with its weights and its ONNX graph."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path
from typing import Any

from tests.paths import SMALL_MODEL
from tests.toy import write_json

TOKENIZER = SMALL_MODEL / "document_0_MLMTransformer"
LENGTH, VOCABULARY = 64, 30522


def write_cross_encoder(folder: Path, *, labels: int = 1) -> Path:
    """Write a BERT of two layers that reads pairs; its scores differ clearly between texts."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification

    torch.manual_seed(3)
    config = BertConfig(
        vocab_size=VOCABULARY,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=LENGTH,
        initializer_range=0.4,
        num_labels=labels,
    )
    model = BertForSequenceClassification(config).eval()
    model.save_pretrained(folder)
    shutil.copy(TOKENIZER / "tokenizer.json", folder / "tokenizer.json")
    settings = {"tokenizer_class": "BertTokenizerFast", "model_max_length": LENGTH, "do_lower_case": True}
    write_json(folder / "tokenizer_config.json", settings)
    (folder / "onnx").mkdir()
    ids = torch.ones((2, 8), dtype=torch.long)
    sizes = {0: "pairs", 1: "tokens"}
    names = ["input_ids", "attention_mask", "token_type_ids"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of tracing, and of the exporter's age
        torch.onnx.export(
            _logits_of(model),
            (ids, ids, torch.zeros_like(ids)),
            str(folder / "onnx" / "model.onnx"),
            input_names=names,
            output_names=["logits"],
            dynamic_axes=dict.fromkeys(names, sizes) | {"logits": {0: "pairs"}},
            dynamo=False,
        )
    return folder


def _logits_of(model: Any) -> Any:
    """Return a module of the three inputs by place that returns logits alone, for the export."""
    import torch

    class Logits(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, *inputs: Any) -> Any:
            return self.model(*inputs).logits

    return Logits()

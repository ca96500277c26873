"""Small random models to train from and with, and the training of a few steps."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from examples.train.train import main
from tests.encode.architectures import SIZE, TOKENIZERS, masked_language_model
from tests.examples.test_train import write_pairs

OPTIONS = ["--steps", "16", "--batch-size", "8", "--max-length", "24", "--held-out", "0", "--learning-rate", "1e-3"]
"""Sixteen steps: after four, the loss of one random start of sixteen had grown."""

needs_torch = pytest.mark.skipif(
    any(find_spec(name) is None for name in ("accelerate", "datasets", "sentence_transformers")),
    reason="accelerate, datasets or sentence-transformers is not installed (dependency group 'train', extra 'encode').",
)


def write_backbone(folder: Path, architecture: str, **options: Any) -> Path:
    """Save a random masked language model with a tokenizer of its kind."""
    import torch

    torch.manual_seed(0)
    masked_language_model(architecture, **options).save_pretrained(folder)
    TOKENIZERS[architecture]().save_pretrained(folder)
    return folder


def write_cross_encoder(folder: Path, *, labels: int = 1) -> Path:
    """Save a random cross-encoder."""
    import torch
    from transformers import AutoConfig, AutoModelForSequenceClassification

    torch.manual_seed(1)
    shape = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    config = AutoConfig.for_model("bert", vocab_size=SIZE, num_labels=labels, initializer_range=0.3, **shape)
    AutoModelForSequenceClassification.from_config(config).save_pretrained(folder)
    TOKENIZERS["bert"]().save_pretrained(folder)
    return folder


def train(folder: Path, *options: str, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """Train in a folder of which the model is `model`, and return the summary."""
    main([str(write_pairs(folder)), str(folder / "model"), *OPTIONS, *options])
    summary: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return summary

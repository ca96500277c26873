"""How tests save a transformer with its tokenizer."""

from __future__ import annotations

from inspect import signature
from pathlib import Path
from typing import Any


def save_backbone(folder: Path, tokenizer: Any, model: Any) -> None:
    """Save a tokenizer that returns what the model takes.

    Transformers before 5 returns token types from every tokenizer whose class is not that of one model, and DistilBERT
    and MPNet take none.
    """
    taken = signature(model.forward).parameters
    names = [name for name in tokenizer.model_input_names if name in taken]
    tokenizer.model_input_names = tokenizer.init_kwargs["model_input_names"] = names
    tokenizer.save_pretrained(folder)
    model.save_pretrained(folder)

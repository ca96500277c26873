"""What sentence-transformers makes of texts, how far our vectors are from it, and which transformers can be asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

TOLERANCE = 3e-5
"""Noise of float32 is 1e-5."""
NEGLIGIBLE = 1e-4
"""A token of less weight may be there or not."""
TRANSFORMERS_4 = version("transformers").startswith("4.")
needs_transformers_5 = pytest.mark.skipif(
    TRANSFORMERS_4, reason="transformers 4 reads neither layer_types of ModernBERT nor a decoder beside tied embeddings"
)
HAS_GTE = find_spec("transformers.models.gte") is not None
needs_gte = pytest.mark.skipif(not HAS_GTE, reason="transformers before 5.18 has no GTE network")


@cache
def reference_model(folder: Path) -> Any:
    import torch
    from sentence_transformers import SparseEncoder

    torch.set_num_threads(1)  # the cores may be busy, and two threads then wait for each other
    return SparseEncoder(str(folder), device="cpu", local_files_only=True).to(torch.float32)


def reference_vectors(folder: Path, texts: Sequence[str]) -> list[dict[str, float]]:
    """Encode with SparseEncoder.encode_document and decode; special tokens and blank texts taken out."""
    model = reference_model(folder)
    special = set(model.tokenizer.all_special_tokens)
    rows = model.decode(model.encode_document(list(texts), batch_size=4))
    return [
        {token: weight for token, weight in row if token not in special} if text.strip() else {}
        for text, row in zip(texts, rows, strict=True)
    ]


def assert_agree(ours: Sequence[Mapping[str, float]], theirs: Sequence[Mapping[str, float]]) -> None:
    for position, (one, other) in enumerate(zip(ours, theirs, strict=True)):
        assert heavy(one) <= other.keys(), position
        assert heavy(other) <= one.keys(), position
        worst = max((abs(one.get(token, 0.0) - other.get(token, 0.0)) for token in {*one, *other}), default=0.0)
        assert worst <= TOLERANCE, (position, worst)


def heavy(vector: Mapping[str, float]) -> set[str]:
    return {token for token, weight in vector.items() if weight > NEGLIGIBLE}

"""An index that was stamped must open for ever: its mappings are committed, and nothing here writes them."""

import json
from pathlib import Path
from typing import Any

import pytest

from opensearch_neural_sparse.encode.chunking import ChunkOptions
from opensearch_neural_sparse.encode.pruning import Prune, PruneType
from opensearch_neural_sparse.index.binding.model_binding import ModelBinding, read_bindings, write_bindings

SAVED = Path(__file__).parent / "saved" / "mappings.json"


@pytest.fixture(scope="module")
def mappings() -> dict[str, Any]:
    saved: dict[str, Any] = json.loads(SAVED.read_text(encoding="utf-8"))
    return saved


def test_the_saved_stamp_is_read(mappings: dict[str, Any]) -> None:
    binding = read_bindings(mappings)["sparse_vector"]
    assert binding == ModelBinding(
        model="opensearch-project/opensearch-neural-sparse-encoding-doc-v3-distill",
        revision="babf71f3c48695e2e53a978208e8aba48335e3c0",
        query_sha256="1" * 64,
        weights_sha256="2" * 64,
        mode="doc-only",
        activation="log1p_relu",
        prune={"type": "max_ratio", "ratio": 0.1},
        max_length=512,
        chunking={"tokens": 256, "overlap": 32},
        text_field="content",
    )
    assert binding.prune_rule == Prune(type=PruneType.MAX_RATIO, ratio=0.1)
    assert binding.chunking is not None
    assert ChunkOptions(**binding.chunking) == ChunkOptions(tokens=256, overlap=32)


def test_the_saved_stamp_is_written_as_it_was(mappings: dict[str, Any]) -> None:
    written = write_bindings(read_bindings(mappings), mappings["_meta"])
    assert json.dumps({"_meta": written}, indent=2) + "\n" == SAVED.read_text(encoding="utf-8")

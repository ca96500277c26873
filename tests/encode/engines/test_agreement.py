"""Both engines against sentence-transformers, over models of every published shape, with random weights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from opensearch_neural_sparse.encode.document_encoder import load_document_encoder
from opensearch_neural_sparse.encode.engines.torch_engine.network import TorchNetwork
from opensearch_neural_sparse.models.files.resolve import resolve_files
from opensearch_neural_sparse.models.registry import get_model
from tests.encode.agreement import assert_agree, reference_vectors
from tests.encode.texts import ODD_TEXTS, passages
from tests.snapshots import to_hub_layout

pytestmark = pytest.mark.slow

TEXTS = [*ODD_TEXTS, *passages(480)]
MODELS: dict[str, dict[str, Any]] = {
    "doc-only": {"mode": "doc-only", "layers": 2},
    "bi-encoder": {"mode": "bi-encoder"},
    "double log, DistilBERT": {"activation": "log1p_relu", "architecture": "distilbert", "layers": 2},
    "mBERT vocabulary": {"vocabulary": "mbert", "hidden": 16},
}


@pytest.fixture(scope="module", params=list(MODELS))
def folder(request: pytest.FixtureRequest, snapshot: Callable[..., Path]) -> Path:
    return snapshot(**MODELS[request.param])


@pytest.fixture(scope="module")
def expected(folder: Path) -> list[dict[str, float]]:
    return reference_vectors(folder, TEXTS)


@pytest.mark.parametrize("engine", ["onnx", "torch"])
def test_an_engine_gives_the_vectors_of_sentence_transformers(
    engine: str, folder: Path, expected: list[dict[str, float]]
):
    encoder = load_document_encoder(folder, engine=engine)
    vectors = encoder.encode_documents(TEXTS)
    assert sum(map(len, vectors)) > 20 * len(TEXTS)
    assert_agree(vectors, expected)
    if isinstance(encoder.network, TorchNetwork):
        assert encoder.network.head is not None


def test_a_limit_of_active_dimensions_is_that_of_sentence_transformers(folder: Path, expected: list[dict[str, float]]):
    encoder = load_document_encoder(folder, engine="onnx", max_active_dims=10)
    for vector, whole in zip(encoder.encode_documents(TEXTS[:60]), expected, strict=False):
        weights = sorted(whole.values(), reverse=True)[:10]
        assert sorted(vector.values(), reverse=True) == pytest.approx(weights, abs=3e-5)


@pytest.mark.parametrize("engine", ["onnx", "torch"])
def test_the_layout_of_the_hub_is_the_same_model(engine: str, snapshot: Callable[..., Path], tmp_path: Path):
    folder = snapshot(**MODELS["doc-only"])
    files = resolve_files(get_model(to_hub_layout(folder, tmp_path / "hub")))
    vectors = load_document_encoder(files, engine=engine).encode_documents(TEXTS[:40])
    assert_agree(vectors, load_document_encoder(folder, engine="onnx").encode_documents(TEXTS[:40]))

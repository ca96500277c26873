"""Document vectors of the published models, where their weights are in the hub's cache, by both engines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from opensearch_neural_sparse.encode.document_encoder import load_document_encoder
from opensearch_neural_sparse.encode.sparse_vector import SparseVector
from opensearch_neural_sparse.errors import ModelFilesError
from opensearch_neural_sparse.models.catalog.opensearch import OPENSEARCH
from opensearch_neural_sparse.models.files.resolve import ModelFiles, resolve_files
from opensearch_neural_sparse.models.registry import get_model
from tests.encode.agreement import assert_agree, reference_vectors
from tests.encode.texts import ODD_TEXTS, passages
from tests.paths import GOLDEN

pytestmark = pytest.mark.hub

ENGINES = pytest.mark.parametrize("engine", ["onnx", "torch"])


def files_of(model: str) -> ModelFiles:
    try:
        return resolve_files(get_model(model), local_files_only=True)
    except ModelFilesError as error:
        pytest.skip(str(error))


def golden(name: str) -> dict:
    path: Path = GOLDEN / name
    if not path.is_file():
        pytest.skip(f"the published vectors are not at {path}")
    return json.loads(path.read_text())


def weather_vector(model: str, engine: str) -> SparseVector:
    encoder = load_document_encoder(files_of(model), engine=engine)
    return encoder.encode_documents([golden("published_examples.json")["weather"]["document"]])[0]


@ENGINES
def test_doc_v3_gte_gives_its_published_vector(engine: str):
    expected = golden("doc_v3_gte_weather_document.json")
    vector = weather_vector("doc-v3-gte", engine)
    assert vector.keys() == expected.keys()
    assert vector.to_dict() == pytest.approx(expected, abs=1e-3)


@ENGINES
def test_doc_v3_distill_gives_its_published_top_ten(engine: str):
    expected = golden("published_examples.json")["weather"]["doc_v3_distill_document_top10"]
    assert dict(weather_vector("doc-v3-distill", engine).top(10)) == pytest.approx(expected, abs=1e-4)


@ENGINES
def test_doc_v2_distill_gives_its_published_weights(engine: str):
    expected = golden("published_examples.json")["weather"]["doc_v2_distill_document"]
    vector = weather_vector("doc-v2-distill", engine)
    assert {token: vector[token] for token in expected} == pytest.approx(expected, abs=1e-3)


@ENGINES
@pytest.mark.parametrize("model", [spec.name for spec in OPENSEARCH if spec.name != "doc-v3-gte"])
def test_real_weights_give_the_vectors_of_sentence_transformers(model: str, engine: str):
    files, texts = files_of(model), [*ODD_TEXTS, *passages(30)]
    vectors = load_document_encoder(files, engine=engine).encode_documents(texts)
    assert_agree(vectors, reference_vectors(files.root, texts))

"""The published models themselves, where their weights are in the hub's cache: facts, examples and scores."""

import json

import pytest

from opensearch_neural_sparse import (
    ModelFiles,
    ModelFilesError,
    load_document_encoder,
    load_query_encoder,
    resolve_files,
)
from opensearch_neural_sparse.models.catalog.opensearch import OPENSEARCH
from opensearch_neural_sparse.models.files.metadata import read_spec
from tests.paths import GOLDEN

pytestmark = pytest.mark.hub

RED_PLANET = (
    "Venus is often called Earth's twin because of its similar size and proximity.",
    "Mars, known for its reddish appearance, is often referred to as the Red Planet.",
    "Jupiter, the largest planet in our solar system, has a prominent red spot.",
    "Saturn, famous for its rings, is sometimes mistaken for the Red Planet.",
)
"""The documents of sentence-transformers' own test of these models."""


@pytest.fixture(scope="module", params=OPENSEARCH, ids=lambda spec: spec.name)
def files(request: pytest.FixtureRequest) -> ModelFiles:
    try:
        return resolve_files(request.param, local_files_only=True)
    except ModelFilesError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def published() -> dict:
    path = GOLDEN / "published_examples.json"
    if not path.is_file():
        pytest.skip(f"the published examples are not at {path}")
    return json.loads(path.read_text())


def scores(files: ModelFiles, query: str, documents: list[str]) -> list[float]:
    vector = load_query_encoder(files).encode_query(query)
    return [vector.dot(document) for document in load_document_encoder(files).encode_documents(documents)]


def test_facts_of_the_catalogue_are_those_of_the_files(files: ModelFiles) -> None:
    known, read = next(spec for spec in OPENSEARCH if spec.id == files.spec.id), read_spec(files.root, id=files.spec.id)
    for name in ("mode", "activation", "vocabulary_size", "max_length", "tokenizer"):
        assert getattr(read, name) == getattr(known, name), name
    assert read.parameters in (known.parameters, None)


def test_similarity_of_the_model_card_is_met(files: ModelFiles, published: dict) -> None:
    weather = published["weather"]
    if files.spec.id not in weather["similarity"]:
        pytest.skip(f"no similarity is published for {files.spec.name}")
    (score,) = scores(files, weather["query"], [weather["document"]])
    assert score == pytest.approx(weather["similarity"][files.spec.id], abs=2e-3)


def test_scores_of_the_red_planet_are_met(files: ModelFiles, published: dict) -> None:
    expected = published["red_planet"]["scores"][files.spec.id]
    assert scores(files, published["red_planet"]["query"], list(RED_PLANET)) == pytest.approx(expected, rel=0.015)

"""Hashes of contents: what they are made of, and that they stay the same."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opensearch_neural_sparse import SparseDocument, SparseVector
from opensearch_neural_sparse.encode.sparse_vector import LARGEST_WEIGHT, SMALLEST_WEIGHT
from opensearch_neural_sparse.index.documents import serializer
from opensearch_neural_sparse.index.documents.chunks import DocumentChunk
from opensearch_neural_sparse.index.documents.vector_fields import FieldVector
from opensearch_neural_sparse.ingestion.content_hash import HASH_BYTES, content_hash
from tests.tiers import without_address

TOKENS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=6)
WEIGHTS = st.dictionaries(TOKENS, st.floats(SMALLEST_WEIGHT, LARGEST_WEIGHT), max_size=20)
HELD: list[Callable[[Any], dict[str, Any]]] = [
    lambda vector: {"vector": vector},
    lambda vector: {"chunks": [DocumentChunk(start=0, end=3, vector=vector)]},
    lambda vector: {"more_vectors": {"title": FieldVector(vector=vector)}},
]
EVERY_EXAMPLE_ALIKE = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
PLANET = SparseVector({"planet": 1.5, "sun": 0.1})
DOCUMENT = SparseDocument(id="a", text="the planet", metadata={"n": 1, "tags": ["x"]}, vector=PLANET)


@pytest.fixture(params=["orjson", "json"], autouse=True)
def _library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    serializer._serializer.cache_clear()
    if request.param == "json":
        monkeypatch.setitem(sys.modules, "orjson", None)
    yield
    serializer._serializer.cache_clear()


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({"metadata": {"n": 1, "tags": ["x"]}}, "e0c5498915fb8ffbfc9edc564f3f7672"),
        ({"vector": PLANET, "routing": "shard", "model": "m"}, "5934dfef42357a65bf671a0d78454a12"),
        ({"metadata": {"day": date(2024, 5, 1)}, "vector": PLANET}, "477c31883a17171ffb72c48cb10fbad0"),
        ({"chunks": [DocumentChunk(start=0, end=3, vector=PLANET)]}, "4d1d1428142dc849660fadef88c68edd"),
    ],
    ids=["plain", "vector", "date", "chunk"],
)
def test_hash_is_that_of_earlier_journals(parts: dict[str, Any], expected: str) -> None:
    digest = content_hash(SparseDocument(id="a", text="the planet", **parts))
    assert digest == bytes.fromhex(expected)
    assert len(digest) == HASH_BYTES


@pytest.mark.parametrize("held", HELD, ids=["vector", "chunk", "field"])
@EVERY_EXAMPLE_ALIKE
@given(weights=WEIGHTS)
def test_vector_counts_the_same_in_each_form(held: Callable[[Any], dict[str, Any]], weights: dict[str, float]) -> None:
    scalars = {token: np.float64(weight) for token, weight in weights.items()}
    texts = {token: repr(weight) for token, weight in weights.items()}
    forms = [weights, SparseVector(weights), scalars, texts]
    assert len({content_hash(SparseDocument(text="a", **held(form))) for form in forms}) == 1


@pytest.mark.parametrize("held", HELD, ids=["vector", "chunk", "field"])
@EVERY_EXAMPLE_ALIKE
@given(first=WEIGHTS, second=WEIGHTS)
def test_other_weights_and_tokens_are_another_content(
    held: Callable[[Any], dict[str, Any]], first: dict[str, float], second: dict[str, float]
) -> None:
    alike = [*first.items()] == [*second.items()]
    hashes = [content_hash(SparseDocument(text="a", **held(weights))) for weights in (first, second)]
    assert (hashes[0] == hashes[1]) is alike


@pytest.mark.parametrize(
    "change",
    [
        {"text": "the planets"},
        {"text": None},
        {"metadata": {"n": 2, "tags": ["x"]}},
        {"metadata": {"tags": ["x"], "n": 1}},
        {"vector": None},
        {"vector": {}},
        {"vector": {"planet": 1.5, "sun": 0.1 + 2**-56}},
        {"vector": {"sun": 0.1, "planet": 1.5}},
        {"routing": "shard"},
        {"model": "m"},
        {"embedding": [0.5]},
        {"extra_fields": {"blob": "x"}},
        {"chunks": [{"start": 0, "end": 3, "vector": {}}]},
        {"more_vectors": {"title": FieldVector(vector={})}},
    ],
    ids=without_address,
)
def test_each_part_but_the_id_counts(change: dict[str, Any]) -> None:
    assert content_hash(replace(DOCUMENT, **change)) != content_hash(DOCUMENT)
    assert content_hash(replace(DOCUMENT, id="b")) == content_hash(DOCUMENT)


@pytest.mark.parametrize(
    "parts",
    [
        {"metadata": {"x": object()}},
        {"text": "\ud800"},
        {"vector": {"planet": "heavy"}},
        {"vector": {"planet": None}},
        {"vector": {"planet": 10**400}},
        {"vector": [0.5]},
        {"chunks": [{"start": 0, "vector": {}}]},
        {"chunks": [{"start": 0, "end": 3, "vector": {1: 0.5}}]},
        {"more_vectors": {"title": FieldVector(vector={"\ud800": 0.5})}},
    ],
    ids=without_address,
)
def test_document_that_cannot_be_written_has_no_hash(parts: dict[str, Any]) -> None:
    assert content_hash(SparseDocument(id="a", **parts)) is None

"""Search bodies of one's own, on real servers."""

from __future__ import annotations

import copy
import math
from pathlib import Path
from typing import Any

import pytest

from opensearch_neural_sparse import (
    AsyncNeuralSparseStore,
    FilterSyntaxError,
    ModelMismatchError,
    NeuralSparseStore,
    ServerRequestError,
)
from opensearch_neural_sparse.server_info import KNN, ServerInfo
from tests.conftest import RunningServer
from tests.encoders import WordEncoder
from tests.store.conftest import MakeIndex, MakeStore
from tests.toy import IDF, write_doc_only, write_json

BODY: dict[str, Any] = {
    "size": 5,
    "query": {
        "bool": {
            "must": ["$sparse"],
            "should": [{"match": {"content": {"query": "$text", "boost": 2}}}],
            "filter": "$filters",
        }
    },
    "aggs": {"years": {"terms": {"field": "year"}}},
}


@pytest.fixture(scope="module")
def index(make_index: MakeIndex) -> str:
    return make_index(
        {"id": str(n), "text": f"planet {word}", "metadata": {"year": 2020 + n % 2}}
        for n, word in enumerate(["mars", "earth", "venus", "pluto"])
    )


@pytest.fixture
def filled(make_store: MakeStore, index: str) -> NeuralSparseStore:
    """A store to be searched only."""
    return make_store(index=index)


def test_places_of_the_body_are_filled(filled: NeuralSparseStore) -> None:
    before = copy.deepcopy(BODY)
    hits = filled.custom_search(BODY, query="planet mars")
    assert before == BODY
    assert (hits[0].id, len(hits), hits.total) == ("0", 4, 4)
    sparse = {hit.id: hit.score for hit in filled.search("planet mars")}
    words = {hit.id: hit.score for hit in filled.match_search("planet mars")}
    for hit in hits:
        assert hit.score == pytest.approx(sparse[hit.id] + 2 * words[hit.id], rel=1e-5)
        assert "sparse_vector" not in hit.source
    assert {row["key"]: row["doc_count"] for row in hits.aggregations["years"]["buckets"]} == {2020: 2, 2021: 2}


def test_filter_holds_or_is_refused(filled: NeuralSparseStore) -> None:
    condition = [{"term": {"year": 2021}}, {"exists": {"field": "content"}}]
    hits = filled.custom_search(BODY, query="planet mars", filter=condition)
    assert {hit.metadata["year"] for hit in hits} == {2021}
    with pytest.raises(ValueError, match=r"no '\$filters', so the filter would be dropped"):
        filled.custom_search({"query": "$sparse"}, query="mars", filter=condition)
    with pytest.raises(FilterSyntaxError):
        filled.custom_search(BODY, query="mars", filter={"year": 2021})


@pytest.mark.parametrize(
    ("body", "query", "reason"),
    [
        ({"query": "$sparse"}, None, "no query was given"),
        ({"query": {"match": {"content": "$text"}}}, {"mars": 1.0}, "no text was given"),
        ({"query": {"match_all": {}}}, "mars", "the query would be dropped"),
    ],
)
def test_body_and_query_have_to_fit(filled: NeuralSparseStore, body: dict[str, Any], query: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        filled.custom_search(body, query=query)


def test_body_decides_on_what_comes_back(filled: NeuralSparseStore) -> None:
    body = {"query": "$sparse", "sort": [{"year": "desc"}], "_source": ["sparse_vector"], "size": 1}
    (hit,) = hits = filled.custom_search(body, query={"planet": 1.0})
    assert math.isnan(hit.score)
    assert (list(hit.source), hit.text) == (["sparse_vector"], None)
    assert hits.response is not None
    assert hits.response["hits"]["hits"][0]["sort"] == [2021]
    assert filled.search("planet").response is None
    assert filled.custom_search({"query": "$filters", "size": 0}, filter={"term": {"year": 2020}}).total == 2


def test_query_that_knows_no_token_finds_nothing_by_them(filled: NeuralSparseStore) -> None:
    assert filled.custom_search({"query": "$sparse"}, query="") == []
    assert filled.custom_search({"query": {"bool": {"should": ["$sparse", {"match_all": {}}]}}}, query="").total == 4


def test_clauses_are_kept_within_the_server_s_limit(filled: NeuralSparseStore) -> None:
    vector = {f"t{n}": 1.0 for n in range(2000)} | {"mars": 5.0}
    hits = filled.custom_search(BODY, query="mars") and filled.custom_search({"query": "$sparse"}, query=vector)
    assert ([hit.id for hit in hits], hits.tokens_left_out > 1000) == (["0"], True)


def test_server_without_neural_search_is_asked_by_rank_features(filled: NeuralSparseStore) -> None:
    usual = filled.custom_search(BODY, query="planet mars")
    filled._context.server = ServerInfo(version=filled.server().version, plugins=frozenset({KNN}))
    assert filled.custom_search(BODY, query="planet mars") == usual


def test_body_that_the_server_refuses_is_an_error_with_its_reason(filled: NeuralSparseStore) -> None:
    with pytest.raises(ServerRequestError, match="terrm"):
        filled.custom_search({"query": {"terrm": {"year": 1}}})


def test_model_is_checked(filled: NeuralSparseStore, make_store: MakeStore, tmp_path: Path) -> None:
    other = write_doc_only(tmp_path / "other")
    (other / "query_0_SparseStaticEmbedding" / "model.safetensors").unlink()
    write_json(other / "idf.json", IDF | {"mars": 9.0})
    with pytest.raises(ModelMismatchError):
        make_store(index=filled.index, model=other, document_encoder=None).custom_search(
            {"query": "$sparse"}, query="mars"
        )


async def test_asynchronous_store_does_alike(
    filled: NeuralSparseStore, server: RunningServer, encoder: WordEncoder
) -> None:
    async with AsyncNeuralSparseStore(filled.index, url=server.url, query_encoder=encoder) as twin:
        hits = await twin.custom_search(BODY, query="planet mars", filter={"term": {"year": 2020}})
    expected = filled.custom_search(BODY, query="planet mars", filter={"term": {"year": 2020}})
    assert hits == expected
    assert hits.aggregations == expected.aggregations

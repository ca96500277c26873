"""Searching real servers: scores, filters, explanations, fusion."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from opensearch_neural_sparse import (
    FilterSyntaxError,
    Fusion,
    HybridOptions,
    IndexSchema,
    InvalidVectorError,
    NeuralSparseStore,
    PartialResultsError,
    ServerRequestError,
    SparseDocument,
    UnsupportedServerError,
)
from opensearch_neural_sparse.server_info import KNN, ServerInfo
from tests.store.conftest import MakeIndex, MakeStore

TEXTS = {
    "1": ("red planet mars", "en", 2020),
    "2": ("blue planet earth", "en", 2024),
    "3": ("planet rouge mars", "fr", 2024),
    "4": ("no such thing", "fr", 2020),
}
DOCUMENTS = [
    {"id": name, "text": text, "metadata": {"lang": lang, "year": year}} for name, (text, lang, year) in TEXTS.items()
]


@pytest.fixture(scope="module")
def index(make_index: MakeIndex) -> str:
    return make_index(DOCUMENTS)


@pytest.fixture
def filled(make_store: MakeStore, index: str) -> NeuralSparseStore:
    """A store to be searched only."""
    return make_store(index=index)


@pytest.fixture
def own(store: NeuralSparseStore) -> NeuralSparseStore:
    """A store of the same documents, to be written to."""
    store.write(DOCUMENTS)
    return store


def ids(hits: Any) -> list[str]:
    return [hit.id for hit in hits]


def test_a_text_is_searched_for_by_the_weights_that_it_is_encoded_as(filled: NeuralSparseStore) -> None:
    weights = filled.encode_query("red planet")
    assert set(weights) == {"red", "planet"}
    assert filled.search(weights) == filled.search("red planet")
    assert filled.encode_query(" ") == {}


def test_explained_tokens_sum_to_the_score(filled: NeuralSparseStore) -> None:
    hits = filled.search("red planet mars", explain=True)
    assert ids(hits)[0] == "1"
    assert set(ids(hits)) == {"1", "2", "3"}
    assert (hits.total, hits.fusion) == (3, None)
    for hit in hits:
        assert hit.matches
        assert sum(match.score for match in hit.matches) == pytest.approx(hit.score, rel=1e-6)
        assert [m.score for m in hit.matches] == sorted((m.score for m in hit.matches), reverse=True)
        assert f"{hit.matches[0].score:.4f}" in hit.explain()


def test_vector_travels_only_with_an_explanation(filled: NeuralSparseStore) -> None:
    (plain, *_), (explained, *_) = filled.search("mars"), filled.search("mars", explain=True)
    assert "sparse_vector" not in plain.source
    assert plain.matches is None
    assert set(explained.source["sparse_vector"]) == {"red", "planet", "mars"} or explained.id == "3"
    assert plain.metadata == explained.metadata


def test_query_may_be_a_vector(filled: NeuralSparseStore) -> None:
    hits = filled.search({"earth": 2.0, "nothing": 1.0})
    assert ids(hits) == ["2"]
    with pytest.raises(InvalidVectorError, match="'earth'"):
        filled.search({"earth": -1.0})


def test_heavy_query_weights_keep_scores_true(filled: NeuralSparseStore) -> None:
    (light,) = filled.search({"earth": 2.0})
    (heavy,) = filled.search({"earth": 2000.0}, explain=True)
    assert heavy.score == pytest.approx(1000 * light.score, rel=1e-6)
    assert heavy.matches is not None
    assert heavy.matches[0].score == pytest.approx(heavy.score, rel=1e-6)


@pytest.mark.parametrize(
    ("condition", "found", "count"),
    [
        ({"term": {"lang": "fr"}}, {"3"}, 2),
        ([{"term": {"lang": "en"}}, {"range": {"year": {"gte": 2021}}}], {"2"}, 1),
        ([], {"1", "2", "3"}, 4),
        (None, {"1", "2", "3"}, 4),
        ({"term": {"lang": "xx"}}, set(), 0),
    ],
)
def test_filter_holds_in_every_kind_of_search(
    filled: NeuralSparseStore, condition: Any, found: set[str], count: int
) -> None:
    assert set(ids(filled.search("planet", filter=condition))) == found
    assert set(ids(filled.match_search("planet", filter=condition))) == found
    assert set(ids(filled.hybrid_search("planet", filter=condition))) == found
    assert filled.count(condition) == count


def test_filter_that_is_none_is_an_error_in_every_kind_of_search(filled: NeuralSparseStore) -> None:
    wrong = {"lang": "fr"}
    searches = [filled.search, filled.match_search, filled.hybrid_search]
    for search in searches:
        for query in ("planet", ""):
            with pytest.raises(FilterSyntaxError):
                search(query, filter=wrong)  # type: ignore[operator]
    with pytest.raises(FilterSyntaxError):
        filled.count(wrong)


def test_query_without_known_tokens_finds_nothing_and_hybrid_keeps_its_other_leg(filled: NeuralSparseStore) -> None:
    hits = filled.search("")
    assert (hits, hits.total) == ([], 0)
    fused = filled.hybrid_search("mars", vector={})
    assert set(ids(fused)) == {"1", "3"}
    assert [hit.score for hit in fused] == pytest.approx([1 / 61, 1 / 62], rel=1e-6)
    assert filled.hybrid_search("") == []


def test_hybrid_is_one_request_fused_by_ranks(filled: NeuralSparseStore, monkeypatch: pytest.MonkeyPatch) -> None:
    filled.open()
    filled.server()
    calls: list[str] = []
    perform = filled.client().transport.perform_request

    def recorded(method: str, url: str, **arguments: Any) -> Any:
        calls.append(url)
        return perform(method, url, **arguments)

    monkeypatch.setattr(filled.client().transport, "perform_request", recorded)
    hits = filled.hybrid_search("red mars", explain=True)
    assert calls == [f"/{filled.index}/_search"]
    assert hits.fusion == "server rrf"
    assert hits[0].id == "1"
    assert hits[0].score == pytest.approx(2 / 61, rel=1e-6)
    assert [match.token for match in hits[0].matches or ()]


def test_rank_constant_and_depth_reach_the_server(filled: NeuralSparseStore) -> None:
    (hit, *_) = filled.hybrid_search("red mars", options=HybridOptions(rank_constant=1))
    assert hit.score == pytest.approx(1.0, rel=1e-6)
    fused = filled.hybrid_search("planet", size=1, options=HybridOptions(pagination_depth=1))
    assert len(fused) == 1
    for depth in (0, 10_001):
        with pytest.raises(ValueError, match="pagination_depth"):
            filled.hybrid_search("planet", size=1, options=HybridOptions(pagination_depth=depth))


def test_shards_of_an_alias_are_counted_together(
    own: NeuralSparseStore, make_store: MakeStore, client: Any, other_index: str, encoder: Any
) -> None:
    second = NeuralSparseStore(other_index, client=client, query_encoder=encoder, document_encoder=encoder)
    second.create(settings={"number_of_shards": 1})
    alias = f"{other_index}-alias"
    for index in (own.index, other_index):
        client.indices.put_alias(index=index, name=alias)
    both = NeuralSparseStore(alias, client=client, query_encoder=encoder, document_encoder=encoder)
    assert both.open().shards == 2
    assert set(both.open().indices) == {own.index, other_index}
    assert both.search("earth")[0].index == own.index


def test_one_id_in_two_indices_is_two_hits(own: NeuralSparseStore, client: Any, other_index: str, encoder: Any) -> None:
    second = NeuralSparseStore(other_index, client=client, query_encoder=encoder, document_encoder=encoder)
    second.create(settings={"number_of_shards": 1})
    second.write([{"id": "1", "text": "red planet"}])
    alias = f"{other_index}-alias"
    for index in (own.index, other_index):
        client.indices.put_alias(index=index, name=alias)
    both = NeuralSparseStore(alias, client=client, query_encoder=encoder, document_encoder=encoder)
    for fusion in (Fusion.AUTO, Fusion.CLIENT):
        hits = both.hybrid_search("red", options=HybridOptions(fusion=fusion))
        assert sorted((hit.id, hit.index) for hit in hits) == sorted([("1", own.index), ("1", other_index)])


def test_shards_that_joined_an_alias_later_are_no_surprise(
    own: NeuralSparseStore, client: Any, other_index: str, encoder: Any
) -> None:
    alias = f"{other_index}-alias"
    client.indices.put_alias(index=own.index, name=alias)
    store = NeuralSparseStore(alias, client=client, query_encoder=encoder, document_encoder=encoder)
    assert store.hybrid_search("mars")
    by_server = HybridOptions(fusion=Fusion.SERVER)
    assert store.hybrid_search("mars", options=by_server).fusion == "server rrf"
    NeuralSparseStore(other_index, client=client, document_encoder=encoder).create(settings={"number_of_shards": 1})
    client.indices.put_alias(index=other_index, name=alias)
    whole = store.server().ranks_across_shards
    assert store.hybrid_search("mars").fusion == ("server rrf" if whole else "client rrf")
    if not whole:
        with pytest.raises(UnsupportedServerError, match="2 shards"):
            store.hybrid_search("mars", options=by_server)


def test_server_without_neural_search_is_searched_by_rank_features(own: NeuralSparseStore) -> None:
    own.write([SparseDocument(id="5", text="dots", vector={"earth": 9.0, ".": 5.0})])
    usual = own.search({"earth": 2.0, "planet": 70.0}, explain=True)
    own._context.server = ServerInfo(version=own.server().version, plugins=frozenset({KNN}))
    bare = own.search({"earth": 2.0, "planet": 70.0}, explain=True)
    assert [(hit.id, hit.score, hit.matches) for hit in bare] == [(hit.id, hit.score, hit.matches) for hit in usual]
    (dotted,) = own.search({"earth": 2.0, ".": 1.0}, explain=True, filter={"term": {"id": "5"}})
    assert [match.token for match in dotted.matches or ()] == ["earth"]
    assert own.search({".": 1.0}) == []
    assert own.hybrid_search("earth").fusion == "client rrf"
    with pytest.raises(UnsupportedServerError, match="neural-search"):
        own.hybrid_search("earth", options=HybridOptions(fusion=Fusion.SERVER))


def test_query_of_too_many_tokens_is_cut_with_a_warning(
    filled: NeuralSparseStore, caplog: pytest.LogCaptureFixture
) -> None:
    vector = {f"t{n}": 1.0 for n in range(2000)} | {"earth": 5.0}
    with caplog.at_level(logging.WARNING, logger="opensearch_neural_sparse"):
        assert ids(filled.search(vector)) == ["2"]
        assert "2001 tokens; the heaviest 1000" in caplog.text
        assert "2" in ids(filled.hybrid_search("blue earth", vector=vector, filter={"term": {"lang": "en"}}))
        assert "2001 tokens; the heaviest 996" in caplog.text


@pytest.mark.parametrize("size", [0, -1, 10_001, True, 2.0])
def test_size_out_of_range_is_refused(filled: NeuralSparseStore, size: Any) -> None:
    for search in (filled.search, filled.match_search, filled.hybrid_search):
        with pytest.raises(ValueError, match="size lies between 1 and 10000"):
            search("planet", size=size)


def test_size_is_kept(filled: NeuralSparseStore) -> None:
    for search in (filled.search, filled.match_search, filled.hybrid_search):
        assert len(search("planet", size=2)) == 2


def test_clause_that_the_server_refuses_is_an_error_with_its_reason(filled: NeuralSparseStore) -> None:
    with pytest.raises(ServerRequestError, match=r"400, .*unknown \w+ \[terrm\]") as error:
        filled.search("planet", filter={"terrm": {"lang": "en"}})
    assert error.value.status == 400
    with pytest.raises(ServerRequestError) as error:
        filled.search("planet", filter={"range": {"year": {"gte": "SECRET"}}})
    assert "SECRET" not in str(error.value)


def test_shard_that_fails_is_an_error_and_not_fewer_hits(
    own: NeuralSparseStore, client: Any, other_index: str, encoder: Any
) -> None:
    client.indices.create(index=other_index, body={"mappings": {"properties": {"lang": {"type": "text"}}}})
    client.index(index=other_index, body={"lang": "x"}, refresh=True)
    alias = f"{other_index}-alias"
    client.indices.put_alias(index=own.index, name=alias)
    store = NeuralSparseStore(alias, client=client, query_encoder=encoder, document_encoder=encoder)
    assert store.search("mars")
    client.indices.put_alias(index=other_index, name=alias)
    with pytest.raises(PartialResultsError, match="hits may be missing"):
        store.search("mars")


def test_dense_vectors_are_kept_and_come_when_asked_for(make_store: MakeStore) -> None:
    store = make_store(schema=IndexSchema(embedding_dimension=3))
    store.create()
    store.write([{"id": "1", "text": "word", "embedding": [0.1, 0.2, 0.3]}])
    assert store.get(["1"])[0].embedding == [0.1, 0.2, 0.3]
    assert store.search("word")[0].embedding is None
    assert store.search("word", with_embedding=True)[0].embedding == [0.1, 0.2, 0.3]


def test_text_lies_where_the_schema_says(make_store: MakeStore) -> None:
    schema = IndexSchema(text_field="body", sparse_field="weights", model_field="by", text_analyzer="english")
    store = make_store(schema=schema)
    store.create()
    store.write([{"id": "1", "text": "planets", "metadata": {"content": "own"}}])
    (hit,) = store.match_search("planet")
    assert (hit.text, hit.metadata) == ("planets", {"content": "own"})
    assert hit.source["body"] == "planets"
    assert ids(store.search("planets")) == ["1"]

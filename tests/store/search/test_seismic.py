"""Approximate search (SEISMIC) on real servers: a field of type sparse_vector, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from opensearch_neural_sparse import (
    AsyncNeuralSparseStore,
    BulkWriteError,
    FieldType,
    Fusion,
    HybridOptions,
    IndexSchema,
    IndexSchemaError,
    NeuralSparseStore,
    Prune,
    PruneType,
    SearchOptions,
    SeismicParameters,
    SeismicSearch,
    ServerRequestError,
    SparseDocument,
    TwoPhase,
    UnsupportedServerError,
)
from opensearch_neural_sparse.index.token_ids import TokenIds
from opensearch_neural_sparse.server_info import parse_version
from tests.conftest import RunningServer
from tests.encoders import WordEncoder
from tests.store.conftest import MakeStore
from tests.toy import TOKENS

SCHEMA = IndexSchema(field_type=FieldType.SPARSE_VECTOR, seismic=SeismicParameters(approximate_threshold=1))
SCORE = 32 * 128 * 3 * 16 / 255**2
"""Of the query weight 2.0 and the document weight 1.5, each rounded to a byte."""
ONE_SHARD = {"number_of_shards": 1}


@pytest.fixture
def store(make_store: MakeStore, server: RunningServer) -> NeuralSparseStore:
    if parse_version(server.version) < (3, 3, 0):
        pytest.skip("sparse_vector came with OpenSearch 3.3")
    store = make_store(schema=SCHEMA)
    store.create(settings=ONE_SHARD)
    return store


@pytest.fixture
def filled(store: NeuralSparseStore) -> NeuralSparseStore:
    store.write(
        [
            {"id": "1", "text": "red planet", "vector": {"red": 1.5, "planet": 0.5}, "metadata": {"lang": "en"}},
            {"id": "2", "text": "mars", "vector": {"mars": 2.5, "planet": 0.25}, "metadata": {"lang": "fr"}},
            {"id": "3", "text": "nothing", "vector": {}},
        ]
    )
    return store


def test_old_server_is_refused_and_makes_no_index(make_store: MakeStore, server: RunningServer, client: Any) -> None:
    if parse_version(server.version) >= (3, 3, 0):
        pytest.skip("this server has sparse_vector")
    store = make_store(schema=SCHEMA)
    with pytest.raises(UnsupportedServerError, match=r"sparse_vector.*3\.3"):
        store.create()
    assert not client.indices.exists(index=store.index)


def test_vocabulary_that_the_server_would_fold_is_refused_and_makes_no_index(
    store: NeuralSparseStore, make_store: MakeStore, client: Any
) -> None:
    store.delete_index()
    schema = replace(SCHEMA, token_ids=TokenIds(lambda: {"a": 32_768}))
    with pytest.raises(IndexSchemaError, match="32767"):
        make_store(schema=schema).create()
    assert not client.indices.exists(index=store.index)


def test_index_is_of_the_kind_that_the_schema_says(store: NeuralSparseStore, client: Any) -> None:
    created = client.indices.get(index=store.index)[store.index]
    assert created["settings"]["index"]["sparse"] == "true"
    method = {"name": "seismic", "parameters": {"approximate_threshold": 1}}
    assert created["mappings"]["properties"]["sparse_vector"] == {"type": "sparse_vector", "method": method}
    assert store.open().binding.key == "token_id"  # type: ignore[union-attr]


def test_server_takes_every_parameter_of_the_approximate_index(
    store: NeuralSparseStore, make_store: MakeStore, client: Any
) -> None:
    store.delete_index()
    given = {
        "n_postings": 300,
        "cluster_ratio": 0.2,
        "summary_prune_ratio": 0.5,
        "approximate_threshold": 1,
        "quantization_ceiling_ingest": 4.0,
        "quantization_ceiling_search": 8.0,
    }
    made = make_store(schema=replace(SCHEMA, seismic=SeismicParameters(**given)))  # type: ignore[arg-type]
    made.create(settings=ONE_SHARD)
    held = client.indices.get_mapping(index=made.index)[made.index]["mappings"]["properties"]["sparse_vector"]
    assert held["method"] == {"name": "seismic", "parameters": given}
    made.write([{"id": "1", "vector": {"red": 2.0}}])
    assert [hit.score for hit in made.search({"red": 4.0})] == pytest.approx([8.0], rel=0.01)


def test_vectors_are_written_as_ids_read_as_tokens_and_found_approximately(
    filled: NeuralSparseStore, client: Any
) -> None:
    held = client.get(index=filled.index, id="1")["_source"]["sparse_vector"]
    assert held == {str(TOKENS.index("red")): 1.5, str(TOKENS.index("planet")): 0.5}
    assert "sparse_vector" not in client.get(index=filled.index, id="3")["_source"]
    assert filled.get(["1"])[0].vector == {"red": 1.5, "planet": 0.5}
    assert {document.id: document.vector for document in filled.scan()}["2"] == {"mars": 2.5, "planet": 0.25}
    (hit,) = hits = filled.search({"red": 2.0, "unheard": 3.0}, explain=True)
    assert (hit.id, hit.score, hits.approximate) == ("1", pytest.approx(SCORE, rel=1e-6), True)
    assert [(match.token, match.score) for match in hit.matches or ()] == [("red", 3.0)]
    assert filled.search({"unheard": 3.0}) == []


def test_texts_are_encoded_and_pruned_before_they_become_ids(make_store: MakeStore, store: NeuralSparseStore) -> None:
    store.delete_index()
    pruning = make_store(schema=SCHEMA, prune=Prune(type=PruneType.TOP_K, ratio=1))
    pruning.create()
    pruning.write([{"id": "1", "text": "red planet"}])
    assert len(pruning.get(["1"])[0].vector or ()) == 1
    assert [hit.id for hit in pruning.search("red planet")] == ["1"]


def test_token_that_the_model_does_not_have_fails_alone(store: NeuralSparseStore) -> None:
    with pytest.raises(BulkWriteError, match="no such token") as error:
        store.write([{"id": "1", "vector": {"unheard": 1.0}}, {"id": "2", "vector": {"red": 1.0}}])
    assert [failure.id for failure in error.value.report.failed] == ["1"]
    assert store.count() == 1


@pytest.mark.parametrize(
    ("clause", "expected"),
    [
        ({"term": {"few": True}}, set("01234")),
        ({"range": {"n": {"lt": 3}}}, set("012")),
        ({"terms": {"n": [1, 2]}}, set("12")),
        ({"bool": {"must": {"exists": {"field": "n"}}, "must_not": [{"range": {"n": {"gte": 4}}}]}}, set("0123")),
        ({"terms": {"name": ["n1", "n2"]}}, set("12")),
        ({"bool": {"filter": [{"terms": {"name": ["n1", "n2"]}}, {"term": {"n": 2}}]}}, {"2"}),
        ({"prefix": {"name": "n19"}}, {str(n) for n in range(190, 200)}),
        ({"term": {"name": {"value": "N199", "case_insensitive": True}}}, {"199"}),
        ({"term": {"_id": "199"}}, {"199"}),
        ({"match": {"name": {"query": "n199", "fuzziness": 0}}}, {"199"}),
        ({"range": {"name": {"gte": "n199", "lt": "n2"}}}, {"199"}),
        ({"term": {"code": 7}}, {"7"}),
        ({"terms": {"code": [7, 8]}}, set("78")),
        ({"terms": {"code": [7, "8"]}}, set("78")),
        ({"range": {"code": {"gte": "98", "lt": "99"}}}, {"98"}),
        ({"bool": {"must_not": {"range": {"code": {"lt": "98"}}}}}, {"98", "99"}),
        ({"bool": {"must_not": [{"prefix": {"name": "n"}}]}}, set()),
        ({"bool": {"must_not": {"range": {"n": {"gte": 0}}}}}, set()),
        ({"query_string": {"query": "NOT name:n*"}}, set()),
        ({"terms": {"n": [*range(150, 200), *range(1000, 1100)]}}, {str(n) for n in range(180, 200)}),
        ({"terms": {"few": [True]}}, set("01234")),
        ({"term": {"name": "nobody"}}, set()),
        ({"range": {"n": {"gt": 1000}}}, set()),
        ({"match_none": {}}, set()),
    ],
)
def test_filter_finds_what_better_hits_would_crowd_out_and_nothing_else(
    store: NeuralSparseStore, clause: dict[str, Any], expected: set[str]
) -> None:
    store.write(
        SparseDocument(id=str(n), vector={"red": 1.0 + n / 200}, metadata=metadata)
        for n in range(200)
        if (metadata := {"few": n < 5, "n": n, "name": f"n{n}", "code": str(n)})
    )
    hits = store.search({"red": 2.0}, size=20, filter=clause)
    assert {hit.id for hit in hits} == expected
    assert hits.approximate


def test_range_of_numbers_over_strings_is_an_error_that_says_what_to_write(filled: NeuralSparseStore) -> None:
    for search in (filled.search, filled.hybrid_search):
        with pytest.raises(ServerRequestError, match="has its bounds as strings"):
            search("planet", filter={"range": {"lang": {"gte": 1}}})
    by_client = HybridOptions(fusion=Fusion.CLIENT)
    with pytest.raises(ServerRequestError, match="has its bounds as strings"):
        filled.hybrid_search("planet", filter={"range": {"lang": {"gte": 1}}}, options=by_client)


def test_collapse_finds_every_value_however_many_documents_of_one_are_better(store: NeuralSparseStore) -> None:
    store.write(
        SparseDocument(id=str(n), text="red", vector={"red": 1.0 + n / 200}, metadata={"of": "b" if n < 2 else "a"})
        for n in range(100)
    )
    hits = store.search({"red": 2.0}, size=3, options=SearchOptions(collapse="of"))
    assert [hit.metadata["of"] for hit in hits] == ["a", "b"]
    fused = store.hybrid_search("red", vector={"red": 2.0}, options=HybridOptions(collapse="of", fusion=Fusion.CLIENT))
    assert {hit.metadata["of"] for hit in fused} == {"a", "b"}


@pytest.mark.parametrize("clause", [{"term": {"lang": "en"}}, {"prefix": {"lang": "e"}}])
def test_body_of_one_s_own_may_say_no(filled: NeuralSparseStore, clause: dict[str, Any]) -> None:
    body = {"query": {"bool": {"must": "$sparse", "must_not": clause, "filter": "$filters"}}}
    for condition in (None, {"exists": {"field": "lang"}}):
        hits = filled.custom_search(body, query={"planet": 2.0}, filter=condition)
        assert ([hit.id for hit in hits], hits.approximate) == (["2"], True)


@pytest.mark.parametrize("fusion", [Fusion.SERVER, Fusion.CLIENT])
def test_approximate_leg_is_tuned_by_its_parameters(filled: NeuralSparseStore, fusion: Fusion) -> None:
    vector = {"red": 2.0, "mars": 1.0}
    one_token = HybridOptions(fusion=fusion, seismic=SeismicSearch(top_n=1, heap_factor=1.5))
    assert {hit.id for hit in filled.hybrid_search("unheard", vector=vector, options=one_token)} == {"1"}
    assert len(filled.hybrid_search("unheard", vector=vector, options=HybridOptions(fusion=fusion))) == 2
    with pytest.raises(ValueError, match=r"k is at least size \(100\)"):
        filled.hybrid_search("red", options=HybridOptions(fusion=fusion, seismic=SeismicSearch(k=4)))


def test_no_more_hits_than_asked_for_are_looked_for(store: NeuralSparseStore) -> None:
    store.write(SparseDocument(id=str(n), vector={"red": 1.0 + n / 200}) for n in range(100))
    hits = store.search({"red": 2.0}, size=60)
    assert (len(hits), hits.total) == (60, 60)
    assert store.search({"red": 2.0}, size=60, options=SearchOptions(seismic=SeismicSearch(k=90))).total == 90


def test_search_is_tuned_by_its_parameters(filled: NeuralSparseStore) -> None:
    tuned = SearchOptions(seismic=SeismicSearch(top_n=1, heap_factor=1.5))
    heavy_token_alone = filled.search({"red": 2.0, "mars": 1.0}, options=tuned)
    assert [hit.id for hit in heavy_token_alone] == ["1"]
    assert len(filled.search({"red": 2.0, "mars": 1.0})) == 2
    with pytest.raises(ValueError, match=r"k is at least size \(5\)"):
        filled.search({"red": 2.0}, size=5, options=SearchOptions(seismic=SeismicSearch(k=4)))
    with pytest.raises(ValueError, match="two phases"):
        filled.search({"red": 2.0}, options=SearchOptions(two_phase=TwoPhase()))
    with pytest.raises(ValueError, match="two_phase"):
        filled.hybrid_search("red", options=HybridOptions(two_phase=TwoPhase()))
    assert [len(hits) for hits in filled.search_many([{"red": 1.0}, {"planet": 1.0}])] == [1, 2]


@pytest.mark.parametrize("fusion", [Fusion.SERVER, Fusion.CLIENT])
@pytest.mark.parametrize("clause", [None, {"term": {"lang": "fr"}}, {"bool": {"must_not": {"prefix": {"lang": "e"}}}}])
def test_hybrid_search_has_an_approximate_leg(
    filled: NeuralSparseStore, fusion: Fusion, clause: dict[str, Any] | None
) -> None:
    options = HybridOptions(fusion=fusion)
    hits = filled.hybrid_search("mars", vector={"planet": 2.0}, filter=clause, options=options, explain=True)
    assert [hit.id for hit in hits] == (["2", "1"] if clause is None else ["2"])
    assert hits.approximate
    assert [match.token for match in hits[0].matches or ()] == ["planet"]


def test_store_that_takes_the_index_for_another_kind_is_told(filled: NeuralSparseStore, make_store: MakeStore) -> None:
    with pytest.raises(IndexSchemaError, match="field_type='sparse_vector'"):
        make_store().search("mars")


def test_rank_features_index_is_no_sparse_vector_index(make_store: MakeStore) -> None:
    exact = make_store()
    exact.create()
    with pytest.raises(ValueError, match="searched exactly"):
        exact.search({"red": 1.0}, options=SearchOptions(seismic=SeismicSearch()))
    with pytest.raises(ValueError, match="searched exactly"):
        exact.hybrid_search("red", options=HybridOptions(seismic=SeismicSearch()))
    with pytest.raises(IndexSchemaError, match="field_type='rank_features'"):
        make_store(schema=SCHEMA).count()


async def test_asynchronous_store_does_alike(
    filled: NeuralSparseStore, server: RunningServer, encoder: WordEncoder
) -> None:
    parts: dict[str, Any] = {"query_encoder": encoder, "document_encoder": encoder, "schema": SCHEMA}
    async with AsyncNeuralSparseStore(filled.index, url=server.url, **parts) as store:
        await store.write([{"id": "4", "vector": {"rare": 1.0}}])
        assert (await store.get(["4"]))[0].vector == {"rare": 1.0}
        hits = await store.search({"rare": 1.0}, options=SearchOptions(seismic=SeismicSearch(heap_factor=2.0)))
        assert ([hit.id for hit in hits], hits.approximate) == (["4"], True)


@pytest.mark.parametrize(
    "make",
    [
        lambda: SeismicSearch(k=0),
        lambda: SeismicSearch(top_n=True),
        lambda: SeismicSearch(heap_factor=0),
        lambda: SeismicParameters(n_postings=-1),
        lambda: SeismicParameters(n_postings=1.5),
        lambda: SeismicParameters(cluster_ratio=1.0),
        lambda: SeismicParameters(summary_prune_ratio=1.01),
        lambda: SeismicParameters(approximate_threshold=-1),
        lambda: SeismicParameters(quantization_ceiling_ingest=0.0),
        lambda: SeismicParameters(quantization_ceiling_search=float("nan")),
        lambda: IndexSchema(seismic=SeismicParameters()),
        lambda: IndexSchema(field_type=FieldType.SPARSE_VECTOR, embedding_dimension=4),
    ],
)
def test_values_that_the_server_would_refuse_are_refused_here(make: Callable[[], object]) -> None:
    with pytest.raises((TypeError, ValueError), match=r"got|need|go with|either|must be"):
        make()

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

pytest.importorskip("haystack_integrations.document_stores.opensearch", reason="the haystack extra is not installed")

from haystack import Document, Pipeline
from haystack.components.retrievers import MultiQueryTextRetriever, MultiRetriever
from haystack.dataclasses import SparseEmbedding
from haystack.document_stores.types import FilterPolicy
from haystack_integrations.components.retrievers.opensearch import OpenSearchEmbeddingRetriever
from haystack_integrations.document_stores.opensearch import OpenSearchDocumentStore
from opensearchpy import OpenSearch

from haystack_integrations.components.embedders.opensearch_neural_sparse import (
    NeuralSparseDocumentEmbedder,
    NeuralSparseTextEmbedder,
)
from haystack_integrations.components.retrievers.opensearch_neural_sparse import (
    OpenSearchNeuralSparseBM25Retriever,
    OpenSearchNeuralSparseHybridRetriever,
    OpenSearchNeuralSparseRetriever,
)
from haystack_integrations.components.retrievers.opensearch_neural_sparse.option_parsing import combine_filters
from haystack_integrations.document_stores.opensearch_neural_sparse import (
    OpenSearchNeuralSparseDocumentStore,
    QuerySparseEmbedding,
)
from opensearch_neural_sparse import (
    Bm25Leg,
    DenseLeg,
    HybridOptions,
    IndexSchema,
    NeuralSparseStore,
    Normalization,
    Prune,
    SearchOptions,
    SparseLeg,
    TwoPhase,
)
from opensearch_neural_sparse.errors import ModelMismatchError, ServerConnectionError, UnsupportedServerError
from tests.haystack_layer.conftest import MakeStore
from tests.paths import SMALL_MODEL

TEXTS = {
    "split": ("Split a string into a list of words.", "str"),
    "lines": ("Open a file and return its lines.", "io"),
    "join": ("Join two paths of the file system.", "os"),
    "close": ("Close the file; a closed file cannot be read.", "io"),
    "upper": ("Return a copy of the string in upper case.", "str"),
}
QUERY = "open a file"
ONLY_STR = {"field": "meta.module", "operator": "==", "value": "str"}
ONLY_IO = {"field": "meta.module", "operator": "==", "value": "io"}
EITHER = {"operator": "OR", "conditions": [ONLY_STR, ONLY_IO]}
RETRIEVERS = [OpenSearchNeuralSparseRetriever, OpenSearchNeuralSparseHybridRetriever]
EVERY_RETRIEVER = [*RETRIEVERS, OpenSearchNeuralSparseBM25Retriever]


@pytest.fixture(scope="module")
def index(server: Any) -> Iterator[str]:
    name = f"test-{uuid.uuid4().hex}"
    yield name
    with OpenSearch(server.url, timeout=60) as client:
        client.indices.delete(index=name, ignore_unavailable=True)


@pytest.fixture(scope="module")
def store(
    server: Any, index: str, embedder: NeuralSparseDocumentEmbedder
) -> Iterator[OpenSearchNeuralSparseDocumentStore]:
    store = OpenSearchNeuralSparseDocumentStore(
        model=SMALL_MODEL,
        hosts=server.url,
        index=index,
        timeout=60,
        embedding_dim=2,
        metadata_fields={"module": {"type": "keyword"}},
    )
    documents = [
        Document(id=key, content=text, meta={"module": module}, embedding=[1.0, float(place)])
        for place, (key, (text, module)) in enumerate(TEXTS.items())
    ]
    store.write_documents(embedder.run(documents)["documents"])
    yield store
    store.close()


@pytest.fixture
def core(client: Any, index: str) -> NeuralSparseStore:
    return NeuralSparseStore(index, client=client, model=SMALL_MODEL, schema=IndexSchema(embedding_dimension=2))


def ranked(found: dict[str, Any]) -> list[tuple[str, float]]:
    return [(document.id, document.score) for document in found["documents"]]


def test_sparse_retrieval_is_the_search_of_the_core(
    store: OpenSearchNeuralSparseDocumentStore, core: NeuralSparseStore
) -> None:
    found = ranked(OpenSearchNeuralSparseRetriever(document_store=store).run(QUERY))
    assert found == [(hit.id, hit.score) for hit in core.search(QUERY)]
    assert {key for key, _ in found[:2]} == {"lines", "close"}


@pytest.mark.parametrize("kind", RETRIEVERS)
async def test_query_is_searched_by_the_vector_that_was_embedded_unless_its_numbers_were_changed(
    store: OpenSearchNeuralSparseDocumentStore, core: NeuralSparseStore, kind: Any
) -> None:
    retriever, vector = kind(document_store=store), core.encode_query(QUERY)
    files = NeuralSparseTextEmbedder(SMALL_MODEL).run(QUERY)["sparse_embedding"].files
    other_ids = {token: 20_000 + place for place, token in enumerate(vector)}  # read only where numbers were changed
    embedding = QuerySparseEmbedding.of(vector, other_ids, files)
    expected = ranked(retriever.run(QUERY))
    inputs: dict[str, Any] = {"query_sparse_embedding": embedding}
    if kind is OpenSearchNeuralSparseHybridRetriever:
        inputs["query"] = QUERY
    assert ranked(retriever.run(**inputs)) == ranked(await retriever.run_async(**inputs)) == expected
    embedding.values[0] /= 2
    assert ranked(retriever.run(**inputs)) != expected
    await store.close_async()


def test_text_and_its_embedding_find_the_same(store: OpenSearchNeuralSparseDocumentStore) -> None:
    retriever = OpenSearchNeuralSparseRetriever(document_store=store)
    embedding = NeuralSparseTextEmbedder(SMALL_MODEL).run(QUERY)["sparse_embedding"]
    assert ranked(retriever.run(query_sparse_embedding=embedding)) == ranked(retriever.run(QUERY))
    plain = SparseEmbedding(embedding.indices, embedding.values)
    assert ranked(retriever.run(query_sparse_embedding=plain)) == ranked(retriever.run(QUERY))


def test_hybrid_retrieval_is_the_search_of_the_core(
    store: OpenSearchNeuralSparseDocumentStore, core: NeuralSparseStore
) -> None:
    retriever = OpenSearchNeuralSparseHybridRetriever(document_store=store, rank_constant=10, top_k=4)
    found = ranked(retriever.run(QUERY))
    hits = core.hybrid_search(QUERY, size=4, options=HybridOptions(rank_constant=10))
    assert found == [(hit.id, hit.score) for hit in hits]
    embedding = NeuralSparseTextEmbedder(SMALL_MODEL).run(QUERY)["sparse_embedding"]
    assert ranked(retriever.run(QUERY, query_sparse_embedding=embedding)) == found


async def test_retrieval_by_words_is_the_search_of_the_core(
    store: OpenSearchNeuralSparseDocumentStore, core: NeuralSparseStore
) -> None:
    retriever = OpenSearchNeuralSparseBM25Retriever(document_store=store, top_k=4)
    expected = [(hit.id, hit.score) for hit in core.match_search(QUERY, size=4)]
    assert ranked(retriever.run(QUERY)) == ranked(await retriever.run_async(QUERY)) == expected
    assert {key for key, _ in expected[:2]} == {"lines", "close"}
    assert ranked(retriever.run(QUERY, score_threshold=expected[0][1])) == expected[:1]
    body = {"query": {"bool": {"must": [{"match": {"content": "$text"}}], "filter": ["$filters"]}}}
    by_body = OpenSearchNeuralSparseBM25Retriever(document_store=store, custom_query=body, filters=ONLY_STR)
    assert {key for key, _ in ranked(by_body.run("string of a file"))} == {"split", "upper"}
    collapsed = OpenSearchNeuralSparseBM25Retriever(document_store=store, collapse="module").run("a file a string")
    modules = [document.meta["module"] for document in collapsed["documents"]]
    assert sorted(modules) == sorted(set(modules))
    await store.close_async()


def test_a_pipeline_with_retrieval_by_words_is_loaded_as_it_was_saved(
    store: OpenSearchNeuralSparseDocumentStore,
) -> None:
    pipeline = Pipeline()
    retriever = OpenSearchNeuralSparseBM25Retriever(document_store=store, filters=ONLY_IO, boosts=[], language=None)
    pipeline.add_component("words", retriever)
    loaded = Pipeline.loads(pipeline.dumps())
    assert loaded.dumps() == pipeline.dumps()
    assert loaded.run({"words": {"query": QUERY}}) == pipeline.run({"words": {"query": QUERY}})
    loaded.close()


def test_weights_of_the_legs_reach_the_core(
    store: OpenSearchNeuralSparseDocumentStore, core: NeuralSparseStore
) -> None:
    retriever = OpenSearchNeuralSparseHybridRetriever(document_store=store, weights=[0.2, 0.8])
    hits = core.hybrid_search(QUERY, options=HybridOptions(weights=[0.2, 0.8]))
    assert ranked(retriever.run(QUERY)) == [(hit.id, hit.score) for hit in hits]


@pytest.mark.parametrize("kind", EVERY_RETRIEVER)
def test_filters_hold_in_every_leg(store: OpenSearchNeuralSparseDocumentStore, kind: Any) -> None:
    for filters in (ONLY_STR, {"operator": "NOT", "conditions": [ONLY_IO]}):
        found = kind(document_store=store, filters=filters).run("string of a file")["documents"]
        assert found
        assert "io" not in {document.meta["module"] for document in found}


@pytest.mark.parametrize("kind", EVERY_RETRIEVER)
def test_filters_of_a_run_replace_or_join_those_of_the_retriever(
    store: OpenSearchNeuralSparseDocumentStore, kind: Any
) -> None:
    replacing = kind(document_store=store, filters=ONLY_STR)
    merging = kind(document_store=store, filters=ONLY_STR, filter_policy="merge")
    query = "string of a file"

    def modules(retriever: Any, filters: Any) -> set[str]:
        return {document.meta["module"] for document in retriever.run(query, filters=filters)["documents"]}

    assert modules(replacing, EITHER) == {"str", "io"}
    assert modules(merging, EITHER) == {"str"}
    assert modules(merging, ONLY_IO) == set()


def test_merged_filters_never_lose_those_of_the_retriever() -> None:
    merge, replace = FilterPolicy.MERGE, FilterPolicy.REPLACE
    for own in (ONLY_STR, EITHER):
        for given in (ONLY_IO, EITHER):
            assert combine_filters(merge, own, given) == {"operator": "AND", "conditions": [own, given]}
            assert combine_filters(replace, own, given) == given
        assert combine_filters(merge, own, None) == combine_filters(replace, own, {}) == own
    assert combine_filters(merge, None, ONLY_IO) == ONLY_IO
    assert combine_filters(merge, None, None) is None


@pytest.mark.parametrize("kind", EVERY_RETRIEVER)
def test_blank_query_finds_nothing(store: OpenSearchNeuralSparseDocumentStore, kind: Any) -> None:
    assert kind(document_store=store).run("")["documents"] == []
    assert kind(document_store=store).run(" \n ")["documents"] == []


def test_sparse_retriever_takes_one_of_text_and_embedding(store: OpenSearchNeuralSparseDocumentStore) -> None:
    retriever = OpenSearchNeuralSparseRetriever(document_store=store)
    assert retriever.run(query_sparse_embedding=SparseEmbedding([], []))["documents"] == []
    for inputs in ({}, {"query": "x", "query_sparse_embedding": SparseEmbedding([3000], [1.0])}):
        with pytest.raises(ValueError, match="either"):
            retriever.run(**inputs)


@pytest.mark.parametrize("kind", EVERY_RETRIEVER)
def test_top_k_is_the_retrievers_unless_the_run_says_otherwise(
    store: OpenSearchNeuralSparseDocumentStore, kind: Any
) -> None:
    retriever = kind(document_store=store, top_k=2)
    assert len(retriever.run(QUERY)["documents"]) == 2
    assert len(retriever.run(QUERY, top_k=3)["documents"]) == 3
    with pytest.raises(ValueError, match="got 0"):
        retriever.run(QUERY, top_k=0)


@pytest.mark.parametrize("kind", EVERY_RETRIEVER)
def test_vectors_come_with_documents_on_request(store: OpenSearchNeuralSparseDocumentStore, kind: Any) -> None:
    assert kind(document_store=store).run(QUERY)["documents"][0].sparse_embedding is None
    with_vectors = kind(document_store=store, return_embedding=True).run(QUERY)["documents"]
    assert all(document.sparse_embedding.indices for document in with_vectors)
    assert all(document.embedding[0] == 1.0 for document in with_vectors)
    assert "_explanation" not in with_vectors[0].meta


@pytest.mark.parametrize("kind", RETRIEVERS)
def test_embedding_of_another_model_is_refused(
    store: OpenSearchNeuralSparseDocumentStore, kind: Any, toy_model: Any
) -> None:
    embedding = NeuralSparseTextEmbedder(toy_model).run("red planet")["sparse_embedding"]
    with pytest.raises(ModelMismatchError, match=r"small-en.*toy-model"):
        kind(document_store=store).run(**inputs_of(kind, embedding))


def inputs_of(kind: Any, embedding: SparseEmbedding) -> dict[str, Any]:
    inputs: dict[str, Any] = {"query_sparse_embedding": embedding}
    return inputs if kind is OpenSearchNeuralSparseRetriever else inputs | {"query": "red planet"}


OPTIONS: list[dict[str, Any]] = [
    {},
    {"explain": True},
    {"return_embedding": True},
    {"score_threshold": 0.02},
    {"prune": "top_k:2"},
    {"two_phase": True},
    {"collapse": "module"},
    {"timeout": 30.0, "preference": "_local", "partial": "warn"},
    {"custom_query": {"query": {"bool": {"must": ["$sparse"], "filter": "$filters"}}}},
]


@pytest.mark.parametrize("kind", RETRIEVERS)
async def test_async_run_finds_the_same_by_every_option(store: OpenSearchNeuralSparseDocumentStore, kind: Any) -> None:
    embedding = NeuralSparseTextEmbedder(SMALL_MODEL).run(QUERY)["sparse_embedding"]
    for options in OPTIONS:
        retriever = kind(document_store=store, top_k=3, filters=ONLY_IO, **options)
        expected = retriever.run(QUERY)["documents"]
        assert {document.id for document in expected} <= {"lines", "close"}
        found = await asyncio.gather(retriever.run_async(QUERY), retriever.run_async(QUERY))
        assert found == [{"documents": expected}] * 2, options
        inputs = inputs_of(kind, embedding) | ({} if kind is OpenSearchNeuralSparseRetriever else {"query": QUERY})
        assert await retriever.run_async(**inputs) == {"documents": expected}, options
    await store.close_async()


def test_options_reach_the_core(store: OpenSearchNeuralSparseDocumentStore, core: NeuralSparseStore) -> None:
    def found(**options: Any) -> list[tuple[str, float]]:
        return ranked(OpenSearchNeuralSparseRetriever(document_store=store, **options).run(QUERY))

    def hits(**options: Any) -> list[tuple[str, float]]:
        return [(hit.id, hit.score) for hit in core.search(QUERY, options=SearchOptions(**options))]

    assert found(prune="top_k:1") == hits(prune=Prune.parse("top_k:1")) != hits()
    assert found(prune={"type": "top_k", "ratio": 1}) == found(prune="top_k:1")
    assert found(two_phase={"prune_ratio": 0.9}) == hits(two_phase=TwoPhase(prune_ratio=0.9))
    assert found(collapse="module") == hits(collapse="module")
    assert len(found(collapse="module")) == 3
    least = hits()[1][1]
    assert found(score_threshold=least) == hits()[:2]


def test_legs_are_chosen_by_name(store: OpenSearchNeuralSparseDocumentStore, core: NeuralSparseStore) -> None:
    dense = [1.0, 4.0]

    def found(legs: list[str] | None, **inputs: Any) -> list[tuple[str, float]]:
        return ranked(OpenSearchNeuralSparseHybridRetriever(document_store=store, legs=legs).run(QUERY, **inputs))

    def hits(*legs: Any) -> list[tuple[str, float]]:
        return [(hit.id, hit.score) for hit in core.hybrid_search(QUERY, options=HybridOptions(legs=legs))]

    nearest = DenseLeg(vector=dense)
    assert found(None) == found(["bm25", "sparse"]) == hits(Bm25Leg(), SparseLeg())
    assert found(None, query_embedding=dense) == hits(Bm25Leg(), SparseLeg(), nearest)
    assert found(["dense", "sparse"], query_embedding=dense) == hits(nearest, SparseLeg())
    assert found(["bm25"]) == [(hit.id, hit.score) for hit in core.match_search(QUERY)]
    assert found(["sparse"]) == [(hit.id, hit.score) for hit in core.search(QUERY)]
    with pytest.raises(ValueError, match="query_embedding"):
        found(["sparse", "dense"])
    with pytest.raises(ValueError, match="query_embedding"):
        found(["sparse"], query_embedding=dense)


def test_normalised_scores_and_weights_of_a_run(
    store: OpenSearchNeuralSparseDocumentStore, core: NeuralSparseStore
) -> None:
    retriever = OpenSearchNeuralSparseHybridRetriever(
        document_store=store, normalization="min_max", combination="geometric_mean", pagination_depth=50
    )
    options = HybridOptions(
        normalization=Normalization.MIN_MAX, combination="geometric_mean", pagination_depth=50, weights=[0.9, 0.1]
    )
    expected = [(hit.id, hit.score) for hit in core.hybrid_search(QUERY, options=options)]
    assert ranked(retriever.run(QUERY, weights=[0.9, 0.1])) == expected


def test_bounds_are_asked_for_where_the_server_has_them(
    store: OpenSearchNeuralSparseDocumentStore, server: Any
) -> None:
    bound = {"mode": "apply", "score": 0.0}
    retriever = OpenSearchNeuralSparseHybridRetriever(
        document_store=store, normalization="min_max", lower_bounds=[bound, bound]
    )
    if server.version.startswith("2."):
        with pytest.raises(UnsupportedServerError):
            retriever.run(QUERY)
    else:
        assert retriever.run(QUERY)["documents"][0].score > 0


@pytest.mark.parametrize("kind", RETRIEVERS)
def test_explanation_tells_tokens_and_legs_and_is_not_stored(
    store: OpenSearchNeuralSparseDocumentStore, kind: Any
) -> None:
    first = kind(document_store=store).run(QUERY, explain=True)["documents"][0]
    assert first.sparse_embedding is None
    tokens = first.meta["_explanation"]["tokens"]
    assert "file" in {row["token"] for row in tokens}
    if kind is OpenSearchNeuralSparseRetriever:
        assert sum(row["score"] for row in tokens) == pytest.approx(first.score, rel=1e-5)
    else:
        assert first.meta["_explanation"]["legs"]["sparse"]["score"] > 0
        assert first.meta["_explanation"]["legs"]["bm25"]["rank"] >= 1
    store.write_documents([replace(first, id="again")])
    (read,) = store.filter_documents({"field": "id", "operator": "==", "value": "again"})
    store.delete_documents(["again"])
    assert read.meta == {"module": "io"}


@pytest.mark.parametrize("kind", RETRIEVERS)
def test_search_of_ones_own_is_filled_in(store: OpenSearchNeuralSparseDocumentStore, kind: Any) -> None:
    body = {"query": {"bool": {"must": [{"match": {"content": "$text"}}], "should": "$sparse", "filter": "$filters"}}}
    retriever = kind(document_store=store, custom_query=body, filters=ONLY_IO)
    assert {document.id for document in retriever.run(QUERY)["documents"]} == {"lines", "close"}
    assert len(retriever.run(QUERY, top_k=1)["documents"]) == 1
    with pytest.raises(ValueError, match="filter"):
        retriever.run(QUERY, custom_query={"query": "$sparse"})


LIFTING: list[dict[str, Any]] = [
    {"query": {"bool": {"should": ["$sparse", "$filters", {"match_all": {}}]}}},
    {"query": {"bool": {"must": ["$sparse"], "must_not": ["$filters"]}}},
    {"query": "$sparse", "aggs": {"mine": {"filter": "$filters"}}},
    {"query": "$sparse", "post_filter": {"bool": {"should": ["$filters", {"match_all": {}}]}}},
    {
        "query": {"bool": {"should": ["$sparse", "$filters"]}},
        "collapse": {"field": "module", "inner_hits": {"name": "_group_hits", "size": 5}},
    },
]


@pytest.mark.parametrize("kind", RETRIEVERS)
@pytest.mark.parametrize("body", LIFTING, ids=range(len(LIFTING)))
async def test_search_of_a_run_lifts_no_filter(
    store: OpenSearchNeuralSparseDocumentStore, kind: Any, body: dict[str, Any]
) -> None:
    retriever = kind(document_store=store, filters=ONLY_IO, filter_policy="merge")
    for filters in (None, EITHER):
        found = retriever.run(QUERY, filters=filters, custom_query=body)["documents"]
        awaited = (await retriever.run_async(QUERY, filters=filters, custom_query=body))["documents"]
        assert {document.id for document in [*found, *awaited]} <= {"lines", "close"}


@pytest.mark.parametrize("kind", RETRIEVERS)
async def test_failure_is_an_error_unless_it_is_allowed(kind: Any, caplog: pytest.LogCaptureFixture) -> None:
    nowhere = OpenSearchNeuralSparseDocumentStore(model=SMALL_MODEL, hosts="http://localhost:1", max_retries=0)
    with pytest.raises(ServerConnectionError, match="http://localhost:1"):
        kind(document_store=nowhere).run(QUERY)
    allowing = kind(document_store=nowhere, raise_on_failure=False)
    assert allowing.run(QUERY) == await allowing.run_async(QUERY) == {"documents": []}
    assert "found nothing, since the search failed" in caplog.text
    assert QUERY not in caplog.text
    await nowhere.close_async()
    with pytest.raises(TypeError, match="str"):
        allowing.run(QUERY, document_store="elsewhere")


@pytest.mark.parametrize("kind", RETRIEVERS)
def test_document_store_of_a_run_is_searched(
    store: OpenSearchNeuralSparseDocumentStore, make_store: MakeStore, kind: Any
) -> None:
    other = make_store()
    retriever = kind(document_store=other)
    assert ranked(retriever.run(QUERY, document_store=store)) == ranked(kind(document_store=store).run(QUERY))
    assert retriever.run(QUERY)["documents"] == []
    with pytest.raises(TypeError, match="str"):
        retriever.run(QUERY, document_store="elsewhere")


def test_routing_of_a_run_searches_its_shard(make_store: MakeStore, embedder: NeuralSparseDocumentEmbedder) -> None:
    store = make_store(settings={"number_of_shards": 5})
    documents = [Document(id=tenant, content=QUERY, meta={"_routing": tenant}) for tenant in ("ada", "bob", "eve")]
    store.write_documents(embedder.run(documents)["documents"])
    retriever = OpenSearchNeuralSparseRetriever(document_store=store, routing="ada")
    assert "ada" in {document.id for document in retriever.run(QUERY)["documents"]}
    found = [{document.id for document in retriever.run(QUERY, routing=name)["documents"]} for name in ("ada", "eve")]
    assert found[0] != found[1]


def test_closed_retriever_opens_its_store_again(store: OpenSearchNeuralSparseDocumentStore) -> None:
    retriever = OpenSearchNeuralSparseRetriever(document_store=store)
    expected = ranked(retriever.run(QUERY))
    retriever.close()
    assert ranked(retriever.run(QUERY)) == expected


@pytest.mark.filterwarnings("ignore::haystack.utils.experimental.ExperimentalWarning")
async def test_both_are_text_retrievers_in_haystacks_sense(store: OpenSearchNeuralSparseDocumentStore) -> None:
    together = MultiRetriever(
        retrievers={kind.__name__: kind(document_store=store) for kind in RETRIEVERS}, filters=ONLY_IO, top_k=2
    )
    together.warm_up()
    assert {document.id for document in together.run(query=QUERY)["documents"]} == {"lines", "close"}
    found = await together.run_async(query=QUERY)
    assert {document.id for document in found["documents"]} == {"lines", "close"}
    await store.close_async()


@pytest.mark.parametrize("kind", RETRIEVERS)
async def test_several_queries_are_asked_at_once(store: OpenSearchNeuralSparseDocumentStore, kind: Any) -> None:
    several = MultiQueryTextRetriever(retriever=kind(document_store=store, top_k=1))
    queries = ["split a string", "join two paths"]
    kwargs = {"filters": {"field": "meta.module", "operator": "!=", "value": "io"}}
    found = several.run(queries=queries, retriever_kwargs=kwargs)
    assert {document.id for document in found["documents"]} == {"split", "join"}
    assert await several.run_async(queries=queries, retriever_kwargs=kwargs) == found
    await several.close_async()


async def test_dense_retriever_of_opensearch_haystack_works_on_the_store(
    store: OpenSearchNeuralSparseDocumentStore,
) -> None:
    retriever = OpenSearchEmbeddingRetriever(document_store=store, top_k=2)
    found = retriever.run(query_embedding=[1.0, 4.0])["documents"]
    assert (await retriever.run_async(query_embedding=[1.0, 4.0]))["documents"] == found
    await store.close_async()
    assert found[0].id == "upper"
    assert found[0].meta == {"module": "str"}


@pytest.mark.parametrize("kind", RETRIEVERS)
def test_another_kind_of_store_or_policy_is_refused(kind: Any, toy_model: Any) -> None:
    with pytest.raises(TypeError, match="OpenSearchDocumentStore"):
        kind(document_store=OpenSearchDocumentStore(hosts="http://localhost:9200"))
    store = OpenSearchNeuralSparseDocumentStore(model=toy_model)
    for wrong, message in (
        ({"filter_policy": "append"}, "append"),
        ({"two_phase": {"prune_ratio": 2.0}}, "ratio"),
        ({"prune": "some"}, "some"),
        ({"two_phase": True, "collapse": "module"}, "collapse"),
        ({"timeout": -1.0}, "timeout"),
        ({"partial": "ignore"}, "ignore"),
    ):
        with pytest.raises(ValueError, match=message):
            kind(document_store=store, **wrong)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"legs": []}, "legs are some of"),
        ({"legs": ["sparse", "sparse"]}, "each once"),
        ({"legs": ["bm25", "colbert"]}, "colbert"),
        ({"legs": ["dense"]}, "beside 'dense'"),
        ({"legs": ["bm25", {"type": "dense", "field": "more", "name": "more"}]}, "A leg of another field has a type"),
        ({"legs": ["bm25", {"type": "bm25", "field": "content.de"}]}, "a field and a name"),
        ({"legs": ["bm25", {"type": "bm25", "field": "content.de", "name": "bm25"}]}, "each once"),
        ({"weights": [1.0]}, "2 legs"),
        ({"legs": ["bm25", "sparse", "dense"], "weights": [0.5, 0.5]}, "3 legs"),
        ({"rank_constant": 0}, "rank_constant"),
        ({"normalization": "softmax"}, "softmax"),
        ({"combination": "geometric_mean"}, "geometric_mean"),
        ({"fusion": "nobody"}, "nobody"),
    ],
)
def test_wrong_options_of_a_fusion_are_refused_at_once(toy_model: Any, wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        OpenSearchNeuralSparseHybridRetriever(
            document_store=OpenSearchNeuralSparseDocumentStore(model=toy_model), **wrong
        )


@pytest.mark.parametrize("kind", RETRIEVERS)
def test_every_option_is_saved_as_plain_values(kind: Any, toy_model: Any) -> None:
    store = OpenSearchNeuralSparseDocumentStore(model=toy_model, prune="max_ratio:0.1")
    options: dict[str, Any] = {
        "filters": ONLY_IO,
        "filter_policy": FilterPolicy.MERGE,
        "score_threshold": 0.5,
        "two_phase": {"prune_ratio": 0.3},
        "prune": {"type": "max_ratio", "ratio": 0.1},
        "explain": True,
        "routing": "ada",
        "custom_query": {"query": "$sparse"},
    }
    if kind is OpenSearchNeuralSparseHybridRetriever:
        options |= {"legs": ["bm25", "sparse"], "weights": [0.5, 0.5], "fusion": "server", "normalization": "min_max"}
        options |= {"lower_bounds": [{"mode": "clip", "score": 0.1}, {"mode": "ignore"}]}
    pipeline = Pipeline()
    pipeline.add_component("retriever", kind(document_store=store, **options))
    saved = pipeline.dumps()
    loaded = Pipeline.loads(saved)
    assert loaded.dumps() == saved
    retriever = loaded.get_component("retriever")
    assert retriever.filter_policy is FilterPolicy.MERGE
    assert {name: getattr(retriever, name) for name in options} == options
    assert retriever.document_store.to_dict() == store.to_dict()

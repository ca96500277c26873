from __future__ import annotations

import asyncio
from typing import Any

import pytest

pytest.importorskip("haystack_integrations.document_stores.opensearch", reason="the haystack extra is not installed")

from haystack import Document
from haystack.components.retrievers import MultiRetriever
from haystack.dataclasses import SparseEmbedding
from haystack.document_stores.types import FilterPolicy
from haystack_integrations.document_stores.opensearch import OpenSearchDocumentStore

from haystack_integrations.components.embedders.opensearch_neural_sparse import (
    NeuralSparseDocumentEmbedder,
    NeuralSparseTextEmbedder,
)
from haystack_integrations.components.retrievers.opensearch_neural_sparse import (
    OpenSearchNeuralSparseHybridRetriever,
    OpenSearchNeuralSparseRetriever,
)
from haystack_integrations.components.retrievers.opensearch_neural_sparse.filters import combine_filters
from haystack_integrations.document_stores.opensearch_neural_sparse import OpenSearchNeuralSparseDocumentStore
from opensearch_neural_sparse import NeuralSparseStore
from opensearch_neural_sparse.errors import ModelMismatchError
from opensearch_neural_sparse.store.options import HybridOptions
from tests.haystack_layer.conftest import MakeStore
from tests.paths import SMALL_MODEL

TEXTS = {
    "split": ("Split a string into a list of words.", "str"),
    "lines": ("Open a file and return its lines.", "io"),
    "join": ("Join two paths of the file system.", "os"),
    "close": ("Close the file; a closed file cannot be read.", "io"),
    "upper": ("Return a copy of the string in upper case.", "str"),
}
QUERY = "read a file"
ONLY_STR = {"field": "meta.module", "operator": "==", "value": "str"}
ONLY_IO = {"field": "meta.module", "operator": "==", "value": "io"}
EITHER = {"operator": "OR", "conditions": [ONLY_STR, ONLY_IO]}
RETRIEVERS = [OpenSearchNeuralSparseRetriever, OpenSearchNeuralSparseHybridRetriever]


@pytest.fixture
def store(make_store: MakeStore, embedder: NeuralSparseDocumentEmbedder) -> OpenSearchNeuralSparseDocumentStore:
    store = make_store()
    documents = [Document(id=key, content=text, meta={"module": module}) for key, (text, module) in TEXTS.items()]
    store.write_documents(embedder.run(documents)["documents"])
    return store


@pytest.fixture
def core(client: Any, index_name: str) -> NeuralSparseStore:
    return NeuralSparseStore(index_name, client=client, model=SMALL_MODEL)


def ranked(found: dict[str, Any]) -> list[tuple[str, float]]:
    return [(document.id, document.score) for document in found["documents"]]


def test_sparse_retrieval_is_the_search_of_the_core(
    store: OpenSearchNeuralSparseDocumentStore, core: NeuralSparseStore
) -> None:
    found = ranked(OpenSearchNeuralSparseRetriever(document_store=store).run(QUERY))
    assert found == [(hit.id, hit.score) for hit in core.search(QUERY)]
    assert {key for key, _ in found[:2]} == {"lines", "close"}


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


def test_weights_of_the_legs_reach_the_core(
    store: OpenSearchNeuralSparseDocumentStore, core: NeuralSparseStore
) -> None:
    retriever = OpenSearchNeuralSparseHybridRetriever(document_store=store, weights=[0.2, 0.8])
    hits = core.hybrid_search(QUERY, options=HybridOptions(weights=[0.2, 0.8]))
    assert ranked(retriever.run(QUERY)) == [(hit.id, hit.score) for hit in hits]


@pytest.mark.parametrize("kind", RETRIEVERS)
def test_filters_hold_in_every_leg(store: OpenSearchNeuralSparseDocumentStore, kind: Any) -> None:
    for filters in (ONLY_STR, {"operator": "NOT", "conditions": [ONLY_IO]}):
        found = kind(document_store=store, filters=filters).run("string of a file")["documents"]
        assert found
        assert "io" not in {document.meta["module"] for document in found}


@pytest.mark.parametrize("kind", RETRIEVERS)
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


@pytest.mark.parametrize("kind", RETRIEVERS)
def test_blank_query_finds_nothing(store: OpenSearchNeuralSparseDocumentStore, kind: Any) -> None:
    assert kind(document_store=store).run("")["documents"] == []
    assert kind(document_store=store).run(" \n ")["documents"] == []


def test_sparse_retriever_takes_one_of_text_and_embedding(store: OpenSearchNeuralSparseDocumentStore) -> None:
    retriever = OpenSearchNeuralSparseRetriever(document_store=store)
    assert retriever.run(query_sparse_embedding=SparseEmbedding([], []))["documents"] == []
    for inputs in ({}, {"query": "x", "query_sparse_embedding": SparseEmbedding([3000], [1.0])}):
        with pytest.raises(ValueError, match="either"):
            retriever.run(**inputs)


@pytest.mark.parametrize("kind", RETRIEVERS)
def test_top_k_is_the_retrievers_unless_the_run_says_otherwise(
    store: OpenSearchNeuralSparseDocumentStore, kind: Any
) -> None:
    retriever = kind(document_store=store, top_k=2)
    assert len(retriever.run(QUERY)["documents"]) == 2
    assert len(retriever.run(QUERY, top_k=3)["documents"]) == 3
    with pytest.raises(ValueError, match="got 0"):
        retriever.run(QUERY, top_k=0)


@pytest.mark.parametrize("kind", RETRIEVERS)
def test_vectors_come_with_documents_where_the_store_says_so(
    store: OpenSearchNeuralSparseDocumentStore, make_store: MakeStore, kind: Any
) -> None:
    assert kind(document_store=store).run(QUERY)["documents"][0].sparse_embedding is None
    with_vectors = kind(document_store=make_store(return_embedding=True)).run(QUERY)["documents"]
    assert all(document.sparse_embedding.indices for document in with_vectors)


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


@pytest.mark.parametrize("kind", RETRIEVERS)
def test_async_run_finds_the_same(store: OpenSearchNeuralSparseDocumentStore, kind: Any) -> None:
    retriever = kind(document_store=store, top_k=3)
    expected = ranked(retriever.run(QUERY, filters=ONLY_IO))

    async def many() -> list[dict[str, Any]]:
        try:
            return await asyncio.gather(*(retriever.run_async(QUERY, filters=ONLY_IO) for _ in range(8)))
        finally:
            await retriever.close_async()

    assert [ranked(found) for found in asyncio.run(many())] == [expected] * 8


def test_closed_retriever_opens_its_store_again(store: OpenSearchNeuralSparseDocumentStore) -> None:
    retriever = OpenSearchNeuralSparseRetriever(document_store=store)
    expected = ranked(retriever.run(QUERY))
    retriever.close()
    assert ranked(retriever.run(QUERY)) == expected


@pytest.mark.filterwarnings("ignore::haystack.utils.experimental.ExperimentalWarning")
def test_both_are_text_retrievers_in_haystacks_sense(store: OpenSearchNeuralSparseDocumentStore) -> None:
    together = MultiRetriever(
        retrievers={kind.__name__: kind(document_store=store) for kind in RETRIEVERS}, filters=ONLY_IO, top_k=2
    )
    together.warm_up()
    assert {document.id for document in together.run(query=QUERY)["documents"]} == {"lines", "close"}


@pytest.mark.parametrize("kind", RETRIEVERS)
def test_another_kind_of_store_or_policy_is_refused(kind: Any, toy_model: Any) -> None:
    with pytest.raises(TypeError, match="OpenSearchDocumentStore"):
        kind(document_store=OpenSearchDocumentStore(hosts="http://localhost:9200"))
    with pytest.raises(ValueError, match="append"):
        kind(document_store=OpenSearchNeuralSparseDocumentStore(model=toy_model), filter_policy="append")

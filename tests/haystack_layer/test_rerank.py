"""Reranking by the retrievers, on real servers; and what of it a saved pipeline holds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("haystack_integrations.document_stores.opensearch", reason="the haystack extra is not installed")

from haystack import Document, Pipeline, default_from_dict
from haystack.utils import Secret

from haystack_integrations.components.embedders.opensearch_neural_sparse import (
    NeuralSparseDocumentEmbedder,
    NeuralSparseTextEmbedder,
)
from haystack_integrations.components.retrievers.opensearch_neural_sparse import (
    OpenSearchNeuralSparseHybridRetriever,
    OpenSearchNeuralSparseRetriever,
)
from haystack_integrations.components.super_components.opensearch_neural_sparse import (
    OpenSearchNeuralSparseHybridSearch,
)
from haystack_integrations.document_stores.opensearch_neural_sparse import OpenSearchNeuralSparseDocumentStore
from opensearch_neural_sparse import CrossEncoderReranker, RemoteReranker, Rerank
from tests.paths import SMALL_MODEL
from tests.rerank.stub import RerankerStub
from tests.rerankers import CountingReranker

MakeStore = Callable[..., OpenSearchNeuralSparseDocumentStore]
QUERY = "cats purr"
TEXTS = ["Cats purr. #1", "Cats purr at night. #5", "Cats like milk. #3", "Dogs bark at cats. #4", "Cats sleep. #2"]
BEST = ["Cats purr at night. #5", "Dogs bark at cats. #4", "Cats like milk. #3"]
RETRIEVERS = [
    OpenSearchNeuralSparseRetriever,
    OpenSearchNeuralSparseHybridRetriever,
    OpenSearchNeuralSparseHybridSearch,
]


@pytest.fixture
def store(make_store: MakeStore, embedder: NeuralSparseDocumentEmbedder) -> OpenSearchNeuralSparseDocumentStore:
    store = make_store()
    store.write_documents(embedder.run([Document(content=text) for text in TEXTS])["documents"])
    return store


def contents(found: dict[str, Any]) -> list[str]:
    return [document.content for document in found["documents"]]


@pytest.mark.parametrize("kind", RETRIEVERS)
def test_documents_are_in_the_reranker_s_order_blocking_and_not(
    kind: Any, store: OpenSearchNeuralSparseDocumentStore
) -> None:
    reranker = CountingReranker()
    retriever = kind(document_store=store, top_k=3, rerank=Rerank(reranker), explain=True)
    found = retriever.run(QUERY)
    assert contents(found) == BEST
    assert contents(asyncio.run(retriever.run_async(QUERY))) == BEST
    assert [document.score for document in found["documents"]] == [5.0, 4.0, 3.0]
    explained = found["documents"][0].meta["_explanation"]["rerank"]
    assert explained["score"] == 5.0
    assert explained["search_score"] > 0
    assert "MainThread" in reranker.threads
    assert len(reranker.threads) > 1, "the asynchronous run reranks in a worker thread"


@pytest.mark.parametrize("kind", RETRIEVERS)
def test_run_gives_a_reranking_or_changes_that_of_the_retriever(
    kind: Any, store: OpenSearchNeuralSparseDocumentStore
) -> None:
    reranker, other = CountingReranker(), CountingReranker()
    retriever = kind(document_store=store, top_k=3, rerank={"reranker": reranker})
    assert contents(retriever.run(QUERY, rerank={"batch_size": 2})) == BEST
    assert max(len(texts) for _, texts in reranker.calls) == 2
    assert contents(kind(document_store=store, top_k=3).run(QUERY, rerank=Rerank(other))) == BEST
    assert other.calls
    with pytest.raises(ValueError, match="rerank has no reranker"):
        kind(document_store=store).run(QUERY, rerank={"depth": 3})
    with pytest.raises(TypeError, match="rerank has no 'dpth'; it has reranker, depth"):
        retriever.run(QUERY, rerank={"dpth": 3})


def test_embedding_is_reranked_by_the_query_beside_it(store: OpenSearchNeuralSparseDocumentStore) -> None:
    reranker = CountingReranker()
    retriever = OpenSearchNeuralSparseRetriever(document_store=store, top_k=3, rerank=Rerank(reranker))
    pipeline = Pipeline()
    pipeline.add_component("embedder", NeuralSparseTextEmbedder(SMALL_MODEL))
    pipeline.add_component("retriever", retriever)
    pipeline.connect("embedder.sparse_embedding", "retriever.query_sparse_embedding")
    data = {"embedder": {"text": QUERY}, "retriever": {"query": QUERY}}
    assert contents(pipeline.run(data)["retriever"]) == BEST
    assert reranker.calls[0][0] == QUERY
    embedding = NeuralSparseTextEmbedder(SMALL_MODEL).run(QUERY)["sparse_embedding"]
    with pytest.raises(ValueError, match="token weights have none"):
        retriever.run(query_sparse_embedding=embedding)
    with pytest.raises(ValueError, match="Give either query or query_sparse_embedding"):
        OpenSearchNeuralSparseRetriever(document_store=store).run(QUERY, query_sparse_embedding=embedding)


def test_threshold_holds_for_the_score_of_the_search(store: OpenSearchNeuralSparseDocumentStore) -> None:
    before = OpenSearchNeuralSparseRetriever(document_store=store).run(QUERY)["documents"]
    least = before[1].score
    retriever = OpenSearchNeuralSparseRetriever(document_store=store, rerank=Rerank(CountingReranker()))
    found = contents(retriever.run(QUERY, score_threshold=least))
    assert {*found} == {document.content for document in before if document.score >= least}


def test_words_alone_are_reranked(store: OpenSearchNeuralSparseDocumentStore) -> None:
    rerank = Rerank(CountingReranker())
    retriever = OpenSearchNeuralSparseHybridRetriever(document_store=store, top_k=3, legs=["bm25"], rerank=rerank)
    assert contents(retriever.run(QUERY)) == BEST


@pytest.mark.parametrize("kind", RETRIEVERS)
def test_saved_pipeline_reranks_by_a_service_with_its_secret(
    kind: Any, store: OpenSearchNeuralSparseDocumentStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    with RerankerStub(key="secret-key") as stub:
        options = {"url": stub.url, "api_key": Secret.from_env_var("RERANKER_KEY"), "batch_size": 2}
        pipeline = Pipeline()
        rerank = {"reranker": options, "depth": 20}
        pipeline.add_component("retriever", kind(document_store=store, top_k=3, rerank=rerank))
        text = pipeline.dumps()
        assert "secret-key" not in text
        assert "RERANKER_KEY" in text
        monkeypatch.setenv("RERANKER_KEY", "secret-key")
        loaded = Pipeline.loads(text)
        assert contents(loaded.run({"retriever": {"query": QUERY}})["retriever"]) == BEST
        assert loaded.dumps() == text
        assert max(len(body["texts"]) for body in stub.bodies) == 2


def test_rerankers_of_the_core_are_saved_by_their_options(toy_model: Any) -> None:
    store = OpenSearchNeuralSparseDocumentStore(model=str(toy_model))
    for rerank, plain in (
        (Rerank(RemoteReranker("http://localhost:1", timeout=5.0)), {"url": "http://localhost:1", "timeout": 5.0}),
        (Rerank(CrossEncoderReranker("org/model", backend="onnx")), {"model": "org/model", "backend": "onnx"}),
    ):
        saved = OpenSearchNeuralSparseRetriever(document_store=store, rerank=rerank).to_dict()
        assert saved["init_parameters"]["rerank"] == {"reranker": plain}
        again = default_from_dict(OpenSearchNeuralSparseRetriever, saved)
        assert again.to_dict() == saved
    assert "rerank" not in OpenSearchNeuralSparseRetriever(document_store=store).to_dict()["init_parameters"]


@pytest.mark.parametrize(
    ("rerank", "problem"),
    [
        (Rerank(lambda _query, texts: [0.0 for _ in texts]), "is not saved, as it has no plain values"),
        (Rerank(RemoteReranker("http://localhost:1", api_key="hidden")), "api_key of a reranker is not saved as plain"),
        ({"reranker": CountingReranker()}, "The reranker CountingReranker is not saved"),
    ],
    ids=["function", "plain-key", "own-class"],
)
def test_what_has_no_plain_values_is_not_saved(rerank: Any, problem: str, toy_model: Any) -> None:
    store = OpenSearchNeuralSparseDocumentStore(model=str(toy_model))
    with pytest.raises(ValueError, match=problem) as refusal:
        OpenSearchNeuralSparseHybridRetriever(document_store=store, rerank=rerank).to_dict()
    assert "hidden" not in str(refusal.value)


@pytest.mark.parametrize(
    ("rerank", "error", "problem"),
    [
        ({"reranker": {"modle": "x"}}, ValueError, "reranker has either 'model'"),
        ({"reranker": {"model": "x", "url": "http://localhost:1"}}, ValueError, "reranker has either 'model'"),
        ({"reranker": {"model": "x", "timeout": 1}}, TypeError, "reranker has no 'timeout'; it has model, backend"),
        ({"reranker": {"url": "http://localhost:1", "api_key": "k"}}, TypeError, "are secrets, such as Secret"),
        ({"reranker": {"model": "x"}, "depth": 0}, ValueError, "depth lies between 1 and 10000, got 0"),
        ([], TypeError, "rerank is a Rerank, or a mapping of its options, got list"),
    ],
)
@pytest.mark.parametrize("kind", RETRIEVERS[:2])
def test_wrong_options_are_refused_when_a_retriever_is_made(
    kind: Any, rerank: Any, error: type[Exception], problem: str, toy_model: Any
) -> None:
    with pytest.raises(error, match=problem):
        kind(document_store=OpenSearchNeuralSparseDocumentStore(model=str(toy_model)), rerank=rerank)

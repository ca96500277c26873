"""What becomes of input that is wrong, odd or large: the table in docs/haystack.md, row by row."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("haystack_integrations.document_stores.opensearch", reason="the haystack extra is not installed")

from haystack import Document
from haystack.dataclasses import SparseEmbedding
from haystack.document_stores.errors import DocumentStoreError, DuplicateDocumentError
from haystack.document_stores.types import DuplicatePolicy
from haystack.errors import FilterError

from haystack_integrations.components.embedders.opensearch_neural_sparse import (
    NeuralSparseDocumentEmbedder,
    NeuralSparseTextEmbedder,
)
from haystack_integrations.components.retrievers.opensearch_neural_sparse import (
    OpenSearchNeuralSparseHybridRetriever,
    OpenSearchNeuralSparseRetriever,
)
from opensearch_neural_sparse.errors import (
    InvalidVectorError,
    ModelMismatchError,
    ServerRequestError,
    TruncationWarning,
    UnknownModelError,
)
from tests.haystack_layer.conftest import MakeStore

pytestmark = pytest.mark.newest_server

TEXT = "Split a string into a list of words."
MEGABYTE = 1024 * 1024


async def test_dense_embedding_of_the_wrong_length(make_store: MakeStore) -> None:
    store = make_store(embedding_dim=2)
    documents = [Document(id="fits", embedding=[1.0, 2.0]), Document(id="does not", embedding=[1.0, 2.0, 3.0])]
    with pytest.raises(DocumentStoreError, match=r"'does not'.*dimension"):
        await store.write_documents_async(documents)
    assert store.count_documents() == 1
    retriever = OpenSearchNeuralSparseHybridRetriever(document_store=store)
    for run in (retriever.run, retriever.run_async):
        with pytest.raises(ServerRequestError, match="dimension"):
            await found(run("words", query_embedding=[1.0, 2.0, 3.0]))
    await store.close_async()


async def found(outcome: Any) -> Any:
    return outcome if isinstance(outcome, dict) else await outcome


async def test_filters_that_name_no_field_or_are_none(make_store: MakeStore, embedder: Any) -> None:
    store = make_store()
    store.write_documents(embedder.run([Document(content=TEXT)])["documents"])
    retriever = OpenSearchNeuralSparseRetriever(document_store=store)
    unknown = {"field": "meta.unheard_of", "operator": "==", "value": 1}
    assert retriever.run("words", filters=unknown) == {"documents": []}
    assert await retriever.run_async("words", filters=unknown) == {"documents": []}
    assert store.filter_documents(unknown) == []
    for wrong in ({"field": "meta.year", "operator": "~", "value": 1}, {"field": "meta.year", "value": 1}):
        with pytest.raises(FilterError):
            retriever.run("words", filters=wrong)
    await store.close_async()


def test_unknown_model(make_store: MakeStore) -> None:
    for use in (
        make_store(model="doc-v9").count_documents,
        NeuralSparseTextEmbedder("doc-v9").warm_up,
        NeuralSparseDocumentEmbedder("doc-v9").warm_up,
    ):
        with pytest.raises(UnknownModelError, match=r"'doc-v9'. Did you mean"):
            use()


async def test_model_of_another_index(make_store: MakeStore, toy_model: Path, embedder: Any) -> None:
    make_store().count_documents()
    stranger = make_store(model=toy_model)
    with pytest.raises(ModelMismatchError, match=r"small-en.*toy-model"):
        await OpenSearchNeuralSparseRetriever(document_store=stranger).run_async("words")
    await stranger.close_async()
    query = NeuralSparseTextEmbedder(toy_model).run("red planet")["sparse_embedding"]
    with pytest.raises(ModelMismatchError, match=r"small-en.*toy-model"):
        OpenSearchNeuralSparseRetriever(document_store=make_store()).run(query_sparse_embedding=query)


@pytest.mark.parametrize("query", ["", " \n\t", "\u200b"])
async def test_empty_query(make_store: MakeStore, embedder: Any, query: str) -> None:
    store = make_store()
    store.write_documents(embedder.run([Document(content=TEXT)])["documents"])
    for kind in (OpenSearchNeuralSparseRetriever, OpenSearchNeuralSparseHybridRetriever):
        assert kind(document_store=store).run(query) == {"documents": []}
        assert await kind(document_store=store).run_async(query) == {"documents": []}
    assert NeuralSparseTextEmbedder(store.to_dict()["init_parameters"]["model"]).run(query)["sparse_embedding"] == (
        SparseEmbedding([], [])
    )
    await store.close_async()


async def test_no_documents(make_store: MakeStore, embedder: Any) -> None:
    store = make_store()
    assert embedder.run([]) == {"documents": []}
    assert store.write_documents([]) == await store.write_documents_async([]) == 0
    assert OpenSearchNeuralSparseRetriever(document_store=store).run("words") == {"documents": []}
    await store.close_async()


async def test_one_id_twice_in_a_batch(make_store: MakeStore) -> None:
    store = make_store()
    batch = [Document(id="1", content="first"), Document(id="2", content="x"), Document(id="1", content="last")]
    for policy in (DuplicatePolicy.NONE, DuplicatePolicy.FAIL):
        with pytest.raises(
            DuplicateDocumentError, match="1 documents have ids that exist already, 2 were written: '1'"
        ):
            await store.write_documents_async(batch, policy)
        store.delete_all_documents()
    assert await store.write_documents_async(batch, DuplicatePolicy.SKIP) == 2
    assert sorted(document.content for document in store.filter_documents()) == ["first", "x"]
    assert store.write_documents(batch, DuplicatePolicy.OVERWRITE) == 3
    assert sorted(document.content for document in store.filter_documents()) == ["last", "x"]
    await store.close_async()


async def test_document_of_ten_megabytes(make_store: MakeStore, embedder: Any) -> None:
    store = make_store()
    sentence = "Split a string into a list of words. "
    with pytest.warns(TruncationWarning, match=r"1 document has more than 512 tokens \('large'\)"):
        (embedded,) = embedder.run([Document(id="large", content=sentence * 1000)])["documents"]
    text = sentence * (10 * MEGABYTE // len(sentence))
    large = replace(embedded, content=text)
    assert await store.write_documents_async([large, Document(id="small", content="x")]) == 2
    (document,) = (await OpenSearchNeuralSparseRetriever(document_store=store).run_async("split"))["documents"]
    assert (document.id, document.content) == ("large", text)
    await store.close_async()


def test_content_that_is_no_text() -> None:
    with pytest.raises(ValueError, match="content"):
        Document(content=4711)  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", ["a text", ["a text"], [Document(content="x"), "a text"]])
async def test_texts_in_place_of_documents(make_store: MakeStore, embedder: Any, wrong: Any) -> None:
    store = make_store()
    with pytest.raises(ValueError, match="list of documents, got str"):
        store.write_documents(wrong)
    with pytest.raises(ValueError, match="list of documents, got str"):
        await store.write_documents_async(wrong)
    with pytest.raises(TypeError, match="NeuralSparseTextEmbedder"):
        embedder.run(wrong)


@pytest.mark.parametrize(
    "embedding",
    [
        SparseEmbedding([3], [-1.0]),
        SparseEmbedding([3], [float("nan")]),
        SparseEmbedding([10**6], [1.0]),
        SparseEmbedding([3, 3], [1.0, 1.0]),
    ],
    ids=["negative", "not a number", "no token", "twice"],
)
async def test_sparse_embedding_that_no_index_can_take(make_store: MakeStore, embedding: SparseEmbedding) -> None:
    store = make_store()
    documents = [Document(content="fine"), Document(content="x", sparse_embedding=embedding)]
    with pytest.raises(InvalidVectorError):
        await store.write_documents_async(documents)
    assert store.count_documents() == 0
    with pytest.raises(InvalidVectorError):
        OpenSearchNeuralSparseRetriever(document_store=store).run(query_sparse_embedding=embedding)
    await store.close_async()

"""Several documents of each value of a key, in retrievers on real servers."""

from __future__ import annotations

from typing import Any

from haystack import Document
from haystack.core.serialization import component_from_dict, component_to_dict
from haystack.dataclasses import SparseEmbedding

from haystack_integrations.components.retrievers.opensearch_neural_sparse import (
    OpenSearchNeuralSparseHybridRetriever,
    OpenSearchNeuralSparseRetriever,
)
from tests.haystack_layer.conftest import MakeStore


async def test_collapse_with_a_size_brings_the_best_documents_of_each_value(make_store: MakeStore) -> None:
    store = make_store()
    weights = {"1": ("a", 5.0), "2": ("b", 4.0), "3": ("a", 3.0), "4": ("a", 2.0), "5": ("b", 1.0)}
    store.write_documents(
        [
            Document(
                id=key,
                content="river",
                meta={"source": source},
                sparse_embedding=SparseEmbedding(indices=[7], values=[weight]),
            )
            for key, (source, weight) in weights.items()
        ]
    )
    collapse = {"field": "source", "size": 2}
    sparse = OpenSearchNeuralSparseRetriever(document_store=store, collapse=collapse, top_k=2)
    saved = component_to_dict(sparse, "sparse")
    sparse = component_from_dict(OpenSearchNeuralSparseRetriever, saved, "sparse")
    query: dict[str, Any] = {"query_sparse_embedding": SparseEmbedding(indices=[7], values=[1.0])}
    documents = sparse.run(**query)["documents"]
    assert [(one.id, one.score) for one in documents] == [("1", 5.0), ("3", 3.0), ("2", 4.0), ("5", 1.0)]
    assert (await sparse.run_async(**query))["documents"] == documents
    assert [one.id for one in sparse.run(**query, top_k=1, score_threshold=4)["documents"]] == ["1"]
    hybrid = OpenSearchNeuralSparseHybridRetriever(document_store=store, collapse=collapse, top_k=2)
    found = hybrid.run("river")["documents"]
    assert sorted(one.meta["source"] for one in found) == ["a", "a", "b", "b"]
    alone = OpenSearchNeuralSparseHybridRetriever(document_store=store, collapse=collapse, top_k=2, legs=["bm25"])
    by_words = alone.run("river")["documents"]
    assert sorted(one.meta["source"] for one in by_words) == ["a", "a", "b", "b"]
    assert (await alone.run_async("river"))["documents"] == by_words
    await sparse.close_async()
    await alone.close_async()

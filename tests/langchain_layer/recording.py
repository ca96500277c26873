"""A store that notes the searches it is given, to compare them as values."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from langchain_core.embeddings import Embeddings

from langchain_opensearch_neural_sparse import OpenSearchNeuralSparseVectorStore
from opensearch_neural_sparse import IndexSchema, NeuralSparseStore, SearchHits
from opensearch_neural_sparse.layer_support import Search

NOWHERE = "http://localhost:9"


class RecordingStore(NeuralSparseStore):
    """Note searches and find nothing."""

    def __init__(self) -> None:
        super().__init__("articles", url=NOWHERE, schema=IndexSchema(embedding_dimension=3))
        self.searches: list[Search] = []

    def open(self, *, unbound: bool = False) -> Any:
        return SimpleNamespace(schema=self.schema)

    def run(self, search: Search) -> SearchHits:
        self.searches.append(search)
        return SearchHits()

    @property
    def last(self) -> Search:
        return self.searches[-1]


def vectorstore_over(store: RecordingStore, embedding: Embeddings | None = None) -> OpenSearchNeuralSparseVectorStore:
    return OpenSearchNeuralSparseVectorStore(store=store, embedding=embedding)

"""Search a real index by a setting, as the code that is written for it does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from opensearch_neural_sparse.encode.sparse_vector import SparseVector
from opensearch_neural_sparse.evaluate.datasets.beir import Collection
from opensearch_neural_sparse.evaluate.experiments.encoded_collection import DenselyEncoded, Encoded, Progress
from opensearch_neural_sparse.evaluate.experiments.exact_search import Ranking
from opensearch_neural_sparse.evaluate.experiments.hybrid_spec import BM25
from opensearch_neural_sparse.evaluate.experiments.runs import SIZE
from opensearch_neural_sparse.evaluate.experiments.search_methods import Search
from opensearch_neural_sparse.evaluate.experiments.temporary_index import fill, temporary_index
from opensearch_neural_sparse.evaluate.tuning.settings.index_layout import IndexLayout
from opensearch_neural_sparse.evaluate.tuning.settings.search_setting import SearchSetting
from opensearch_neural_sparse.index.documents.document import SparseDocument
from opensearch_neural_sparse.index.documents.vector_fields import FieldVector
from opensearch_neural_sparse.search.options.legs import Embedder
from opensearch_neural_sparse.store._sync.store import NeuralSparseStore

if TYPE_CHECKING:
    from opensearchpy import OpenSearch


@dataclass(frozen=True, kw_only=True)
class Vectors:
    """Vectors of a collection.

    Attributes:
        encoded: Model -> sparse vectors, documents unpruned.
        dense: Dense vectors, or None.
    """

    encoded: Mapping[str, Encoded]
    dense: DenselyEncoded | None = None

    @property
    def embedder(self) -> Embedder | None:
        """Embedder of queries, or None."""
        return None if self.dense is None else self.dense.queries


@dataclass(frozen=True, kw_only=True)
class StoredSearch:
    """A search of a collection by a setting.

    Attributes:
        collection: The collection.
        setting: The setting.
        layout: Its index.
        vectors: Vectors of the collection.
    """

    collection: Collection
    setting: SearchSetting
    layout: IndexLayout
    vectors: Vectors

    def run(self, client: OpenSearch, queries: Sequence[str], progress: Progress) -> dict[str, Ranking]:
        """Index the collection and search it by the texts of queries; the index is temporary.

        Args:
            client: A client of the server.
            queries: Ids of the queries.
            progress: Called as the work goes on.
        """
        found: dict[str, Ranking] = {}
        with layout_index(client, self.collection, self.layout, self.vectors) as store:
            search = self._search(store)
            for number, query in enumerate(queries, 1):
                found[query] = {hit.id: hit.score for hit in search(self.collection.queries[query])}
                progress(f"{self.collection.name}: {self.setting.label}", number, len(queries))
        return found

    def _search(self, store: NeuralSparseStore) -> Search:
        if len(self.setting.legs) > 1:
            options = self.layout.hybrid_options(self.setting, self.vectors.embedder)
            return partial(store.hybrid_search, size=SIZE, options=options)
        if self.setting.legs[0].kind == BM25:
            return partial(store.match_search, size=SIZE)
        return partial(store.search, size=SIZE, options=self.layout.sparse_options(self.setting))


@contextmanager
def layout_index(
    client: OpenSearch, collection: Collection, layout: IndexLayout, vectors: Vectors
) -> Iterator[NeuralSparseStore]:
    """Index a collection in a layout, and delete the index at the end of the block."""
    dense = None if layout.dense_model is None else vectors.dense
    with temporary_index(
        client,
        "evaluate",
        model=layout.model,
        query_encoder=vectors.encoded[layout.model].query_encoder,
        dimension=None if dense is None else dense.dimension,
        analyzers=layout.analyzers,
    ) as store:
        for name, model in layout.more_models.items():
            store.add_field(name, model=model, prune=layout.prune)
        fill(store, _documents(collection, layout, vectors.encoded, dense))
        yield store


def _documents(
    collection: Collection, layout: IndexLayout, encoded: Mapping[str, Encoded], dense: DenselyEncoded | None
) -> Iterator[SparseDocument]:
    def vector(model: str, key: str) -> SparseVector:
        whole = encoded[model].documents[key]
        return whole if layout.prune is None else layout.prune(whole)

    for key, text in collection.documents.items():
        yield SparseDocument(
            id=key,
            text=text,
            vector=vector(layout.model, key),
            more_vectors={name: FieldVector(vector=vector(model, key)) for name, model in layout.more_models.items()},
            embedding=None if dense is None else dense.documents[key],
        )

"""What retrievers ask of a document store, as a frozen value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from haystack.dataclasses import SparseEmbedding

from opensearch_neural_sparse.search.options.page import check_size
from opensearch_neural_sparse.search.options.request_options import RequestOptions
from opensearch_neural_sparse.search.options.search_options import DEFAULT_SEARCH, HybridOptions, SearchOptions

if TYPE_CHECKING:
    from opensearch_neural_sparse.encode.sparse_vector import SparseVector
    from opensearch_neural_sparse.search.results.hits import SearchHit
    from opensearch_neural_sparse.store._async.store import AsyncNeuralSparseStore
    from opensearch_neural_sparse.store._sync.store import NeuralSparseStore


@dataclass(frozen=True, kw_only=True)
class Retrieval:
    """A search for documents.

    Attributes:
        query: The text; a search by an embedding alone does without.
        embedding: Its sparse embedding; None has the text encoded by the index's model.
        filters: Haystack filters that documents satisfy.
        top_k: Most documents, 1 to 10,000.
        how: By sparse vectors (`SearchOptions`), by several legs (`HybridOptions`), or by words alone
            (`RequestOptions`).
        custom_query: Body of a search of one's own with the places `$sparse`, `$text` and `$filters`; its own order and
            size go before, and of `how` it takes how the search travels.
        score_threshold: Least score of a document.
        explain: Whether documents tell in their metadata why they were found; a search by words alone and a custom one
            tell nothing.
        return_embedding: Whether they come with their vectors; None is as the document store says.
    """

    query: str = field(default="", repr=False)
    embedding: SparseEmbedding | None = field(default=None, repr=False)
    filters: dict[str, Any] | None = field(default=None, repr=False)
    top_k: int = 10
    how: SearchOptions | HybridOptions | RequestOptions = DEFAULT_SEARCH
    custom_query: Mapping[str, Any] | None = None
    score_threshold: float | None = None
    explain: bool = False
    return_embedding: bool | None = None

    def __post_init__(self) -> None:
        check_size(self.top_k, name="top_k")
        if not isinstance(self.query, str):
            raise TypeError(f"query is a text, got {type(self.query).__name__}.")
        if self.custom_query is not None and not isinstance(self.custom_query, Mapping):
            raise TypeError(f"custom_query is the body of a search, a mapping, got {type(self.custom_query).__name__}.")

    def ask(
        self,
        index: NeuralSparseStore | AsyncNeuralSparseStore,
        vector: SparseVector | None,
        *,
        clause: Mapping[str, Any] | None,
        with_vectors: bool,
    ) -> Any:
        """Search: return the hits of a blocking index, or what awaits those of an asynchronous one.

        Args:
            index: Either store of the core.
            vector: The embedding as token -> weight.
            clause: The filters as a query clause.
            with_vectors: Whether hits carry their vectors.
        """
        query = self.query if vector is None else vector
        if self.custom_query is not None:
            request = self.how if isinstance(self.how, RequestOptions) else self.how.request
            body = {"size": self.top_k, **({"_source": True} if with_vectors else {}), **self.custom_query}
            return index.custom_search(body, query=query, filter=clause, request=request)
        page: dict[str, Any] = {"size": self.top_k, "filter": clause, "with_embedding": with_vectors}
        if isinstance(self.how, RequestOptions):
            return index.match_search(self.query, request=self.how, **page)
        page["explain"] = self.explain or with_vectors
        if isinstance(self.how, HybridOptions):
            return index.hybrid_search(self.query, vector=vector, options=self.how, **page)
        return index.search(query, options=self.how, **page)

    def kept(self, hits: Sequence[SearchHit]) -> Sequence[SearchHit]:
        """Return the hits whose score suffices; searches by several legs and custom ones see to that.

        Args:
            hits: Hits of this search.
        """
        if self.custom_query is not None or isinstance(self.how, HybridOptions):
            return hits
        least = self.score_threshold
        return hits if least is None else [hit for hit in hits if hit.score >= least]

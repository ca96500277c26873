"""A search for Haystack documents, as a value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from opensearch_neural_sparse import CustomSearch, HybridSearch, MatchSearch
from opensearch_neural_sparse.layer_support import Search

if TYPE_CHECKING:
    from haystack.dataclasses import SparseEmbedding

    from opensearch_neural_sparse import SearchHit, SparseVector


@dataclass(frozen=True, kw_only=True)
class Retrieval:
    """A search of the core with what Haystack adds to it.

    Attributes:
        search: The search, without filter and vectors: these depend on the index that is searched.
        filters: Haystack filters that documents satisfy.
        embedding: Sparse embedding of the query; None has the text of the search encoded by the index's model.
        score_threshold: Least score of a document. A hybrid search has its own, `HybridOptions.min_score`.
        explain: Whether documents say in their metadata why they were found; a search by words alone and a custom one
            say nothing.
        return_embedding: Whether they come with their vectors; None is as the document store says.
    """

    search: Search
    filters: dict[str, Any] | None = field(default=None, repr=False)
    embedding: SparseEmbedding | None = field(default=None, repr=False)
    score_threshold: float | None = None
    explain: bool = False
    return_embedding: bool | None = None

    def search_with(
        self, clause: Mapping[str, Any] | None, vector: SparseVector | None, *, with_vectors: bool
    ) -> Search:
        """Return the search of an index.

        Args:
            clause: The filters as a query clause.
            vector: The embedding as token -> weight.
            with_vectors: Whether hits carry their vectors.
        """
        search = self.search
        if isinstance(search, MatchSearch):
            return replace(search, filter=clause, with_embedding=with_vectors)
        if isinstance(search, CustomSearch):
            body = {"_source": True, **search.body} if with_vectors else search.body
            return replace(search, filter=clause, query=search.query if vector is None else vector, body=body)
        page: dict[str, Any] = {
            "filter": clause,
            "with_embedding": with_vectors,
            "explain": self.explain or with_vectors,
        }
        if isinstance(search, HybridSearch):
            return replace(search, vector=vector, **page)
        return replace(search, query=search.query if vector is None else vector, **page)

    def above_threshold(self, hits: Sequence[SearchHit]) -> Sequence[SearchHit]:
        """Return the hits with at least the score of the threshold.

        Args:
            hits: Hits of this search.
        """
        least = self.score_threshold
        return hits if least is None else [hit for hit in hits if hit.score >= least]

"""A search for Haystack documents, as a value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from haystack_integrations.document_stores.opensearch_neural_sparse.filters import stored_field
from opensearch_neural_sparse import CustomSearch, HybridSearch, MatchSearch, SparseSearch
from opensearch_neural_sparse.layer_support import (
    Aggregations,
    Search,
    boosts_of,
    check_aggregations,
    check_flag,
    check_number,
    check_type,
    holding_filter,
    is_profiled,
    renamed_boosts,
    renamed_fields,
)

if TYPE_CHECKING:
    from haystack.dataclasses import SparseEmbedding

    from opensearch_neural_sparse import IndexSchema, SearchHit, SearchHits, SparseVector


@dataclass(frozen=True, kw_only=True)
class Retrieval:
    """A search of the core with what Haystack adds to it.

    Attributes:
        search: The search, without filter and vectors: these depend on the index that is searched. Its boosts name
            fields as filters do, such as `meta.likes`.
        filters: Haystack filters that documents satisfy.
        embedding: Sparse embedding of the query; None has the text of the search encoded by the index's model.
        score_threshold: Least score of a document, before any reranking. A hybrid search has its own,
            `HybridOptions.min_score`.
        explain: Whether documents say in their metadata why they were found; a search by words alone and a custom one
            say nothing.
        return_embedding: Whether they come with their vectors; None is as the document store says.
        aggregations: Name -> aggregation in OpenSearch's syntax over all documents that match, with fields as in
            filters: `{"by_topic": {"terms": {"field": "meta.topic"}}}`. Those of a custom search are in its body.

    Raises:
        ValueError: Aggregations beside a custom search, or of another form; or a profile, which documents cannot carry.
    """

    search: Search
    filters: dict[str, Any] | None = field(default=None, repr=False)
    embedding: SparseEmbedding | None = field(default=None, repr=False)
    score_threshold: float | None = None
    explain: bool = False
    return_embedding: bool | None = None
    aggregations: Aggregations | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        check_type((SparseSearch, HybridSearch, MatchSearch, CustomSearch), search=self.search)
        check_number(optional=True, score_threshold=self.score_threshold)
        check_flag(explain=self.explain)
        check_type(bool, optional=True, return_embedding=self.return_embedding)
        check_aggregations(self.aggregations)
        if self.aggregations is not None and isinstance(self.search, CustomSearch):
            raise ValueError("A custom search has its aggregations in its body; leave aggregations out.")
        if is_profiled(self.search):
            raise ValueError(
                "profile=True has no effect here: documents cannot carry a profile. Search with `NeuralSparseStore` of "
                "the core, or leave it out."
            )

    @property
    def asks_server(self) -> bool:
        """Whether the server is asked to encode the query, so that the index may carry no model."""
        if isinstance(self.search, MatchSearch):
            return False
        by = self.search.server_query if isinstance(self.search, CustomSearch) else self.search.options.server_query
        return by is not None

    def search_with(
        self, clause: Mapping[str, Any] | None, vector: SparseVector | None, schema: IndexSchema, *, with_vectors: bool
    ) -> Search:
        """Return the search of an index.

        Args:
            clause: The filters as a query clause.
            vector: The embedding as token -> weight.
            schema: Names of the fields of the index.
            with_vectors: Whether hits carry their vectors.
        """
        search = self.search if self.aggregations is None else self._aggregating(self.aggregations, schema)
        search = _with_stored_boosts(search, schema)
        if isinstance(search, MatchSearch):
            return replace(search, filter=clause, with_embedding=with_vectors, with_sparse_vectors=with_vectors)
        if isinstance(search, CustomSearch):
            body = search.body if clause is None else holding_filter(search.body)
            body = {"_source": True, **body} if with_vectors else body
            return replace(search, filter=clause, query=search.query if vector is None else vector, body=body)
        page: dict[str, Any] = {
            "filter": clause,
            "with_embedding": with_vectors,
            "explain": self.explain or with_vectors,
        }
        if isinstance(search, HybridSearch):
            return replace(search, vector=vector, **page)
        return replace(search, query=search.query if vector is None else vector, **page)

    def _aggregating(self, aggregations: Aggregations, schema: IndexSchema) -> Search:
        renamed = renamed_fields(aggregations, partial(stored_field, schema=schema))
        if isinstance(self.search, MatchSearch):
            return replace(self.search, aggregations=renamed)
        if isinstance(self.search, HybridSearch):
            return replace(self.search, options=replace(self.search.options, aggregations=renamed))
        if isinstance(self.search, SparseSearch):
            return replace(self.search, options=replace(self.search.options, aggregations=renamed))
        return self.search

    def above_threshold(self, hits: SearchHits) -> Sequence[SearchHit]:
        """Return the hits, and those of their groups, with at least the score of the threshold in the search itself.

        Args:
            hits: Hits of this search.
        """
        least = self.score_threshold
        return [hit for hit in hits.ungrouped if least is None or _search_score(hit) >= least]


def _with_stored_boosts(search: Search, schema: IndexSchema) -> Search:
    """Return a search with the fields of its boosts as the index holds them."""
    if not (boosts := boosts_of(search)):
        return search
    renamed = renamed_boosts(boosts, partial(stored_field, schema=schema))
    if isinstance(search, MatchSearch | CustomSearch):
        return replace(search, boosts=renamed)
    if isinstance(search, HybridSearch):
        return replace(search, options=replace(search.options, boosts=renamed))
    return replace(search, options=replace(search.options, boosts=renamed))


def _search_score(hit: SearchHit) -> float:
    """Return the score of a hit before any reranking."""
    return hit.score if hit.search_score is None else hit.search_score

"""Searches of the core beside sparse and hybrid ones: by a filter, and by one leg."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from opensearch_neural_sparse import (
    CustomSearch,
    DenseLeg,
    HybridOptions,
    IndexSchema,
    SearchOptions,
    SparseSearch,
)

Clauses = Sequence[dict[str, Any]]


def filter_search(
    query: object,
    clauses: Clauses,
    size: int,
    options: SearchOptions,
    *,
    schema: IndexSchema | None = None,
) -> CustomSearch | None:
    """Return the search for every document of a filter, each with the score 1, or None if the query has a text.

    A self-querying retriever asks for a filter by a blank query.

    Args:
        query: A text, or token weights.
        clauses: The filter as query clauses; None is returned where there is none.
        size: Most documents.
        options: How to search; collapse and request options apply.
        schema: Names of the fields where documents come with their sparse vectors; None leaves these out.
    """
    if not isinstance(query, str) or query.strip() or not clauses:
        return None
    body: dict[str, Any] = {"size": size, "query": {"constant_score": {"filter": "$filters"}}}
    if options.collapse is not None:
        body["collapse"] = {"field": options.collapse}
    if schema is not None:
        body["_source"] = {"excludes": [schema.embedding_field]}
    return CustomSearch(body, filter=clauses, request=options.request)


def sparse_leg_search(
    query: str, clauses: Clauses, size: int, options: HybridOptions, *, explain: bool
) -> SparseSearch:
    """Return the search of a sparse leg alone.

    Args:
        query: The text.
        clauses: The filter as query clauses.
        size: Most hits.
        options: How to search; options of the fusion have no effect.
        explain: Whether hits carry an explanation.
    """
    alone = SearchOptions(
        two_phase=options.two_phase,
        prune=options.prune,
        seismic=options.seismic,
        collapse=options.collapse,
        request=options.request,
    )
    return SparseSearch(query, size=size, filter=clauses, options=alone, explain=explain)


def dense_leg_search(leg: DenseLeg, clauses: Clauses, size: int, options: HybridOptions, *, field: str) -> CustomSearch:
    """Return the search of a dense leg alone, for the nearest vectors of each shard.

    Args:
        leg: The leg, with the vector of the query.
        clauses: The filter as query clauses.
        size: Most hits.
        options: How to search; of these the request options apply.
        field: The dense field.
    """
    nearest: dict[str, Any] = {"vector": leg.vector, "k": size}
    if clauses:
        nearest["filter"] = "$filters"
    body = {"size": size, "query": {"knn": {field: nearest}}}
    return CustomSearch(body, filter=clauses or None, request=options.request)

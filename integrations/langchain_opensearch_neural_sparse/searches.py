"""Searches of the core beside sparse and hybrid ones: by a filter, and by one leg."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from langchain_opensearch_neural_sparse.filters import field_of
from opensearch_neural_sparse import (
    CustomSearch,
    DenseLeg,
    HybridOptions,
    IndexSchema,
    Rerank,
    SearchOptions,
    SparseSearch,
)
from opensearch_neural_sparse.layer_support import check_within_filter, renamed_boosts

Options = TypeVar("Options", bound=SearchOptions)
Clauses = Sequence[dict[str, Any]]


def with_rerank(options: Options, rerank: Rerank | None) -> Options:
    """Return options with a reranking in place of their own; None leaves them as they are."""
    return options if rerank is None else replace(options, rerank=rerank)


def refuse_profile(options: SearchOptions) -> None:
    """Raise ValueError for a profile, which documents cannot carry."""
    if options.profile:
        raise ValueError(
            "profile=True has no effect here: documents cannot carry a profile. Search with the store of the core, "
            "`vectorstore.store.search(query, options=...).profile`, or leave it out."
        )


def with_stored_boosts(options: Options, schema: IndexSchema) -> Options:
    """Return options with the fields of their boosts, which are keys of metadata, as the index holds them."""
    if not options.boosts:
        return options
    return replace(options, boosts=renamed_boosts(options.boosts, partial(field_of, schema=schema)))


def filter_search(
    query: object,
    clauses: Clauses,
    size: int,
    options: SearchOptions,
    *,
    schema: IndexSchema | None = None,
) -> CustomSearch | None:
    """Return the search for every document of a filter, or None if the query has a text.

    Each document has the score 1, and what boosts make of it.

    A self-querying retriever asks for a filter by a blank query.

    Args:
        query: A text, or token weights.
        clauses: The filter as query clauses; None is returned where there is none.
        size: Most documents.
        options: How to search; collapse, aggregations, boosts and request options apply.
        schema: Names of the fields where documents come with their sparse vectors; None leaves these out.
    """
    if not isinstance(query, str) or query.strip() or not clauses:
        return None
    check_within_filter(options.aggregations, clauses)
    body: dict[str, Any] = {"size": size, "query": {"constant_score": {"filter": "$filters"}}}
    if schema is not None:
        body["_source"] = {"excludes": [schema.embedding_field]}
    return _refined(body, clauses, options)


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
        server_query=options.server_query,
        aggregations=options.aggregations,
        boosts=options.boosts,
        rerank=options.rerank,
    )
    return SparseSearch(query, size=size, filter=clauses, options=alone, explain=explain)


def dense_leg_search(leg: DenseLeg, clauses: Clauses, size: int, options: HybridOptions, *, field: str) -> CustomSearch:
    """Return the search of a dense leg alone, for the nearest vectors of each shard.

    Where documents beyond the best are of use, the nearest are as many as a hybrid search would fuse.

    Args:
        leg: The leg, with the vector of the query.
        clauses: The filter as query clauses.
        size: Most hits.
        options: How to search; collapse, aggregations, boosts and request options apply.
        field: The dense field.

    Raises:
        ValueError: A reranking.
    """
    if options.rerank is not None:
        raise ValueError("rerank cannot be used with a dense leg alone; add a leg 'bm25' or 'sparse'.")
    depth = options.depth(size) if options.looks_widely else size
    nearest: dict[str, Any] = {"vector": leg.vector, "k": depth}
    if clauses:
        nearest["filter"] = "$filters"
    return _refined({"size": size, "query": {"knn": {field: nearest}}}, clauses, options)


def _refined(body: dict[str, Any], clauses: Clauses, options: SearchOptions) -> CustomSearch:
    """Return the search of a body with the refinements of options."""
    if options.collapsed is not None:
        body["collapse"] = options.collapsed.clause()
    if options.aggregations is not None:
        body["aggs"] = dict(options.aggregations)
    return CustomSearch(body, filter=clauses or None, request=options.request, boosts=options.boosts)

"""Search by a filter alone, without a query text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from opensearch_neural_sparse.index.schema import IndexSchema
from opensearch_neural_sparse.search.options.search_options import HybridOptions, SearchOptions


def is_filter_alone(query: object, clauses: Sequence[Any]) -> bool:
    """Return whether a query is blank and has a filter; a self-querying retriever asks for a filter that way.

    Args:
        query: A text, or token weights.
        clauses: The filter as query clauses.
    """
    return isinstance(query, str) and not query.strip() and bool(clauses)


def filter_search(
    clauses: Sequence[Any],
    size: int,
    options: SearchOptions | HybridOptions,
    *,
    schema: IndexSchema | None = None,
) -> dict[str, Any]:
    """Return the keywords of `custom_search` for the documents of a filter, each with the score 1.

    Args:
        clauses: The filter as query clauses.
        size: Most documents.
        options: How to search; what is said of collapsing and of the request holds.
        schema: Names of the fields where documents come with their sparse vectors; None leaves these out.
    """
    body: dict[str, Any] = {"size": size, "query": {"constant_score": {"filter": "$filters"}}}
    if options.collapse is not None:
        body["collapse"] = {"field": options.collapse}
    if schema is not None:
        body["_source"] = {"excludes": [schema.embedding_field]}
    return {"body": body, "filter": clauses, "request": options.request}

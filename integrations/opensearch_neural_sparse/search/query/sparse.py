"""Sparse queries in the form that a server supports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from opensearch_neural_sparse.encode.sparse_vector import SparseVector
from opensearch_neural_sparse.search.filters.filter_clauses import filtered
from opensearch_neural_sparse.search.options.two_phase import TwoPhase
from opensearch_neural_sparse.search.query.clauses import (
    LARGEST_QUERY_WEIGHT,
    neural_sparse_query,
    rank_feature_query,
    rank_feature_tokens,
    rescored,
)
from opensearch_neural_sparse.search.query.nested import best_chunk_query
from opensearch_neural_sparse.server_info import NEURAL_SEARCH, ServerInfo


def sparse_body(
    server: ServerInfo,
    field: str,
    vector: SparseVector,
    *,
    size: int,
    offset: int = 0,
    clauses: Sequence[Mapping[str, Any]] = (),
    two_phase: TwoPhase | None = None,
    chunk_field: str | None = None,
) -> dict[str, Any]:
    """Return the query of a sparse search, and its second phase: the server's processor or a rescore.

    The processor ignores a query below a filter, derives its window from the page size alone, needs neural-search, and
    would split scaled weights; a rescore of the light tokens is the same computation.

    Raises:
        ValueError: Two phases over chunks: a light token would be added to the score of another chunk than the best.
    """
    query = filtered(sparse_query(server, field, vector, chunk_field=chunk_field), clauses)
    if two_phase is None:
        return {"query": query}
    if chunk_field is not None:
        raise ValueError("An index of chunks is not searched in two phases; leave two_phase out.")
    window = two_phase.window(offset + size)
    heavy, light = two_phase.split(vector)
    if not heavy or not light:
        return {"query": query}
    plain = not clauses and not offset and max(vector.weights) <= LARGEST_QUERY_WEIGHT
    if plain and has_neural_search(server):
        return {"query": query, "search_pipeline": two_phase.pipeline()}
    first = filtered(sparse_query(server, field, heavy), clauses)
    return rescored(first, sparse_query(server, field, light), window=window)


def sparse_query(
    server: ServerInfo,
    field: str,
    vector: Mapping[str, float],
    *,
    name: str | None = None,
    chunk_field: str | None = None,
) -> dict[str, Any]:
    """Return the query of token weights in the form that this server supports.

    Args:
        server: The server.
        field: Full name of the field.
        vector: Token -> weight.
        name: Name of the query in `matched_queries`.
        chunk_field: The nested field that the field lies in, where documents are scored by their best chunk.
    """
    query = neural_sparse_query if has_neural_search(server) else rank_feature_query
    if chunk_field is None:
        return query(field, vector, name=name)
    return best_chunk_query(chunk_field, query(field, vector), name=name)


def explained_tokens(server: ServerInfo, vector: Mapping[str, float]) -> Mapping[str, float]:
    """Return the tokens that `sparse_query` uses on this server."""
    return vector if has_neural_search(server) else rank_feature_tokens(vector)


def has_neural_search(server: ServerInfo) -> bool:
    """Return whether the server has the neural-search plugin, or does not list its plugins."""
    return server.plugins is None or NEURAL_SEARCH in server.plugins

"""Sparse queries in the form that a server supports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from opensearch_neural_sparse.search.filters.filter_clauses import filtered
from opensearch_neural_sparse.search.options.refinements.boosts import Boost
from opensearch_neural_sparse.search.options.two_phase import TwoPhase
from opensearch_neural_sparse.search.query.boosted import boosted, factors
from opensearch_neural_sparse.search.query.clauses import (
    LARGEST_QUERY_WEIGHT,
    neural_sparse_query,
    rank_feature_query,
    rank_feature_tokens,
    rescored,
)
from opensearch_neural_sparse.search.query.nested import best_chunk_query
from opensearch_neural_sparse.search.query.query_text import WAYS_OUT, EncodedQuery, QueryText, Weights
from opensearch_neural_sparse.server_info import ML_COMMONS, NEURAL_SEARCH, ServerInfo

ANALYZER_SINCE = (3, 1, 0)


def sparse_body(
    server: ServerInfo,
    field: str,
    vector: EncodedQuery,
    *,
    size: int,
    offset: int = 0,
    clauses: Sequence[Mapping[str, Any]] = (),
    two_phase: TwoPhase | None = None,
    chunk_field: str | None = None,
    boosts: Sequence[Boost] = (),
) -> dict[str, Any]:
    """Return the query of a sparse search, and its second phase: the server's processor or a rescore.

    The processor ignores a query below a filter, derives its window from the page size alone, needs neural-search, and
    would split scaled weights or those of a boosted query; a rescore of the light tokens is the same computation, where
    boosts that multiply apply to both phases and others to the first alone.

    Raises:
        ValueError: Two phases over chunks: a light token would be added to the score of another chunk than the best.
            Or two phases of a query that the server encodes, where the client would have to split it.
    """
    query = filtered(boosted(sparse_query(server, field, vector, chunk_field=chunk_field), boosts), clauses)
    if two_phase is None:
        return {"query": query}
    if chunk_field is not None:
        raise ValueError("An index of chunks is not searched in two phases; leave two_phase out.")
    window = two_phase.window(offset + size)
    if isinstance(vector, QueryText):
        if clauses or offset or boosts:
            found = "a filter" if clauses else "an offset" if offset else "a boost"
            raise ValueError(
                f"With {found}, a query that the server encodes is not searched in two phases. {WAYS_OUT}; or leave "
                "two_phase out."
            )
        return {"query": query, "search_pipeline": two_phase.pipeline()}
    heavy, light = two_phase.split(vector)
    if not heavy or not light:
        return {"query": query}
    plain = not clauses and not offset and not boosts and max(vector.weights) <= LARGEST_QUERY_WEIGHT
    if plain and has_neural_search(server):
        return {"query": query, "search_pipeline": two_phase.pipeline()}
    first = filtered(boosted(sparse_query(server, field, heavy), boosts), clauses)
    return rescored(first, boosted(sparse_query(server, field, light), factors(boosts)), window=window)


def sparse_query(
    server: ServerInfo,
    field: str,
    vector: Weights,
    *,
    name: str | None = None,
    chunk_field: str | None = None,
) -> dict[str, Any]:
    """Return the query of token weights, or of a text, in the form that this server supports.

    Args:
        server: The server.
        field: Full name of the field.
        vector: Token -> weight, or a text that the server encodes.
        name: Name of the query in `matched_queries`.
        chunk_field: The nested field that the field lies in, where documents are scored by their best chunk.

    Raises:
        UnsupportedServerError: The server cannot encode the text.
    """
    if isinstance(vector, QueryText):
        check_encodes_queries(server, vector)
    by_name = None if chunk_field is not None else name
    query = _token_query(server, field, vector, by_name)
    return query if chunk_field is None else best_chunk_query(chunk_field, query, name=name)


def check_encodes_queries(server: ServerInfo, query: QueryText) -> None:
    """Raise UnsupportedServerError where the server cannot encode queries."""
    server.require_plugin(NEURAL_SEARCH, "A query that the server encodes")
    server.require_plugin(ML_COMMONS, "A query that the server encodes")
    if query.by.analyzer is not None:
        server.require(ANALYZER_SINCE, "A query that an analyzer encodes")


def explained_tokens(server: ServerInfo, vector: Weights) -> Weights:
    """Return the tokens that `sparse_query` uses on this server, or the text that the server encodes."""
    if isinstance(vector, QueryText) or has_neural_search(server):
        return vector
    return rank_feature_tokens(vector)


def has_neural_search(server: ServerInfo) -> bool:
    """Return whether the server has the neural-search plugin, or does not list its plugins."""
    return server.plugins is None or NEURAL_SEARCH in server.plugins


def _token_query(server: ServerInfo, field: str, vector: Weights, name: str | None) -> dict[str, Any]:
    if isinstance(vector, QueryText) or has_neural_search(server):
        return neural_sparse_query(field, vector, name=name)
    return rank_feature_query(field, vector, name=name)

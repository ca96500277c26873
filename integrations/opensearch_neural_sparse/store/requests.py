"""What the stores ask and how they read the answers: pure functions over values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from opensearch_neural_sparse.encode.sparse_vector import SparseVector
from opensearch_neural_sparse.errors import ServerRequestError, UnsupportedServerError
from opensearch_neural_sparse.index.document import SparseDocument, from_source
from opensearch_neural_sparse.index.fields import IndexSchema
from opensearch_neural_sparse.index.pipelines import rrf_pipeline
from opensearch_neural_sparse.index.reasons import short_reason
from opensearch_neural_sparse.search.filters import Filter, filter_clauses, filtered
from opensearch_neural_sparse.search.hits import SearchHits, parse_hits
from opensearch_neural_sparse.search.query import (
    MOST_QUERY_TOKENS,
    hybrid_query,
    limit_tokens,
    match_query,
    neural_sparse_query,
    rank_feature_query,
    rank_feature_tokens,
)
from opensearch_neural_sparse.server import NEURAL_SEARCH, ServerInfo
from opensearch_neural_sparse.store.index_state import IndexState
from opensearch_neural_sparse.store.options import LARGEST_WINDOW, HybridOptions

SERVER_RRF = "server rrf"
_FEWEST_SPARSE_TOKENS = 100


@dataclass(frozen=True, kw_only=True)
class SearchRequest:
    """A search that is ready to be sent, and what is needed to read its answer.

    Attributes:
        body: The body of `_search`.
        explained: The query vector as it is searched for, where matches are wanted.
        fusion: How legs are fused, or None.
        one_shard: Whether an answer from several shards would be wrong on this server.
    """

    body: dict[str, Any] = field(repr=False)
    explained: Mapping[str, float] | None = field(default=None, repr=False)
    fusion: str | None = None
    one_shard: bool = False


def sparse_request(
    server: ServerInfo,
    schema: IndexSchema,
    vector: SparseVector,
    *,
    size: int,
    filter: Filter | None = None,  # noqa: A002
    explain: bool = False,
    with_embedding: bool = False,
) -> SearchRequest | None:
    """Return a sparse search, or None where the vector is empty and nothing can be found."""
    _check_size(size)
    clauses = filter_clauses(filter)
    if not vector:
        return None
    searched = limit_tokens(vector, MOST_QUERY_TOKENS)
    leg = _sparse_leg(server, schema, searched)
    body = {"size": size, "query": filtered(leg, clauses), "_source": _source(schema, explain, with_embedding)}
    return SearchRequest(body=body, explained=_explained(server, searched) if explain else None)


def match_request(
    schema: IndexSchema,
    text: str,
    *,
    size: int,
    filter: Filter | None = None,  # noqa: A002
    with_embedding: bool = False,
) -> SearchRequest:
    """Return a BM25 search."""
    _check_size(size)
    query = filtered(match_query(schema.text_field, text), filter_clauses(filter))
    return SearchRequest(body={"size": size, "query": query, "_source": _source(schema, False, with_embedding)})


def hybrid_request(
    server: ServerInfo,
    state: IndexState,
    schema: IndexSchema,
    text: str,
    vector: SparseVector,
    *,
    size: int,
    filter: Filter | None = None,  # noqa: A002
    options: HybridOptions,
    explain: bool = False,
    with_embedding: bool = False,
) -> SearchRequest:
    """Return a search that fuses BM25 and sparse search on the server, in one request.

    Raises:
        UnsupportedServerError: No neural-search plugin, or several shards before 3.5.
    """
    _check_size(size)
    server.require_plugin(NEURAL_SEARCH, "Hybrid search")
    if state.shards > 1 and not server.ranks_across_shards:
        raise _wrong_ranks(server, f"{state.shards} shards of {', '.join(state.indices)}")
    limit = max(_FEWEST_SPARSE_TOKENS, MOST_QUERY_TOKENS - len(text.split()))
    searched = limit_tokens(vector, limit)
    legs = [match_query(schema.text_field, text), neural_sparse_query(schema.sparse_field, searched)]
    depth = options.depth(size)
    body = {
        "size": size,
        "query": hybrid_query(legs, pagination_depth=depth, clauses=filter_clauses(filter)),
        "search_pipeline": rrf_pipeline(server, rank_constant=options.rank_constant, weights=options.weights),
        "_source": _source(schema, explain, with_embedding),
    }
    return SearchRequest(
        body=body,
        explained=searched if explain else None,
        fusion=SERVER_RRF,
        one_shard=not server.ranks_across_shards,
    )


def read_hits(
    server: ServerInfo, request: SearchRequest, response: Mapping[str, Any], schema: IndexSchema
) -> SearchHits:
    """Read the answer to a search.

    Raises:
        PartialResultsError: Some shards failed.
        UnsupportedServerError: Fused ranks of several shards, from a server that gets them wrong.
    """
    shards = response.get("_shards", {}).get("total", 1)
    if request.one_shard and shards > 1:
        raise _wrong_ranks(server, f"{shards} shards")
    return parse_hits(response, schema, explained=request.explained, fusion=request.fusion)


def read_documents(response: Mapping[str, Any], schema: IndexSchema) -> list[SparseDocument]:
    """Read the answer of `_mget`; documents that are not there are left out.

    Raises:
        ServerRequestError: One of them could not be read.
    """
    found = []
    for row in response["docs"]:
        if error := row.get("error"):
            raise ServerRequestError(400, str(error.get("type")), short_reason(error))
        if row.get("found"):
            found.append(from_source(row["_id"], row["_source"], schema))
    return found


def filter_body(filter: Filter | None) -> dict[str, Any]:  # noqa: A002
    """Return the body that counts the documents a filter lets through."""
    clauses = filter_clauses(filter)
    return {"query": {"bool": {"filter": clauses}} if clauses else {"match_all": {}}}


def _sparse_leg(server: ServerInfo, schema: IndexSchema, vector: SparseVector) -> dict[str, Any]:
    if _has_neural_search(server):
        return neural_sparse_query(schema.sparse_field, vector)
    return rank_feature_query(schema.sparse_field, vector)


def _explained(server: ServerInfo, vector: SparseVector) -> Mapping[str, float]:
    return vector if _has_neural_search(server) else rank_feature_tokens(vector)


def _has_neural_search(server: ServerInfo) -> bool:
    return server.plugins is None or NEURAL_SEARCH in server.plugins


def _source(schema: IndexSchema, with_vector: bool, with_embedding: bool) -> dict[str, Any]:
    excluded = [] if with_vector else [schema.sparse_field]
    return {"excludes": excluded if with_embedding else [*excluded, schema.embedding_field]}


def _check_size(size: int) -> None:
    if isinstance(size, bool) or not isinstance(size, int) or not 1 <= size <= LARGEST_WINDOW:
        raise ValueError(f"size lies between 1 and {LARGEST_WINDOW}, got {size!r}.")


def _wrong_ranks(server: ServerInfo, found: str) -> UnsupportedServerError:
    return UnsupportedServerError(
        "Hybrid search over more than one shard",
        found=f"{server} with {found}",
        required="OpenSearch 3.5 or later",
        reason="Before that it ranks on each shard by itself, and fused scores are wrong. Use an index of one shard, "
        "or search() and match_search().",
    )

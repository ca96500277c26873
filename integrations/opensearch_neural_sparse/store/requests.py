"""What the stores ask and how they read the answers: pure functions over values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from opensearch_neural_sparse.encode.prune import Prune
from opensearch_neural_sparse.encode.sparse_vector import SparseVector
from opensearch_neural_sparse.errors import IndexNotFoundError, ServerRequestError, UnsupportedServerError
from opensearch_neural_sparse.index.document import SparseDocument, from_source
from opensearch_neural_sparse.index.fields import IndexSchema
from opensearch_neural_sparse.index.reasons import short_reason
from opensearch_neural_sparse.search.budget import MOST_CLAUSES, count_clauses, limit_tokens, limit_words
from opensearch_neural_sparse.search.filters import Filter, filter_clauses, filtered
from opensearch_neural_sparse.search.fused import FusionPlan, read_fused, read_leg_scores
from opensearch_neural_sparse.search.hits import SearchHits, parse_hits
from opensearch_neural_sparse.search.options import LARGEST_WINDOW
from opensearch_neural_sparse.search.query import (
    LARGEST_QUERY_WEIGHT,
    match_query,
    neural_sparse_query,
    rank_feature_query,
    rank_feature_tokens,
    rescored,
)
from opensearch_neural_sparse.search.seismic import SeismicSearch, approximate_body, check_exact
from opensearch_neural_sparse.search.two_phase import TwoPhase
from opensearch_neural_sparse.server import NEURAL_SEARCH, ServerInfo

_INDEX_NOT_FOUND = "index_not_found_exception"


@dataclass(frozen=True, kw_only=True)
class SearchRequest:
    """A search that is ready to be sent, and what is needed to read its answer.

    Attributes:
        body: The body of `_search`; empty where there are `searches`.
        searches: Bodies of one `_msearch`, a leg each.
        params: Parameters of the URL.
        explained: The query vector as it is searched for, where matches are wanted.
        plan: How legs are fused; None for a search of one leg.
        fusion: Who fuses legs and how, or None.
        one_shard: Whether an answer from several shards would be wrong on this server.
        dropped_fields: Fields that come and are not wanted.
        two_phase: Whether light tokens only refine the order of what the heavy ones find.
        approximate: Whether the field is one of which documents may be missed.
        tokens_left_out: How many light tokens had to be left out.
    """

    body: dict[str, Any] = field(default_factory=dict, repr=False)
    searches: tuple[dict[str, Any], ...] = field(default=(), repr=False)
    params: Mapping[str, str] = field(default_factory=dict)
    explained: Mapping[str, float] | None = field(default=None, repr=False)
    plan: FusionPlan | None = None
    fusion: str | None = None
    one_shard: bool = False
    dropped_fields: tuple[str, ...] = ()
    two_phase: bool = False
    approximate: bool = False
    tokens_left_out: int = 0

    def send(self, client: Any, index: str) -> Any:
        """Send it as one request by a client, blocking or asynchronous; return the response, or what awaits it."""
        if self.searches:
            return client.msearch(body=[line for body in self.searches for line in ({}, body)], index=index)
        return client.search(index=index, body=self.body, params=dict(self.params))


def sparse_request(
    server: ServerInfo,
    schema: IndexSchema,
    vector: SparseVector,
    *,
    size: int,
    filter: Filter | None = None,  # noqa: A002
    explain: bool = False,
    with_embedding: bool = False,
    two_phase: TwoPhase | None = None,
    prune: Prune | None = None,
    seismic: SeismicSearch | None = None,
) -> SearchRequest | None:
    """Return a sparse search, or None where the vector is empty, or pruned to nothing, and nothing can be found."""
    check_size(size)
    clauses = filter_clauses(filter)
    vector = vector if prune is None else prune(vector)
    if not vector:
        return None
    searched = limit_tokens(vector, MOST_CLAUSES - min(count_clauses(clauses), MOST_CLAUSES - 1))
    if schema.token_ids is not None:
        parts = approximate_body(schema, searched, size=size, clauses=clauses, two_phase=two_phase, search=seismic)
    else:
        check_exact(seismic)
        parts = sparse_body(server, schema.sparse_field, searched, size=size, clauses=clauses, two_phase=two_phase)
    return SearchRequest(
        body={"size": size, **parts, "_source": source_filter(schema, explain, with_embedding)},
        explained=explained_tokens(server, searched) if explain else None,
        two_phase=len(parts) > 1,
        approximate=schema.token_ids is not None,
        tokens_left_out=len(vector) - len(searched),
    )


def match_request(
    schema: IndexSchema,
    text: str,
    *,
    size: int,
    filter: Filter | None = None,  # noqa: A002
    with_embedding: bool = False,
) -> SearchRequest:
    """Return a BM25 search."""
    check_size(size)
    clauses = filter_clauses(filter)
    words = limit_words(text, MOST_CLAUSES - min(count_clauses(clauses), MOST_CLAUSES - 1))
    query = filtered(match_query(schema.text_field, words), clauses)
    return SearchRequest(body={"size": size, "query": query, "_source": source_filter(schema, False, with_embedding)})


def sparse_body(
    server: ServerInfo,
    field: str,
    vector: SparseVector,
    *,
    size: int,
    clauses: list[dict[str, Any]],
    two_phase: TwoPhase | None = None,
) -> dict[str, Any]:
    """Return the query of a sparse search, and what makes it one of two phases: the server's processor or a rescore.

    The processor does not look below a filter, is not there without neural-search, and would judge weights by what
    they were scaled to; a rescore of the light tokens is the same computation.
    """
    query = filtered(sparse_query(server, field, vector), clauses)
    if two_phase is None:
        return {"query": query}
    window = two_phase.window(size)
    heavy, light = two_phase.split(vector)
    if not heavy or not light:
        return {"query": query}
    if has_neural_search(server) and not clauses and max(vector.values()) <= LARGEST_QUERY_WEIGHT:
        return {"query": query, "search_pipeline": two_phase.pipeline()}
    first = filtered(sparse_query(server, field, heavy), clauses)
    return rescored(first, sparse_query(server, field, light), window=window)


def read_hits(
    server: ServerInfo, request: SearchRequest, response: Mapping[str, Any], schema: IndexSchema
) -> SearchHits:
    """Read the answer to a search.

    Raises:
        IndexNotFoundError: The index is gone.
        PartialResultsError: Some shards failed.
        ServerRequestError: The server refused a leg.
        UnsupportedServerError: Fused ranks of several shards, from a server that gets them wrong.
    """
    plan, explained = request.plan, request.explained
    if request.searches and plan is not None:
        responses = [readable_row(row) for row in response["responses"]]
        hits = read_fused(responses, schema, plan, explained=explained, took_ms=response["took"])
    else:
        shards = response.get("_shards", {}).get("total", 1)
        if request.one_shard and shards > 1:
            raise wrong_ranks(server, f"{shards} shards")
        legs = (lambda hit: read_leg_scores(hit, plan)) if plan is not None and plan.explain else None
        offset, dropped = plan.offset if plan is not None else 0, request.dropped_fields
        hits = parse_hits(response, schema, explained=explained, offset=offset, legs=legs, dropped=dropped)
    hits.fusion, hits.two_phase, hits.tokens_left_out = request.fusion, request.two_phase, request.tokens_left_out
    hits.approximate = request.approximate
    return hits


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


def sparse_query(
    server: ServerInfo, field: str, vector: Mapping[str, float], name: str | None = None
) -> dict[str, Any]:
    """Return the query over token weights that this server has."""
    return (neural_sparse_query if has_neural_search(server) else rank_feature_query)(field, vector, name=name)


def explained_tokens(server: ServerInfo, vector: Mapping[str, float]) -> Mapping[str, float]:
    """Return the tokens that `sparse_query` searches for on this server."""
    return vector if has_neural_search(server) else rank_feature_tokens(vector)


def has_neural_search(server: ServerInfo) -> bool:
    """Tell whether the server has the plugin, or does not tell what it has."""
    return server.plugins is None or NEURAL_SEARCH in server.plugins


def source_filter(schema: IndexSchema, with_vector: bool, with_embedding: bool) -> dict[str, Any]:
    """Return which fields of the documents come back."""
    excluded = [] if with_vector else [schema.sparse_field]
    return {"excludes": excluded if with_embedding else [*excluded, schema.embedding_field]}


def check_size(size: int, offset: int = 0) -> None:
    """Raise ValueError where no search gives this page."""
    if isinstance(size, bool) or not isinstance(size, int) or not 1 <= size <= LARGEST_WINDOW:
        raise ValueError(f"size lies between 1 and {LARGEST_WINDOW}, got {size!r}.")
    if isinstance(offset, bool) or not isinstance(offset, int) or not 0 <= offset <= LARGEST_WINDOW - size:
        raise ValueError(f"offset lies between 0 and {LARGEST_WINDOW} less size ({size}), got {offset!r}.")


def wrong_ranks(server: ServerInfo, found: str) -> UnsupportedServerError:
    """Return the error of ranks that a server would get wrong."""
    return UnsupportedServerError(
        "Hybrid search fused by the server over more than one shard",
        found=f"{server} with {found}",
        required="OpenSearch 3.5 or later",
        reason="Before that it ranks on each shard by itself, and fused scores are wrong. "
        "HybridOptions(fusion='client') ranks over all shards.",
    )


def readable_row(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return one answer of `_msearch`, or raise the error that it is."""
    if (error := row.get("error")) is None:
        return row
    causes = error.get("root_cause") or [error]
    cause = causes[0] if error.get("reason") in (None, "all shards failed") else error
    if cause.get("type") == _INDEX_NOT_FOUND:
        raise IndexNotFoundError(str(cause.get("index")))
    raise ServerRequestError(int(row.get("status", 500)), str(cause.get("type")), short_reason(cause))

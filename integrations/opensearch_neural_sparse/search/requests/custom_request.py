"""Fill the placeholders of a user-supplied search body."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from opensearch_neural_sparse.index.schema import IndexSchema
from opensearch_neural_sparse.search.options.page import SearchPage
from opensearch_neural_sparse.search.options.query_text import check_query_text
from opensearch_neural_sparse.search.options.refinements.boosts import Boost
from opensearch_neural_sparse.search.options.request_options import DEFAULT_REQUEST, RequestOptions
from opensearch_neural_sparse.search.query.boosted import boosted
from opensearch_neural_sparse.search.query.clause_limit import MOST_CLAUSES, count_clauses, count_tokens, limit_query
from opensearch_neural_sparse.search.query.query_text import EncodedQuery
from opensearch_neural_sparse.search.query.seismic import approximate_body
from opensearch_neural_sparse.search.query.sparse import sparse_query
from opensearch_neural_sparse.search.requests.search_request import SearchRequest
from opensearch_neural_sparse.server_info import ServerInfo

SPARSE, TEXT, FILTERS = "$sparse", "$text", "$filters"
_EVERYTHING: dict[str, Any] = {"match_all": {}}
_NOTHING: dict[str, Any] = {"match_none": {}}
_DEFAULT_SIZE = 10


def custom_request(
    server: ServerInfo,
    schema: IndexSchema,
    body: Mapping[str, Any],
    query: str | Mapping[str, float] | None,
    wanted: SearchPage,
    encode: Callable[[], EncodedQuery],
    options: RequestOptions = DEFAULT_REQUEST,
    boosts: Sequence[Boost] = (),
) -> SearchRequest:
    """Return the search request of a user-supplied body.

    Args:
        server: The server that is asked.
        schema: Names of the fields.
        body: The body of a `_search`, with `$sparse`, `$text` and `$filters` in it; it stays as it is.
        query: The text, or its token weights.
        wanted: The filter; the page is the body's own.
        encode: Encodes the query; called where the body asks for it.
        options: How the search travels.
        boosts: Boosts of the body's query, or of everything where it has none.

    Raises:
        ValueError: The query or the filter has no placeholder in the body, or a placeholder has no value.
    """
    places = _places(body)
    _check_places(places, query, filtered=bool(wanted.clauses))
    left_out = 0
    parts: dict[str, Any] = {
        TEXT: check_query_text(query) if TEXT in places else query,
        FILTERS: {"bool": {"filter": wanted.clauses}} if wanted.clauses else _EVERYTHING,
    }
    if SPARSE in places:
        spent = count_clauses([_filled(body.get("query", {}), parts)])
        vector = encode()
        searched = limit_query(vector, MOST_CLAUSES - min(spent, MOST_CLAUSES - 1))
        depth = int(body.get("from", 0)) + int(body.get("size", _DEFAULT_SIZE))
        parts[SPARSE] = _sparse_clause(server, schema, searched, wanted, depth)
        left_out = count_tokens(vector) - count_tokens(searched)
    filled = _filled(body, parts)
    if boosts:
        filled["query"] = boosted(filled.get("query", _EVERYTHING), boosts)
    return SearchRequest(
        body={"_source": wanted.source(schema), **filled},
        options=options,
        approximate=SPARSE in places and schema.token_ids is not None,
        tokens_left_out=left_out,
        whole_answer=True,
    )


def holding_filter(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a body with hits that satisfy the filter, wherever its `$filters` are.

    A body without the place stays as it is, and is refused beside a filter.

    Args:
        body: The body of a `_search`.
    """
    if FILTERS not in _places(body):
        return dict(body)
    own = body.get("post_filter")
    return {**body, "post_filter": {"bool": {"filter": [FILTERS] if own is None else [FILTERS, own]}}}


def _sparse_clause(
    server: ServerInfo, schema: IndexSchema, vector: EncodedQuery, wanted: SearchPage, depth: int
) -> dict[str, Any]:
    if not vector:
        return _NOTHING
    if schema.token_ids is None:
        return sparse_query(server, schema.sparse_path, vector, chunk_field=schema.nested_field)
    clauses = wanted.clauses or [_EVERYTHING]  # beside a filter, a `must_not` of the body holds: see `seismic_query`
    parts = approximate_body(schema, vector, size=max(1, depth), clauses=clauses, two_phase=None, search=None)
    return dict(parts["query"])


def _check_places(places: set[str], query: object, *, filtered: bool) -> None:
    if filtered and FILTERS not in places:
        raise ValueError(f"The body has no {FILTERS!r}, so the filter would be dropped; put it where the clause goes.")
    if query is not None and not places & {SPARSE, TEXT}:
        raise ValueError(f"The body has neither {SPARSE!r} nor {TEXT!r}, so the query would be dropped.")
    if SPARSE in places and query is None:
        raise ValueError(f"The body has {SPARSE!r}, but no query was given.")
    if TEXT in places and not isinstance(query, str):
        raise ValueError(f"The body has {TEXT!r}, but no text was given as the query.")


def _places(part: object) -> set[str]:
    if isinstance(part, Mapping):
        part = list(part.values())
    if isinstance(part, list | tuple):
        return set().union(*map(_places, part))
    return {part} if isinstance(part, str) and part in (SPARSE, TEXT, FILTERS) else set()


def _filled(part: Any, values: Mapping[str, Any]) -> Any:
    if isinstance(part, Mapping):
        return {key: _filled(value, values) for key, value in part.items()}
    if isinstance(part, list | tuple):
        return [_filled(value, values) for value in part]
    return values.get(part, part) if isinstance(part, str) else part

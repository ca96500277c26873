"""Run searches; run them again when the index behind the name has changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from typing import Any

from opensearch_neural_sparse.encode.sparse_vector import SparseVector
from opensearch_neural_sparse.encode.tokenizer import SparseTokenizer
from opensearch_neural_sparse.errors import (
    IndexNotFoundError,
    NeuralSparseError,
    ServerRequestError,
    UnsupportedServerError,
)
from opensearch_neural_sparse.index.index_info import IndexInfo
from opensearch_neural_sparse.search.options.legs import embedding_once, has_embedder
from opensearch_neural_sparse.search.options.query_text import check_query
from opensearch_neural_sparse.search.query.resolved_legs import resolve_legs
from opensearch_neural_sparse.search.requests.custom_request import custom_request
from opensearch_neural_sparse.search.requests.hybrid_request import hybrid_request
from opensearch_neural_sparse.search.requests.multi_search import MultiSearch, Requests
from opensearch_neural_sparse.search.requests.search_request import match_request, sparse_request
from opensearch_neural_sparse.search.requests.searches import (
    CustomSearch,
    HybridSearch,
    MatchSearch,
    Query,
    Search,
    SparseSearch,
)
from opensearch_neural_sparse.search.results.hits import SearchHits
from opensearch_neural_sparse.server_info import NEURAL_SEARCH, ServerInfo
from opensearch_neural_sparse.store.context import StoreContext
from opensearch_neural_sparse.store.encoders import Encoders
from opensearch_neural_sparse.store.operations.grouped_search import (
    group_page,
    grouped_hybrid_options,
    grouped_plan,
    refuse_leg_of_one_group,
    refuse_several_layouts,
    refuse_several_models,
)
from opensearch_neural_sparse.store.operations.lifecycle import (
    check_fields,
    check_legs,
    check_numbers,
    is_same_target,
    open_index,
    read_index,
    read_server,
    send_and_read,
)
from opensearch_neural_sparse.store.steps import Compute, EmbedLegs, Steps

MAX_ATTEMPTS = 3
"""Most attempts of a search while the index behind its name changes."""
_BAD_REQUEST = 400
_UNKNOWN_QUERIES = ("unknown query [neural_sparse]", "unknown query [hybrid]")
"""Reasons of a server that lacks the plugin neural-search."""

Build = Callable[[ServerInfo, IndexInfo], MultiSearch]


def run_search(context: StoreContext, search: Search) -> Steps[SearchHits]:
    """Run a search and return its hits, best first."""
    slow = False
    if isinstance(search, HybridSearch):
        yield from check_legs(context, search.options.legs)
        if slow := has_embedder(search.options.legs):
            legs = yield EmbedLegs(search.options.legs, search.query)
            search = replace(search, options=replace(search.options, legs=embedding_once(legs)))
    (hits,) = yield from _run(context, partial(build, context, search), search.clauses, slow=slow)
    return hits


def run_sparse_searches(
    context: StoreContext, queries: Iterable[Query], search: SparseSearch
) -> Steps[list[SearchHits]]:
    """Run one sparse search for each query in one request; page and options are those of `search`."""
    if isinstance(queries, str | Mapping):
        raise TypeError("search_many() takes several queries, got one; put it into a list.")
    several = list(queries)
    for query in several:
        check_query(query)
    if not several:
        yield from open_index(context)
        return []
    return (yield from _run(context, partial(_sparse, context, several, search), search.clauses))


def encode_query(context: StoreContext, text: str) -> Steps[SparseVector]:
    """Return the token weights of a query by the index's model."""
    info = yield from open_index(context)
    vector: SparseVector = yield Compute(partial(_only_vector, context, info, text), context.encodes_queries_cheaply)
    return vector


def load_tokenizer(context: StoreContext) -> Steps[SparseTokenizer]:
    """Return the tokenizer of the index's model."""
    yield from open_index(context)
    tokenizer: SparseTokenizer = yield Compute(context.encoders.query_tokenizer)
    return tokenizer


def build(context: StoreContext, search: Search, server: ServerInfo, info: IndexInfo) -> MultiSearch:
    """Return the requests of a search, with its query encoded.

    Args:
        context: The store's context.
        search: The search.
        server: The server that is asked.
        info: The index that is searched.
    """
    if isinstance(search, SparseSearch):
        return _sparse(context, [search.query], search, server, info)
    if isinstance(search, HybridSearch):
        return _hybrid(context, search, server, info)
    if isinstance(search, MatchSearch):
        return _match(context, search, info)
    return _custom(context, search, server, info)


def _run(
    context: StoreContext, build: Build, clauses: Sequence[Mapping[str, Any]], *, slow: bool = False
) -> Steps[list[SearchHits]]:
    yield from check_numbers(context, clauses)
    for _ in range(MAX_ATTEMPTS):
        found = yield from _attempt(context, build, slow=slow)
        if found is not None:
            yield from check_fields(context, clauses, found)
            return found
    reason = f"index {context.index!r} changed during the search {MAX_ATTEMPTS} times in a row; try again"
    raise ServerRequestError(409, "index_moved", reason)


def _attempt(context: StoreContext, build: Build, *, slow: bool) -> Steps[list[SearchHits] | None]:
    """Return the hits of each query; None if the index behind the name has changed, or a plugin is missing."""
    info = yield from open_index(context)
    server = yield from read_server(context)
    cheap = context.encodes_queries_cheaply and not slow
    request: MultiSearch = yield Compute(partial(build, server, info), cheap)
    if request.is_empty:
        return request.nothing
    try:
        result = yield from send_and_read(context, request.send, partial(request.read, server))
    except IndexNotFoundError:
        context.forget()
        if info.groups:
            return None
        raise
    except (ServerRequestError, UnsupportedServerError) as error:
        if _lacks_plugin(context, error, server):
            return None
        if not _may_be_stale(error, info) or context.refresh_index(info, (yield from read_index(context))):
            raise
        return None
    if result.found_nothing and not (yield from is_same_target(context, info)):
        context.forget()
        return None
    if result.unexpected <= context.accepted:
        return result.hits
    is_unchanged = context.refresh_index(info, (yield from read_index(context)), result.unexpected)
    return result.hits if is_unchanged else None


def _sparse(
    context: StoreContext, queries: Sequence[Query], search: SparseSearch, server: ServerInfo, info: IndexInfo
) -> MultiSearch:
    page = group_page(info, search, collapse=search.options.collapse)
    encode = _encode_by_group(context, info, queries)
    requests = [
        [sparse_request(server, group.schema, vector, page, search.options) for vector in encode(group)]
        for group in info.groups or (info,)
    ]
    return _multi_search(context, info, requests, search, alone=len(queries) == 1)


def _hybrid(context: StoreContext, search: HybridSearch, server: ServerInfo, info: IndexInfo) -> MultiSearch:
    options = search.options
    group_page(info, search, collapse=options.collapse)
    refuse_leg_of_one_group(context.index, info, options.legs)
    encode = _encode_by_group(context, info, [search.query if search.vector is None else search.vector])
    requests: list[Requests] = []
    for group in info.groups or (info,):
        encode_for = partial(_field_vector, context, search.query, group, encode)
        legs = resolve_legs(options.legs, search.query, group.schema, encode_for)
        how = grouped_hybrid_options(options) if info.groups else options
        request = hybrid_request(server, context.index, group, group.schema, legs, search, how)
        requests.append([grouped_plan(request, search) if info.groups else request])
    return _multi_search(context, info, requests, search)


def _match(context: StoreContext, search: MatchSearch, info: IndexInfo) -> MultiSearch:
    request = match_request(info.schema, search.text, search, search.request)
    return MultiSearch(name=context.index, info=replace(info, groups=()), searches=[[request]], page=search)


def _custom(context: StoreContext, search: CustomSearch, server: ServerInfo, info: IndexInfo) -> MultiSearch:
    encode = partial(_clause_vector, context, info, search.query or {})
    request = custom_request(server, info.schema, search.body, search.query, search.page, encode, search.request)
    return MultiSearch(name=context.index, info=replace(info, groups=()), searches=[[request]], page=search.page)


def _multi_search(
    context: StoreContext,
    info: IndexInfo,
    requests: Sequence[Requests],
    search: SparseSearch | HybridSearch,
    *,
    alone: bool = True,
) -> MultiSearch:
    return MultiSearch(
        name=context.index,
        info=info,
        searches=requests,
        page=search,
        options=search.options.request,
        alone=alone,
    )


def _field_vector(
    context: StoreContext, query: str, group: IndexInfo, encode: Callable[[IndexInfo], list[SparseVector]], name: str
) -> SparseVector:
    """Return the query's vector for a sparse field; one that the index has no model of takes that of the main field."""
    field = group.schema.additional_fields.get(name)
    return encode(group)[0] if field is None else context.encode_query(field, query)


def _encode_by_group(
    context: StoreContext, info: IndexInfo, queries: Sequence[Query]
) -> Callable[[IndexInfo], list[SparseVector]]:
    """Return what encodes queries for each group of indices, once by each model."""
    encode = cache(partial(_vectors, context, info, queries))
    return lambda group: encode(context.query_encoders(info, group))


def _vectors(
    context: StoreContext, info: IndexInfo, queries: Sequence[Query], encoders: Encoders
) -> list[SparseVector]:
    texts = [query for query in queries if isinstance(query, str)]
    if info.has_several_models and len(texts) < len(queries):
        remedy = "Token weights belong to one model: search by a text, or search one of them."
        refuse_several_models(context.index, info, remedy)
    encoded = iter(encoders.encode_queries(texts))
    return [next(encoded) if isinstance(query, str) else _weights(query) for query in queries]


def _weights(query: Mapping[str, float]) -> SparseVector:
    return query if isinstance(query, SparseVector) else SparseVector(query)


def _only_vector(context: StoreContext, info: IndexInfo, query: Query) -> SparseVector:
    if info.has_several_models:
        remedy = "A vector belongs to one of them: a search or hybrid search of a text makes one by each."
        refuse_several_models(context.index, info, remedy)
    return _vectors(context, info, [query], context.encoders)[0]


def _clause_vector(context: StoreContext, info: IndexInfo, query: Query) -> SparseVector:
    vector = _only_vector(context, info, query)
    if info.groups:
        remedy = "One clause cannot search them all: search() does, or name those of one layout."
        refuse_several_layouts(context.index, info, remedy)
    return vector


def _lacks_plugin(context: StoreContext, error: NeuralSparseError, server: ServerInfo) -> bool:
    """Return whether the error shows that the server lacks a plugin, so that another form of the search may succeed."""
    if server.plugins is not None or not isinstance(error, ServerRequestError):
        return False
    if lacks_plugin := any(unknown in error.reason for unknown in _UNKNOWN_QUERIES):
        context.server = server.without(NEURAL_SEARCH)
    return lacks_plugin


def _may_be_stale(error: NeuralSparseError, info: IndexInfo) -> bool:
    """Return whether a search may have failed because the index behind the name has other fields or shards now."""
    of_other_fields = isinstance(error, ServerRequestError) and error.status == _BAD_REQUEST
    return info.checked and (of_other_fields or isinstance(error, UnsupportedServerError))

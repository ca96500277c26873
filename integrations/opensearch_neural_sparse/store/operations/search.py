"""Run searches; run them again when the index behind the name has changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from time import perf_counter
from typing import Any

from opensearch_neural_sparse.arguments import check_type
from opensearch_neural_sparse.encode.sparse_vector import SparseVector
from opensearch_neural_sparse.encode.tokenizer import SparseTokenizer
from opensearch_neural_sparse.errors import (
    IndexNotFoundError,
    NeuralSparseError,
    PartialResultsError,
    ServerRequestError,
    UnsupportedServerError,
)
from opensearch_neural_sparse.index.index_info import IndexInfo
from opensearch_neural_sparse.search.fusion.document_security import any_wrapped, is_wrapped_hybrid
from opensearch_neural_sparse.search.fusion.fusion_choice import refuse_document_security
from opensearch_neural_sparse.search.options.legs import Bm25Leg, SparseLeg, embedding_once, has_embedder
from opensearch_neural_sparse.search.options.query_text import check_query
from opensearch_neural_sparse.search.options.refinements.aggregations import Aggregations
from opensearch_neural_sparse.search.options.server_query import ServerQuery
from opensearch_neural_sparse.search.query.query_text import EncodedQuery, QueryText, encoded_by_server
from opensearch_neural_sparse.search.query.resolved_legs import resolve_legs
from opensearch_neural_sparse.search.requests.custom_request import custom_request
from opensearch_neural_sparse.search.requests.hybrid_request import hybrid_request
from opensearch_neural_sparse.search.requests.multi_search import MultiSearch, Requests
from opensearch_neural_sparse.search.requests.reranking import before_reranking, rerank_hits, rerank_of, text_of
from opensearch_neural_sparse.search.requests.search_request import match_request, sparse_request
from opensearch_neural_sparse.search.requests.searches import (
    CustomSearch,
    HybridSearch,
    MatchSearch,
    Query,
    Search,
    SparseSearch,
    boosts_of,
    check_reranked_query,
    is_profiled,
)
from opensearch_neural_sparse.search.results.hits import SearchHits
from opensearch_neural_sparse.server_info import NEURAL_SEARCH, ServerInfo
from opensearch_neural_sparse.store.context import StoreContext
from opensearch_neural_sparse.store.described import describe_all_hits, describe_hits
from opensearch_neural_sparse.store.encoders import Encoders
from opensearch_neural_sparse.store.operations.added_score import added_score
from opensearch_neural_sparse.store.operations.grouped_search import (
    fused_by_client,
    group_page,
    grouped_plan,
    refuse_leg_of_one_group,
    refuse_several_layouts,
    refuse_several_models,
)
from opensearch_neural_sparse.store.operations.lifecycle import (
    check_aggregated,
    check_boosted,
    check_fields,
    check_grouped,
    check_legs,
    check_numbers,
    ensure_text_shown,
    is_same_target,
    open_index,
    read_index,
    read_server,
    send_and_read,
)
from opensearch_neural_sparse.store.query_routes import (
    check_query_models,
    encode_by_server,
    fill_explained,
    read_defaults,
    route_query,
)
from opensearch_neural_sparse.store.search_recorder import SearchRecorder
from opensearch_neural_sparse.store.steps import Compute, EmbedLegs, Observed, Request, Steps

MAX_ATTEMPTS = 3
"""Most attempts of a search while the index behind its name changes."""
_BAD_REQUEST = 400
_UNKNOWN_QUERIES = ("unknown query [neural_sparse]", "unknown query [hybrid]")
"""Reasons of a server that lacks the plugin neural-search."""

_NAMES = {
    SparseSearch: "sparse_search",
    HybridSearch: "hybrid_search",
    MatchSearch: "match_search",
    CustomSearch: "custom_search",
}
"""Kind of a search -> its name in traces, metrics and logs."""

Build = Callable[[ServerInfo, IndexInfo], MultiSearch]
EncodeByGroup = Callable[[IndexInfo, ServerQuery | None], list[EncodedQuery]]
"""Indices of one model, and what is asked of the server -> the queries, encoded here or for the server to encode."""


def run_search(context: StoreContext, search: Search) -> Steps[SearchHits]:
    """Run a search and return its hits, best first."""
    check_type(tuple(_NAMES), search=search)
    hits: SearchHits = yield Observed(_NAMES[type(search)], partial(_search, context, search), describe_hits)
    return hits


def _search(context: StoreContext, search: Search) -> Steps[SearchHits]:
    recorder = SearchRecorder(asked=is_profiled(search))
    found = yield from _found(context, before_reranking(search), recorder)
    hits = yield from _reranked(search, text_of(search), found, recorder)
    recorder.profile([hits])
    return hits


def _found(context: StoreContext, search: Search, recorder: SearchRecorder) -> Steps[SearchHits]:
    slow, asked = False, _asked(search)
    yield from open_index(context, unbound=bool(asked))
    yield from check_boosted(context, boosts_of(search))
    if isinstance(search, MatchSearch):
        if search.language is not None:
            yield from check_legs(context, [Bm25Leg(language=search.language)])
        yield from ensure_text_shown(context, "which match_search() searches")
    if isinstance(search, HybridSearch):
        yield from check_legs(context, search.options.legs)
        if search.options.collapsed is not None and search.options.collapsed.groups:
            yield from check_grouped(context, search.options.collapsed.field)
        if slow := has_embedder(search.options.legs):
            began = perf_counter()
            legs = yield EmbedLegs(search.options.legs, search.query)
            recorder.add_encoding(perf_counter() - began)
            legs = embedding_once(legs, recorder.encode)
            search = replace(search, options=replace(search.options, legs=legs))
    wanted = partial(build, context, search, recorder)
    (hits,) = yield from run_requests(context, wanted, search.clauses, recorder, asked, slow=slow)
    yield from check_aggregated(context, _aggregations(search), [hits])
    return hits


def run_sparse_searches(
    context: StoreContext, queries: Iterable[Query], search: SparseSearch
) -> Steps[list[SearchHits]]:
    """Run one sparse search for each query in one request; page and options are those of `search`."""
    if isinstance(queries, str | Mapping):
        raise TypeError("search_many() takes several queries, got one; put it into a list.")
    if not isinstance(queries, Iterable):
        raise TypeError(f"search_many() takes several queries, as a list, got {type(queries).__name__}.")
    several = list(queries)
    found: list[SearchHits] = yield Observed(
        "search_many", partial(_run_sparse_searches, context, several, search), describe_all_hits
    )
    return found


def _run_sparse_searches(
    context: StoreContext, several: Sequence[Query], search: SparseSearch
) -> Steps[list[SearchHits]]:
    for query in several:
        check_query(query)
        check_reranked_query(query, search.options.rerank)
    if not several:
        yield from open_index(context, unbound=search.options.server_query is not None)
        return []
    yield from open_index(context, unbound=search.options.server_query is not None)
    yield from check_boosted(context, search.options.boosts)
    recorder = SearchRecorder(asked=is_profiled(search))
    wanted = partial(_sparse, context, several, before_reranking(search), recorder)
    found = yield from run_requests(context, wanted, search.clauses, recorder, _asked(search))
    yield from check_aggregated(context, search.options.aggregations, found)
    reranked = []
    for place, (query, hits) in enumerate(zip(several, found, strict=True)):
        reranked.append((yield from _reranked(search, query, hits, recorder, place)))
    recorder.profile(reranked)
    return reranked


def _reranked(
    search: Search, query: Query, hits: SearchHits, recorder: SearchRecorder, place: int = 0
) -> Steps[SearchHits]:
    """Return the page of a search, of hits that its reranker has ordered, where it has one."""
    if rerank_of(search) is None:
        return hits
    rerank = partial(recorder.rerank, place, partial(rerank_hits, search, query, hits))
    reranked: SearchHits = yield Compute(rerank, name="rerank")
    return reranked


def encode_query(context: StoreContext, text: str) -> Steps[SparseVector]:
    """Return the token weights of a query by the index's model."""
    check_query(text)
    info = yield from open_index(context)
    encode = partial(_only_query, context, info, text, None, SearchRecorder(asked=False))
    query: EncodedQuery = yield Compute(encode, context.encodes_queries_cheaply)
    return (yield from encode_by_server(query)) if isinstance(query, QueryText) else query


def load_tokenizer(context: StoreContext) -> Steps[SparseTokenizer]:
    """Return the tokenizer of the index's model."""
    yield from open_index(context)
    tokenizer: SparseTokenizer = yield Compute(context.encoders.query_tokenizer)
    return tokenizer


def build(
    context: StoreContext, search: Search, recorder: SearchRecorder, server: ServerInfo, info: IndexInfo
) -> MultiSearch:
    """Return the requests of a search, with its query encoded.

    Args:
        context: The store's context.
        search: The search.
        recorder: Notes how long it takes to encode the query.
        server: The server that is asked.
        info: The index that is searched.
    """
    if isinstance(search, SparseSearch):
        return _sparse(context, [search.query], search, recorder, server, info)
    if isinstance(search, HybridSearch):
        return _hybrid(context, search, recorder, server, info)
    if isinstance(search, MatchSearch):
        return _match(context, search, info)
    return _custom(context, search, recorder, server, info)


def run_requests(
    context: StoreContext,
    build: Build,
    clauses: Sequence[Mapping[str, Any]],
    recorder: SearchRecorder,
    asked: Sequence[ServerQuery] = (),
    *,
    slow: bool = False,
) -> Steps[list[SearchHits]]:
    """Run requests that are built for the index as it is, and check their filter.

    Args:
        context: The store's context.
        build: Returns the requests.
        clauses: The filter.
        recorder: Notes what is sent and how long it takes.
        asked: What the server is asked to encode the query with.
        slow: Whether building takes long enough to be done off an event loop.
    """
    yield from open_index(context, unbound=bool(asked))
    yield from check_numbers(context, clauses)
    for _ in range(MAX_ATTEMPTS):
        recorder.begin()
        found = yield from _attempt(context, build, asked, recorder, slow=slow)
        if found is not None:
            yield from check_fields(context, clauses, found)
            return found
    reason = f"index {context.index!r} changed during the search {MAX_ATTEMPTS} times in a row; try again"
    raise ServerRequestError(409, "index_moved", reason)


def _attempt(
    context: StoreContext, build: Build, asked: Sequence[ServerQuery], recorder: SearchRecorder, *, slow: bool
) -> Steps[list[SearchHits] | None]:
    """Return the hits of each query; None if the index behind the name has changed, or a plugin is missing."""
    info = yield from open_index(context, unbound=bool(asked))
    yield from read_defaults(context, info, asked)
    yield from check_query_models(context, info, asked)
    server = yield from read_server(context)
    cheap = context.encodes_queries_cheaply and not slow
    request = yield from _prepare(context, partial(build, server, info), server, cheap=cheap)
    if request.is_empty:
        return request.nothing
    try:
        sent = Request(request.endpoint, partial(recorder.send, request), size=request.size)
        name = "fuse" if request.fused_here else None
        result = yield from send_and_read(context, sent, partial(recorder.read, request, server), name=name)
    except IndexNotFoundError:
        context.forget()
        if info.groups:
            return None
        raise
    except (ServerRequestError, UnsupportedServerError, PartialResultsError) as error:
        if _is_wrapped(context, request, error) or _lacks_plugin(context, error, server):
            return None
        if not _may_be_stale(error, info) or context.refresh_index(info, (yield from read_index(context))):
            raise
        return None
    if request.is_fused_by_server and any(any_wrapped(hits.failures) for hits in result.hits):
        context.documents_hidden = True
        return None
    if result.found_nothing and not (yield from is_same_target(context, info)):
        context.forget()
        return None
    if result.unexpected <= context.accepted:
        return result.hits
    is_unchanged = context.refresh_index(info, (yield from read_index(context)), result.unexpected)
    return result.hits if is_unchanged else None


def _prepare(
    context: StoreContext, build: Callable[[], MultiSearch], server: ServerInfo, *, cheap: bool
) -> Steps[MultiSearch]:
    """Return requests that show nothing of hidden documents, with what is to be taken off their scores."""
    added = yield from added_score(context, server)
    request: MultiSearch = yield Compute(build, cheap)
    if context.documents_hidden:
        request.check_within_security()
    return replace((yield from fill_explained(request)), added_score=added)


def _sparse(
    context: StoreContext,
    queries: Sequence[Query],
    search: SparseSearch,
    recorder: SearchRecorder,
    server: ServerInfo,
    info: IndexInfo,
) -> MultiSearch:
    page = group_page(info, search, collapse=search.options.collapse)
    encode = _encode_by_group(context, info, queries, recorder)
    asked = search.options.server_query
    requests = [
        [
            sparse_request(server, group.schema, query, page, search.options, grouped=bool(info.groups))
            for query in encode(group, asked)
        ]
        for group in info.groups or (info,)
    ]
    counted = search.options.aggregations if info.groups else None
    return _multi_search(context, info, requests, search, alone=len(queries) == 1, aggregations=counted)


def _hybrid(
    context: StoreContext, search: HybridSearch, recorder: SearchRecorder, server: ServerInfo, info: IndexInfo
) -> MultiSearch:
    options = search.options
    group_page(info, search, collapse=options.collapse)
    refuse_leg_of_one_group(context.index, info, options.legs)
    if context.documents_hidden:
        refuse_document_security(server, context.index, options)
    encode = _encode_by_group(context, info, [search.query if search.vector is None else search.vector], recorder)
    requests: list[Requests] = []
    for group in info.groups or (info,):
        encode_for = partial(_field_query, context, search, recorder, group, encode)
        legs = resolve_legs(options.legs, search.query, group.schema, encode_for)
        how = fused_by_client(options) if info.groups or context.documents_hidden else options
        grouped = bool(info.groups)
        request = hybrid_request(server, context.index, group, group.schema, legs, search, how, grouped=grouped)
        requests.append([grouped_plan(request, search) if info.groups else request])
    return _multi_search(context, info, requests, search, aggregations=options.aggregations)


def _match(context: StoreContext, search: MatchSearch, info: IndexInfo) -> MultiSearch:
    request = match_request(
        info.schema,
        search.text,
        search,
        search.request,
        language=search.language,
        aggregations=search.aggregations,
        boosts=search.boosts,
        collapse=search.collapsed,
    )
    alone = replace(info, groups=())
    return MultiSearch(name=context.index, info=alone, searches=[[request]], page=search, options=search.request)


def _custom(
    context: StoreContext, search: CustomSearch, recorder: SearchRecorder, server: ServerInfo, info: IndexInfo
) -> MultiSearch:
    encode = partial(_clause_query, context, info, search.query or {}, search.server_query, recorder)
    request = custom_request(
        server, info.schema, search.body, search.query, search.page, encode, search.request, search.boosts
    )
    alone = replace(info, groups=())
    return MultiSearch(name=context.index, info=alone, searches=[[request]], page=search.page, options=search.request)


def _multi_search(
    context: StoreContext,
    info: IndexInfo,
    requests: Sequence[Requests],
    search: SparseSearch | HybridSearch,
    *,
    alone: bool = True,
    aggregations: Aggregations | None = None,
) -> MultiSearch:
    return MultiSearch(
        name=context.index,
        info=info,
        searches=requests,
        page=search,
        options=search.options.request,
        alone=alone,
        aggregations=aggregations,
    )


def _field_query(
    context: StoreContext,
    search: HybridSearch,
    recorder: SearchRecorder,
    group: IndexInfo,
    encode: EncodeByGroup,
    name: str,
    asked: ServerQuery | None,
) -> EncodedQuery:
    """Return the query for a sparse field; one that the index has no model of takes that of the main field."""
    field = group.schema.additional_fields.get(name)
    if field is not None:
        by = route_query(context, group, field, asked, context.encoders_of(field))
        if by is None:
            return recorder.encode(context.encode_query, field, search.query)
        return encoded_by_server(search.query, by)
    return encode(group, asked or search.options.server_query)[0]


def _encode_by_group(
    context: StoreContext, info: IndexInfo, queries: Sequence[Query], recorder: SearchRecorder
) -> EncodeByGroup:
    """Return what encodes queries for each group of indices, once by each model."""
    encode = cache(partial(_encoded, context, info, queries, recorder))

    def encode_for(group: IndexInfo, asked: ServerQuery | None) -> list[EncodedQuery]:
        encoders = context.query_encoders(info, group)
        by = route_query(context, group, group.schema.main_field, asked, encoders) if _has_text(queries) else None
        return encode(encoders, by)

    return encode_for


def _encoded(
    context: StoreContext,
    info: IndexInfo,
    queries: Sequence[Query],
    recorder: SearchRecorder,
    encoders: Encoders,
    by: ServerQuery | None,
) -> list[EncodedQuery]:
    texts = [query for query in queries if isinstance(query, str)]
    if info.has_several_models and len(texts) < len(queries):
        remedy = "Token weights belong to one model: search by a text, or search one of them."
        refuse_several_models(context.index, info, remedy)
    encoded: Iterable[EncodedQuery] = ()
    if texts:
        encoded = recorder.encode(encoders.encode_queries, texts) if by is None else _for_server(texts, by)
    rows = iter(encoded)
    return [next(rows) if isinstance(query, str) else _weights(query) for query in queries]


def _for_server(texts: Sequence[str], by: ServerQuery) -> list[EncodedQuery]:
    return [encoded_by_server(text, by) for text in texts]


def _has_text(queries: Sequence[Query]) -> bool:
    return any(isinstance(query, str) for query in queries)


def _asked(search: Search) -> list[ServerQuery]:
    """Return what a search asks the server to encode its query with."""
    if isinstance(search, MatchSearch):
        return []
    if isinstance(search, CustomSearch):
        return [] if search.server_query is None else [search.server_query]
    legs = search.options.legs if isinstance(search, HybridSearch) else ()
    asked = [search.options.server_query, *(leg.server_query for leg in legs if isinstance(leg, SparseLeg))]
    return [query for query in asked if query is not None]


def _aggregations(search: Search) -> Aggregations | None:
    if isinstance(search, CustomSearch):
        return None
    return search.aggregations if isinstance(search, MatchSearch) else search.options.aggregations


def _weights(query: Mapping[str, float]) -> SparseVector:
    return query if isinstance(query, SparseVector) else SparseVector(query)


def _only_query(
    context: StoreContext, info: IndexInfo, query: Query, asked: ServerQuery | None, recorder: SearchRecorder
) -> EncodedQuery:
    if info.has_several_models:
        remedy = "A vector belongs to one of them: a search or hybrid search of a text makes one by each."
        refuse_several_models(context.index, info, remedy)
    return _encode_by_group(context, replace(info, groups=()), [query], recorder)(info, asked)[0]


def _clause_query(
    context: StoreContext, info: IndexInfo, query: Query, asked: ServerQuery | None, recorder: SearchRecorder
) -> EncodedQuery:
    encoded = _only_query(context, info, query, asked, recorder)
    if info.groups:
        remedy = "One clause cannot search them all: search() does, or name those of one layout."
        refuse_several_layouts(context.index, info, remedy)
    return encoded


def _is_wrapped(context: StoreContext, request: MultiSearch, error: NeuralSparseError) -> bool:
    """Return whether the server's fusion failed for document-level security, so that the client's may succeed."""
    if wrapped := request.is_fused_by_server and is_wrapped_hybrid(error):
        context.documents_hidden = True
    return wrapped


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

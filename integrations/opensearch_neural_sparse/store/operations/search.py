"""How a store turns a question into requests, each model's indices by their own model, and notices what moved."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from typing import Any

from opensearch_neural_sparse.encode.sparse_vector import SparseVector
from opensearch_neural_sparse.errors import (
    IndexNotFoundError,
    NeuralSparseError,
    ServerRequestError,
    UnsupportedServerError,
)
from opensearch_neural_sparse.index.index_info import IndexInfo, several_layouts, several_models
from opensearch_neural_sparse.search.options.fusion import Fusion
from opensearch_neural_sparse.search.options.legs import SparseLeg, embedding_once
from opensearch_neural_sparse.search.options.page import SearchPage
from opensearch_neural_sparse.search.options.query_text import check_options, check_query, check_text
from opensearch_neural_sparse.search.options.request_options import RequestOptions
from opensearch_neural_sparse.search.options.search_options import HybridOptions, SearchOptions
from opensearch_neural_sparse.search.query.resolved_legs import resolve_legs
from opensearch_neural_sparse.search.requests.custom_request import custom_request
from opensearch_neural_sparse.search.requests.hybrid_request import hybrid_request
from opensearch_neural_sparse.search.requests.multi_search import (
    MultiSearch,
    MultiSearchResult,
    Requests,
    UnexpectedIndex,
)
from opensearch_neural_sparse.search.requests.search_request import SearchRequest, match_request, sparse_request
from opensearch_neural_sparse.server_info import NEURAL_SEARCH, ServerInfo
from opensearch_neural_sparse.store.context import Client, StoreBase
from opensearch_neural_sparse.store.encoders import Encoders

Query = str | Mapping[str, float]
Ask = Callable[[ServerInfo, IndexInfo], MultiSearch]
Encode = Callable[[IndexInfo], list[SparseVector]]
"""Makes the vectors of the queries by the model of a group."""
MAX_ATTEMPTS = 3
"""How often a search is made anew because its name came to lead elsewhere."""
_BAD_REQUEST = 400
_UNKNOWN_QUERIES = ("unknown query [neural_sparse]", "unknown query [hybrid]")
"""How a server without the plugin neural-search refuses its queries."""


class AskingStore(StoreBase[Client]):
    """What every store asks, and what it learns from answers."""

    def _ask_sparse(
        self, queries: Iterable[Query], wanted: SearchPage, options: SearchOptions, *, alone: bool = False
    ) -> Ask:
        if isinstance(queries, str | Mapping):
            raise TypeError("search_many() takes several queries, got one; put it into a list.")
        check_options(options, SearchOptions)
        asked = list(queries)
        for query in asked:
            check_query(query)

        def ask(server: ServerInfo, state: IndexInfo) -> MultiSearch:
            page = _page_of_all(state, wanted, collapse=options.collapse)
            encode = self._encode_by_group(state, asked)
            searches = [
                [sparse_request(server, group.schema, vector, page, options) for vector in encode(group)]
                for group in state.groups or (state,)
            ]
            return self._questions(state, searches, wanted, options.request, alone=alone)

        return ask

    def _ask_hybrid(
        self, query: str, vector: Mapping[str, float] | None, wanted: SearchPage, options: HybridOptions
    ) -> Ask:
        check_text(query)
        check_options(options, HybridOptions)
        if vector is not None and not isinstance(vector, Mapping):
            raise TypeError(f"vector is a mapping of token to weight, got {type(vector).__name__}.")
        options = replace(options, legs=embedding_once(options.legs))

        def ask(server: ServerInfo, state: IndexInfo) -> MultiSearch:
            _page_of_all(state, wanted, collapse=options.collapse)
            self._ensure_legs_of_all(state, options)
            encode = self._encode_by_group(state, [query if vector is None else vector])
            searches = [
                [self._hybrid(server, state, group, query, encode, wanted, options)]
                for group in state.groups or (state,)
            ]
            return self._questions(state, searches, wanted, options.request)

        return ask

    def _ask_match(self, text: str, wanted: SearchPage, options: RequestOptions) -> Ask:
        check_text(text)
        check_options(options, RequestOptions, "request")

        def ask(_: ServerInfo, state: IndexInfo) -> MultiSearch:
            return self._questions(_of_one_kind(state), [[match_request(state.schema, text, wanted, options)]], wanted)

        return ask

    def _ask_custom(
        self, body: Mapping[str, Any], query: Query | None, wanted: SearchPage, options: RequestOptions
    ) -> Ask:
        check_options(options, RequestOptions, "request")
        if not isinstance(body, Mapping):
            raise TypeError(f"The body of a search is a mapping, got {type(body).__name__}.")
        if query is not None:
            check_query(query)

        def ask(server: ServerInfo, state: IndexInfo) -> MultiSearch:
            encode = partial(self._clause_vector, state, query or {})
            request = custom_request(server, state.schema, body, query, wanted, encode, options)
            return self._questions(_of_one_kind(state), [[request]], wanted)

        return ask

    def _hybrid(
        self,
        server: ServerInfo,
        state: IndexInfo,
        group: IndexInfo,
        query: str,
        encode: Encode,
        wanted: SearchPage,
        options: HybridOptions,
    ) -> SearchRequest:
        more = {} if state.groups else self._more_queries(query)
        legs = resolve_legs(options.legs, query, group.schema, lambda: encode(group)[0], more)
        if not state.groups:
            return hybrid_request(server, self.index, group, group.schema, legs, wanted, options)
        if options.fusion is Fusion.AUTO and options.beyond_client is None:
            options = replace(options, fusion=Fusion.CLIENT)
        request = hybrid_request(server, self.index, group, group.schema, legs, wanted, options)
        if request.params:
            raise ValueError(
                "Over indices of several models or layouts, hits are explained where the client fuses alone."
            )
        plan = request.plan and replace(request.plan, offset=0, size=wanted.depth)
        return replace(request, plan=plan)

    def _questions(
        self,
        state: IndexInfo,
        searches: Sequence[Requests],
        wanted: SearchPage,
        options: RequestOptions | None = None,
        *,
        alone: bool = True,
    ) -> MultiSearch:
        travel = {} if options is None else {"options": options}
        return MultiSearch(name=self.index, state=state, searches=searches, wanted=wanted, alone=alone, **travel)

    def _encoders_for(self, state: IndexInfo, group: IndexInfo) -> Encoders:
        """Return what encodes queries for a model's indices: what the caller gave, or the model of their stamp."""
        stamp = group.binding
        if not state.has_several_models or stamp is None or self._encoders.checkable:
            return self._encoders
        with self._lock:
            if stamp.identity not in self._model_encoders:
                encoders = self._model_encoders[stamp.identity] = self._encoders.for_field()
                encoders.bind_to(stamp)
            return self._model_encoders[stamp.identity]

    def _encode_by_group(self, state: IndexInfo, queries: Sequence[Query]) -> Encode:
        """Return what encodes queries for each group of indices, once by each model."""
        encode = cache(partial(self._vectors, state, queries))
        return lambda group: encode(self._encoders_for(state, group))

    def _vectors(self, state: IndexInfo, queries: Sequence[Query], encoders: Encoders) -> list[SparseVector]:
        texts = [query for query in queries if isinstance(query, str)]
        if state.has_several_models and len(texts) < len(queries):
            remedy = "Token weights belong to one model: search by a text, or search one of them."
            raise several_models(self.index, state.schema, state.groups, remedy)
        encoded = iter(_encoded(encoders, texts))
        return [next(encoded) if isinstance(query, str) else _weights(query) for query in queries]

    def _ensure_legs_of_all(self, state: IndexInfo, options: HybridOptions) -> None:
        """Raise where a leg can be asked of some of the indices alone: ModelMismatchError, or IndexSchemaError."""
        legs = [leg for leg in options.legs if isinstance(leg, SparseLeg)]
        of_a_field = state.groups and any(leg.field in state.schema.more_fields for leg in legs)
        remedy = "A leg with a vector, or of a further sparse field, belongs to one of them: search that one."
        if state.has_several_models and (of_a_field or any(leg.vector is not None for leg in legs)):
            raise several_models(self.index, state.schema, state.groups, remedy)
        if of_a_field:
            raise several_layouts(self.index, state.groups, remedy)

    def _only_vector(self, state: IndexInfo, query: Query) -> SparseVector:
        if state.has_several_models:
            remedy = "A vector belongs to one of them: a search or hybrid search of a text makes one by each."
            raise several_models(self.index, state.schema, state.groups, remedy)
        return self._vectors(state, [query], self._encoders)[0]

    def _clause_vector(self, state: IndexInfo, query: Query) -> SparseVector:
        vector = self._only_vector(state, query)
        if state.groups:
            remedy = "One clause cannot search them all: search() does, or name those of one layout."
            raise several_layouts(self.index, state.groups, remedy)
        return vector

    def _has_unexpected(self, answers: MultiSearchResult) -> bool:
        return not answers.unexpected <= self._accepted

    def _refresh(
        self, state: IndexInfo, fresh: IndexInfo, unexpected: frozenset[UnexpectedIndex] = frozenset()
    ) -> bool:
        """Take over the index as it is now; return whether it is as it was, and what was answered stands."""
        with self._lock:
            self._state = fresh
            self._accepted = self._accepted | unexpected if fresh == state else frozenset()
        return fresh == state

    def _may_be_stale(self, error: NeuralSparseError, state: IndexInfo) -> bool:
        """Return whether a search may have failed since its name leads to an index of other fields or shards by now."""
        of_other_fields = isinstance(error, ServerRequestError) and error.status == _BAD_REQUEST
        of_more_shards = isinstance(error, UnsupportedServerError)
        return state.checked and (of_other_fields or of_more_shards)

    def _is_retryable(self, error: NeuralSparseError, server: ServerInfo, state: IndexInfo) -> bool:
        """Return whether the same question, put again, may be answered after this error."""
        if isinstance(error, IndexNotFoundError):
            return bool(state.groups)
        if server.plugins is not None or not isinstance(error, ServerRequestError):
            return False
        if lacks_plugin := any(unknown in error.reason for unknown in _UNKNOWN_QUERIES):
            self._server = server.without(NEURAL_SEARCH)
        return lacks_plugin

    def _index_keeps_changing(self) -> ServerRequestError:
        reason = f"{self.index!r} led to other indices, or they to another model, at each of {MAX_ATTEMPTS} looks"
        return ServerRequestError(409, "index_moved", reason)


def _page_of_all(state: IndexInfo, wanted: SearchPage, *, collapse: str | None) -> SearchPage:
    """Return the page that each model's indices are asked for, all from the first hit where they are fused here."""
    if not state.groups:
        return wanted
    if collapse is not None:
        raise ValueError("Hits of indices of several models or layouts cannot be collapsed; search one of them.")
    return replace(wanted, size=wanted.depth, offset=0)


def _of_one_kind(state: IndexInfo) -> IndexInfo:
    """Return the state as that of indices that are asked together, whatever their models."""
    return replace(state, groups=()) if state.groups else state


def _encoded(encoders: Encoders, texts: Sequence[str]) -> Sequence[SparseVector]:
    if len(texts) == 1:
        return [encoders.query().encode_query(texts[0])]
    return encoders.query().encode_queries(texts) if texts else ()


def _weights(query: Mapping[str, float]) -> SparseVector:
    return query if isinstance(query, SparseVector) else SparseVector(query)

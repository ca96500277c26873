"""Searches for one query or many, over the indices of one model or several; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from opensearch_neural_sparse.errors import HybridPoolWarning
from opensearch_neural_sparse.index.index_info import IndexInfo
from opensearch_neural_sparse.search.fusion.document_security import without_added_score
from opensearch_neural_sparse.search.fusion.group_fusion import fuse_groups
from opensearch_neural_sparse.search.options.page import LARGEST_WINDOW, SearchPage
from opensearch_neural_sparse.search.options.refinements.aggregations import AGGREGATION_KEYS, check_within_security
from opensearch_neural_sparse.search.options.request_options import DEFAULT_REQUEST, RequestOptions
from opensearch_neural_sparse.search.query.aggregated import aggregation_body, any_of, within_indices
from opensearch_neural_sparse.search.query.query_text import QueryText
from opensearch_neural_sparse.search.requests.response import raise_for_error, read_hits
from opensearch_neural_sparse.search.requests.search_request import SearchRequest
from opensearch_neural_sparse.search.requests.sent_search import SentSearch
from opensearch_neural_sparse.search.results.hits import SearchHits
from opensearch_neural_sparse.search.results.shard_failures import shard_failures
from opensearch_neural_sparse.server_info import ServerInfo
from opensearch_neural_sparse.telemetry.caller import warn_caller

UnexpectedIndex = tuple[str, str | None]
"""An unexpected concrete index, and the model marker of a vector in it."""
Requests = Sequence[SearchRequest | None]
"""A request for each query; None for one without possible hits."""


@dataclass(frozen=True, kw_only=True)
class MultiSearchResult:
    """Hits of each query, and unexpected indices among them."""

    hits: list[SearchHits]
    unexpected: frozenset[UnexpectedIndex]

    @property
    def found_nothing(self) -> bool:
        """Whether there is no hit at all, so that nothing shows a change of the index."""
        return not any(self.hits)


@dataclass(frozen=True, kw_only=True)
class MultiSearch:
    """Queries that are sent as one request.

    Attributes:
        name: The name that is searched.
        info: The indices behind it.
        searches: For what belongs to each model, a search for each query.
        page: The page.
        options: How the request travels.
        alone: Whether it may be a `_search`, being but one query.
        aggregations: Aggregations that take a search of their own for each query; None where there are none, or where
            the search for the hits has them.
        added_score: What document-level security adds to the score of every hit, which is taken off; the scores of a
            search body of the caller's stay as they are.
    """

    name: str
    info: IndexInfo
    searches: Sequence[Requests]
    page: SearchPage
    options: RequestOptions = DEFAULT_REQUEST
    alone: bool = True
    aggregations: Mapping[str, Any] | None = field(default=None, repr=False)
    added_score: float = 0.0

    @property
    def explained_texts(self) -> set[QueryText]:
        """Texts that the server encodes and that are explained."""
        return {text for request in self._requests for text in request.explained_texts}

    def explaining(self, known: Mapping[QueryText, QueryText]) -> MultiSearch:
        """Return the searches with texts and their known token weights."""
        return replace(
            self,
            searches=[
                [None if request is None else request.explaining(known) for request in requests]
                for requests in self.searches
            ],
        )

    @property
    def is_fused_by_server(self) -> bool:
        """Whether a hybrid search is among them that the server fuses."""
        return any(request.plan is not None and not request.searches for request in self._requests)

    @property
    def fused_here(self) -> bool:
        """Whether the response is of several legs, models or layouts, for the client to fuse."""
        return bool(self.info.groups) or any(request.searches for request in self._requests)

    @property
    def endpoint(self) -> str:
        """Name of the request in opensearch-py."""
        return "search" if self._is_single and self.size == 1 else "msearch"

    @property
    def size(self) -> int:
        """Number of searches that are sent."""
        return len(self.sent)

    @property
    def _is_single(self) -> bool:
        (first, *others), *further = self.searches
        return self.alone and self.aggregations is None and first is not None and not others and not further

    @property
    def _requests(self) -> list[SearchRequest]:
        return [request for requests in self.searches for request in requests if request is not None]

    def check_within_security(self) -> None:
        """Raise ValueError for an aggregation that shows something of documents that are hidden from the login."""
        for one in self.sent:
            for key in AGGREGATION_KEYS:
                check_within_security(one.body.get(key))

    def send(self, client: Any) -> Any:
        """Send the queries with a blocking or async client; return the response or its awaitable.

        Nothing is to be sent where `is_empty`.
        """
        if self.endpoint == "search":
            (one,) = self.sent
            return client.search(index=self.name, body=one.body, params={**one.params, **self.options.waiting})
        lines = [line for one in self.sent for line in one.lines]
        return client.msearch(body=lines, index=self.name, params=self.options.waiting)

    @property
    def is_empty(self) -> bool:
        """Whether no query can have hits."""
        return not self._requests

    @property
    def nothing(self) -> list[SearchHits]:
        """Empty hits of each query."""
        return [SearchHits() for _ in self.searches[0]]

    def read(self, server: ServerInfo, response: Mapping[str, Any]) -> MultiSearchResult:
        """Read the response.

        Raises:
            IndexNotFoundError: The index is gone.
            PartialResultsError: Some shards failed.
            ServerRequestError: The server refused a search.
        """
        rows = iter(response.get("responses", [response]))
        found = [
            [self._read(server, request, group, rows, response["took"]) for request in requests]
            for requests, group in zip(self.searches, self._groups, strict=True)
        ]
        counted = [[next(rows) for _ in bodies] for bodies in self._aggregation_bodies]
        unexpected = {
            (hit.index, hit.model)
            for part in found
            for hits in part
            for hit in hits
            if not self.info.expects(hit.index, hit.model)
        }
        if not self.info.groups:
            hits = self._aggregated(found[0], counted)
            return MultiSearchResult(hits=self._warned(hits), unexpected=frozenset(unexpected))
        unexpected |= {(hit["_index"], None) for row in rows for hit in raise_for_error(row)["hits"]["hits"]}
        of = f"{len(found)} {'models' if self.info.has_several_models else 'layouts'}"
        fused = [fuse_groups(hits, self.page, of) for hits in zip(*found, strict=True)]
        return MultiSearchResult(hits=self._warned(self._aggregated(fused, counted)), unexpected=frozenset(unexpected))

    def _aggregated(self, found: list[SearchHits], counted: Sequence[Sequence[Mapping[str, Any]]]) -> list[SearchHits]:
        """Return the hits of each query with the aggregations of their own search."""
        for hits, rows in zip(found, counted, strict=True):
            for row in rows:
                response = raise_for_error(row)
                hits.failures += shard_failures([response], self.options.partial)
                hits.aggregations = response["aggregations"]
        return found

    @property
    def _aggregation_bodies(self) -> list[list[dict[str, Any]]]:
        """Bodies of the aggregations of each query: one, or none for a query without possible hits."""
        queries = zip(*self.searches, strict=True)
        return [[] if self.aggregations is None else self._aggregation_body(requests) for requests in queries]

    def _aggregation_body(self, requests: Requests) -> list[dict[str, Any]]:
        pairs = zip(requests, self._groups, strict=True)
        matched = [(request.matched, group) for request, group in pairs if request is not None and request.matched]
        if not matched or self.aggregations is None:
            return []
        queries = [within_indices(query, group.indices) if self.info.groups else query for query, group in matched]
        return [aggregation_body(any_of(queries), self.aggregations)]

    def _warned(self, found: list[SearchHits]) -> list[SearchHits]:
        """Return the hits; warn of pages that end before the matching documents do."""
        for hits in found:
            if hits.pool_end is not None:
                message = (
                    f"The pages of this hybrid search of {self.name!r} end after {hits.pool_end} documents, though "
                    f"{hits.total} or more match: only the best of each leg are fused. Search every page with the same "
                    f"larger pagination_depth, up to {LARGEST_WINDOW}."
                )
                warn_caller(HybridPoolWarning(message))
        return found

    @property
    def _groups(self) -> Sequence[IndexInfo]:
        return self.info.groups or (self.info,)

    @cached_property
    def sent(self) -> list[SentSearch]:
        """The searches as they travel, in the order in which `read` takes their answers."""
        return [*self._searches_for_hits(), *self._searches_for_aggregations(), *self._searches_for_others()]

    def _searches_for_hits(self) -> Iterator[SentSearch]:
        for requests, group in zip(self.searches, self._groups, strict=True):
            for place, request in enumerate(requests):
                if request is not None:
                    yield from request.sent(place, self._only(group))

    def _searches_for_aggregations(self) -> Iterator[SentSearch]:
        target, everywhere = self.options.target, self._only(self.info)
        for place, bodies in enumerate(self._aggregation_bodies):
            for body in bodies:
                yield SentSearch(body=body, params=target, indices=everywhere, place=place, purpose="aggregations")

    def _searches_for_others(self) -> Iterator[SentSearch]:
        if self.info.groups:
            yield SentSearch(body=_others(self.info.indices), purpose="other indices")

    def _only(self, part: IndexInfo) -> tuple[str, ...]:
        """Return the indices that a search is limited to; none where the name of the request stands for them."""
        return tuple(part.indices) if self.info.groups else ()

    def _read(
        self,
        server: ServerInfo,
        request: SearchRequest | None,
        group: IndexInfo,
        rows: Iterator[Mapping[str, Any]],
        took: int,
    ) -> SearchHits:
        if request is None:
            return SearchHits()
        added = 0.0 if request.whole_answer else self.added_score
        responses = [without_added_score(raise_for_error(next(rows)), added) for _ in request.bodies]
        hits = read_hits(server, request, responses, group.schema, took_ms=took)
        if self.info.groups and group.binding is not None:
            hits[:] = [hit if hit.model else replace(hit, model=group.binding.marker) for hit in hits]
        return hits


def _others(indices: Sequence[str]) -> dict[str, Any]:
    """Return a query that matches if the alias contains an index we do not know."""
    known = {"bool": {"must_not": {"terms": {"_index": list(indices)}}}}
    return {"size": 1, "_source": False, "track_total_hits": False, "terminate_after": 1, "query": known}

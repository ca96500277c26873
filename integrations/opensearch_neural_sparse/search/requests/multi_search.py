"""Searches for one query or many, over the indices of one model or several; pure."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from opensearch_neural_sparse.errors import HybridPoolWarning
from opensearch_neural_sparse.index.index_info import IndexInfo
from opensearch_neural_sparse.search.fusion.group_fusion import fuse_groups
from opensearch_neural_sparse.search.options.page import LARGEST_WINDOW, SearchPage
from opensearch_neural_sparse.search.options.request_options import DEFAULT_REQUEST, RequestOptions
from opensearch_neural_sparse.search.requests.response import raise_for_error, read_hits
from opensearch_neural_sparse.search.requests.search_request import SearchRequest
from opensearch_neural_sparse.search.results.hits import SearchHits
from opensearch_neural_sparse.server_info import ServerInfo

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
    """

    name: str
    info: IndexInfo
    searches: Sequence[Requests]
    page: SearchPage
    options: RequestOptions = DEFAULT_REQUEST
    alone: bool = True

    def send(self, client: Any) -> Any:
        """Send the queries with a blocking or async client; return the response or its awaitable.

        Nothing is to be sent where `is_empty`.
        """
        (first, *others), *further = self.searches
        if self.alone and first is not None and not others and not further:
            return first.send(client, self.name)
        return client.msearch(body=list(self._lines()), index=self.name, params=self.options.waiting)

    @property
    def is_empty(self) -> bool:
        """Whether no query can have hits."""
        return all(request is None for requests in self.searches for request in requests)

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
        unexpected = {
            (hit.index, hit.model)
            for part in found
            for hits in part
            for hit in hits
            if not self.info.expects(hit.index, hit.model)
        }
        if not self.info.groups:
            return MultiSearchResult(hits=self._warned(found[0]), unexpected=frozenset(unexpected))
        unexpected |= {(hit["_index"], None) for row in rows for hit in raise_for_error(row)["hits"]["hits"]}
        of = f"{len(found)} {'models' if self.info.has_several_models else 'layouts'}"
        fused = [fuse_groups(hits, self.page, of) for hits in zip(*found, strict=True)]
        return MultiSearchResult(hits=self._warned(fused), unexpected=frozenset(unexpected))

    def _warned(self, found: list[SearchHits]) -> list[SearchHits]:
        """Return the hits; warn of pages that end before the matching documents do."""
        for hits in found:
            if hits.pool_end is not None:
                message = (
                    f"The pages of this hybrid search of {self.name!r} end after {hits.pool_end} documents, though "
                    f"{hits.total} or more match: only the best of each leg are fused. Search every page with the same "
                    f"larger pagination_depth, up to {LARGEST_WINDOW}."
                )
                warnings.warn(HybridPoolWarning(message), stacklevel=2)
        return found

    @property
    def _groups(self) -> Sequence[IndexInfo]:
        return self.info.groups or (self.info,)

    def _lines(self) -> Iterator[Mapping[str, Any]]:
        for requests, group in zip(self.searches, self._groups, strict=True):
            where = {"index": list(group.indices)} if self.info.groups else {}
            lines = [line for request in requests if request is not None for line in request.lines]
            for header, body in zip(lines[::2], lines[1::2], strict=True):
                yield {**header, **where}
                yield body
        if self.info.groups:
            yield {}
            yield _others(self.info.indices)

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
        if request.searches:
            answer: Mapping[str, Any] = {"responses": [next(rows) for _ in request.searches], "took": took}
        else:
            answer = raise_for_error(next(rows))
        hits = read_hits(server, request, answer, group.schema)
        if self.info.groups and group.binding is not None:
            hits[:] = [hit if hit.model else replace(hit, model=group.binding.marker) for hit in hits]
        return hits


def _others(indices: Sequence[str]) -> dict[str, Any]:
    """Return a query that matches if the alias contains an index we do not know."""
    known = {"bool": {"must_not": {"terms": {"_index": list(indices)}}}}
    return {"size": 1, "_source": False, "track_total_hits": False, "terminate_after": 1, "query": known}

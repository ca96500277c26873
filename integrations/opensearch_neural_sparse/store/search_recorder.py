"""Record of a search while it runs, of which its profile is made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any, TypeVar

from opensearch_neural_sparse.search.requests.multi_search import MultiSearch, MultiSearchResult
from opensearch_neural_sparse.search.results.hits import SearchHits
from opensearch_neural_sparse.search.results.search_profile import ProfiledRequest, SearchProfile
from opensearch_neural_sparse.server_info import ServerInfo

Result = TypeVar("Result")


@dataclass
class _Sent:
    """A request that was sent, and its answer.

    Attributes:
        search: Its searches.
        began: When it was sent.
        response: The server's times of the answer; None while there is none.
        answer_s: Seconds to the answer.
    """

    search: MultiSearch
    began: float
    response: Mapping[str, Any] | None = None
    answer_s: float | None = None


class SearchRecorder:
    """Record of a search while it runs; one thread or task at a time writes to it.

    Args:
        asked: Whether the search is asked for its profile; otherwise nothing is kept.
    """

    def __init__(self, *, asked: bool) -> None:
        self._asked, self._began = asked, perf_counter()
        self._requests: list[_Sent] = []
        self._before = 0
        self._encode_s: float | None = None
        self._read_s = 0.0
        self._rerank_s: dict[int, float] = {}

    def begin(self) -> None:
        """Begin an attempt: the answers to earlier requests were not used."""
        self._before = len(self._requests)

    def encode(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """Return the result of a function that encodes the query; add its time."""
        began = perf_counter()
        try:
            return function(*arguments)
        finally:
            self.add_encoding(perf_counter() - began)

    def add_encoding(self, seconds: float) -> None:
        """Add a time in which the query was encoded."""
        self._encode_s = (self._encode_s or 0.0) + seconds

    def send(self, search: MultiSearch, client: Any) -> Any:
        """Send a request; return its response, or its awaitable."""
        if self._asked:
            self._requests.append(_Sent(search, perf_counter()))
        return search.send(client)

    def read(self, search: MultiSearch, server: ServerInfo, response: Mapping[str, Any]) -> MultiSearchResult:
        """Read the response to the last request."""
        began = perf_counter()
        if self._asked:
            last = self._requests[-1]
            last.answer_s, last.response = began - last.began, _times_of(response)
        try:
            return search.read(server, response)
        finally:
            self._read_s += perf_counter() - began

    def rerank(self, place: int, function: Callable[[], Result]) -> Result:
        """Return the result of a function that reranks the hits of a query; note its time."""
        began = perf_counter()
        try:
            return function()
        finally:
            self._rerank_s[place] = perf_counter() - began

    def profile(self, found: Sequence[SearchHits]) -> None:
        """Add to the hits of each query its profile, where the search is asked for it."""
        if self._asked:
            total = perf_counter() - self._began
            for place, hits in enumerate(found):
                hits.profile = self._profile(place, hits, total)

    def _profile(self, place: int, hits: SearchHits, total: float) -> SearchProfile:
        return SearchProfile(
            requests=tuple(self._request(number, place) for number in range(len(self._requests))),
            encode_ms=_ms(self._encode_s),
            read_ms=1000 * self._read_s,
            rerank_ms=_ms(self._rerank_s.get(place)),
            total_ms=1000 * total,
            fusion=hits.fusion,
            fusion_reason=hits.fusion_reason,
        )

    def _request(self, number: int, place: int) -> ProfiledRequest:
        one = self._requests[number]
        response = one.response or {}
        answers = response.get("responses", [{}] * one.search.size)
        name = one.search.name
        return ProfiledRequest(
            path=f"/{name}/_{one.search.endpoint}",
            searches=tuple(
                sent.profiled(name, answer)
                for sent, answer in zip(one.search.sent, answers, strict=True)
                if sent.place in (None, place)
            ),
            took_ms=response.get("took"),
            answer_ms=_ms(one.answer_s),
            used=number >= self._before and number == len(self._requests) - 1,
        )


def _times_of(response: Mapping[str, Any]) -> dict[str, Any]:
    """Return the server's times of a response and of each of its parts."""
    rows = response.get("responses", [response])
    return {"took": response.get("took"), "responses": [{"took": row.get("took")} for row in rows]}


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else 1000 * seconds

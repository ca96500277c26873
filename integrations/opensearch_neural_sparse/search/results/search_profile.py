"""Profile of a search: what was sent for it, and how long each part took."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from opensearch_neural_sparse.short_repr import short_repr

Purpose = Literal["hits", "leg ranks", "aggregations", "other indices"]
"""Purpose of a search."""


@dataclass(frozen=True, kw_only=True)
class ProfiledSearch:
    """A search as it was sent: `client.search(index=index, params=params, body=body)` sends it again.

    Attributes:
        purpose: `hits`; `leg ranks` of hits that the server fused, for their explanation; `aggregations`; or `other
            indices`, which looks for indices that a name over several models or layouts has got since it was read.
        legs: Names of the legs that it searches: several where the server fuses them; none of a body of the caller's.
        index: The index, alias or pattern, or the indices of one model or layout, separated by commas.
        params: Its parameters: those of the URL, or of its header among several searches. The server's connection gets
            no other; a timeout is the client's.
        body: Its body, as it was sent: it holds the text of the query, and the filter.
        took_ms: The server's own time for it in milliseconds; None where the server refused it, or gave no answer.
    """

    purpose: Purpose
    legs: tuple[str, ...] = ()
    index: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict, repr=False)
    took_ms: int | None = None

    __repr__ = short_repr


@dataclass(frozen=True, kw_only=True)
class ProfiledRequest:
    """A request with one search or several.

    Attributes:
        path: Path of its URL; `_msearch` is one of several searches, which run side by side.
        searches: Its searches for one query: of `search_many` not those for other queries.
        took_ms: The server's own time for all of it in milliseconds, those for other queries included; None where the
            server refused it as a whole, or gave no answer.
        answer_ms: The client's time from sending it to its answer in milliseconds, waiting and retries of the client
            included; None without an answer.
        used: Whether the hits are of its answer. Others were sent before it, while the index behind the name changed,
            or lacked a shard or a plugin.
    """

    path: str
    searches: tuple[ProfiledSearch, ...] = field(default=(), repr=False)
    took_ms: int | None = None
    answer_ms: float | None = None
    used: bool = True

    __repr__ = short_repr


@dataclass(frozen=True, kw_only=True)
class SearchProfile:
    """Profile of a search: what it sent, and how long each part took; `SearchOptions(profile=True)` asks for it.

    It holds the text of the query and the filter, in bodies; its representation shows neither, and no log line and no
    span holds it. The server is not asked for a profile of its own (`"profile": true` in a body), because OpenSearch
    2.19 fails at it in a hybrid query.

    Times are in milliseconds. Those of the client, all but `took_ms`, do not overlap; `other_ms` is what they leave of
    `total_ms`.

    Attributes:
        requests: The requests that search, in the order in which they were sent; those that read the index, the server
            or a model are not among them. None where the query has no token to search for.
        encode_ms: Time to encode the query here, loading of a model and dense embedders included; None where nothing
            was encoded here. The queries of `search_many` are encoded together.
        read_ms: Time to read the answers, and to fuse legs or groups here.
        rerank_ms: Time of the reranker; None where nothing was reranked.
        total_ms: Time from the call to the hits; that of `search_many` is of all its queries.
        fusion: Who fused legs and how: `SearchHits.fusion`.
        fusion_reason: Why the client fused them, or None.
    """

    requests: tuple[ProfiledRequest, ...] = ()
    encode_ms: float | None = None
    read_ms: float = 0.0
    rerank_ms: float | None = None
    total_ms: float = 0.0
    fusion: str | None = None
    fusion_reason: str | None = None

    __repr__ = short_repr

    @property
    def searches(self) -> tuple[ProfiledSearch, ...]:
        """The searches of the request that the hits are of."""
        return tuple(search for request in self.requests if request.used for search in request.searches)

    @property
    def other_ms(self) -> float:
        """Time of no part: reading of index and server that were not known yet, checks, and refused requests."""
        answers = sum(request.answer_ms or 0.0 for request in self.requests)
        return self.total_ms - answers - (self.encode_ms or 0.0) - self.read_ms - (self.rerank_ms or 0.0)

    def to_dict(self) -> dict[str, Any]:
        """Return the profile as plain values, with the bodies."""
        return asdict(self)

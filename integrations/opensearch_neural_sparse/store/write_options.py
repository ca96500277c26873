"""Options of writes, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Literal

from opensearch_neural_sparse.arguments import check_count, check_flag, check_number, check_text, check_type
from opensearch_neural_sparse.error_reasons import shown_value
from opensearch_neural_sparse.index.bulk.actions import BulkOperation, BulkOperationLike
from opensearch_neural_sparse.index.documents.document import check_routing
from opensearch_neural_sparse.search.options.search_options import HybridOptions
from opensearch_neural_sparse.short_repr import short_repr

__all__ = ["HybridOptions", "Refresh", "WriteOptions"]

Refresh = bool | Literal["wait_for"]
_MOST_DOUBLINGS = 64


@dataclass(frozen=True, kw_only=True)
class WriteOptions:
    """Options of a write.

    Attributes:
        batch_size: Documents of a bulk request, and texts handed to the encoder at once.
        batch_bytes: Size above which a bulk request is not grown further; one larger document travels alone. The texts
            handed to the encoder at once have as many characters at most.
        in_flight: Bulk requests that are under way at once, while one more waits, ready, and the next one is encoded.
            Four keep a small server at work while answers are read and requests travel; 2 is enough where encoding
            takes the time. A batch waits for those before it that hold one of its ids, so the last of several documents
            of one id stands.
        refresh: True makes what was written searchable before the write returns, by one refresh at its end;
            `wait_for` waits for the index's own refresh (up to a second for each batch, and for ever where
            `refresh_interval` is -1); False does neither, which is right for many small writes.
        operation: `index` replaces documents of the same id, `create` fails on them. Where a connection breaks, the
            request is sent again, and documents are looked up that `create` meets then: those that this very write made
            are written.
        exact_weights: Whether to store weights whole. By default they are stored as the shortest decimals that score
            alike, which makes requests and `_source` smaller by more than half.
        routing: What the shard of every document is chosen by that has no routing of its own, in place of its id; None
            leaves it to the id. Whoever reads, changes or deletes such a document by its id names the same.
        encode: Whether texts without a vector are encoded; else such documents are written without one.
        pipeline: Ingest pipeline. `_none` keeps an index's default pipeline from encoding texts again; None lets it.
        max_retries: How often documents are sent again that the server had no room for. No retry begins once a batch
            has taken `request_timeout` and the longest pauses before its retries together.
        initial_backoff: Seconds before the first of these retries; doubled for each further one, with jitter.
        max_backoff: Most seconds between retries.
        request_timeout: Seconds that a bulk request may take, to the end of its answer; None is the client's own
            `timeout`.
    """

    batch_size: int = 200
    batch_bytes: int = 8 * 1024 * 1024
    in_flight: int = 4
    refresh: Refresh = True
    operation: BulkOperationLike = BulkOperation.INDEX
    exact_weights: bool = False
    routing: str | None = None
    encode: bool = True
    pipeline: str | None = "_none"
    max_retries: int = 6
    initial_backoff: float = 0.5
    max_backoff: float = 30.0
    request_timeout: float | None = 120.0

    __repr__ = short_repr

    def __post_init__(self) -> None:
        object.__setattr__(self, "operation", BulkOperation(self.operation))
        check_routing(self.routing)
        check_count(1, batch_size=self.batch_size, batch_bytes=self.batch_bytes, in_flight=self.in_flight)
        check_count(0, max_retries=self.max_retries)
        check_number(0, initial_backoff=self.initial_backoff, max_backoff=self.max_backoff)
        check_number(optional=True, request_timeout=self.request_timeout)
        check_flag(exact_weights=self.exact_weights, encode=self.encode)
        check_text(optional=True, pipeline=self.pipeline)
        check_type((bool, str), refresh=self.refresh)
        if self.request_timeout is not None and not 0 < self.request_timeout < inf:
            raise ValueError(
                f"request_timeout is above 0 seconds and finite, or None, got {shown_value(self.request_timeout)}."
            )
        if self.refresh not in (True, False, "wait_for"):
            raise ValueError(f"refresh is True, False or 'wait_for', got {shown_value(self.refresh)}.")

    def backoff(self, attempt: int) -> float:
        """Return the longest pause, in seconds, before retry number `attempt`, counted from 0.

        Args:
            attempt: Number of the retry.
        """
        check_count(0, attempt=attempt)
        return min(self.max_backoff, self.initial_backoff * 2.0 ** min(attempt, _MOST_DOUBLINGS))

    @property
    def retry_seconds(self) -> float:
        """Seconds after the beginning of a batch in which a retry of it begins."""
        return (self.request_timeout or 0.0) + sum(map(self.backoff, range(self.max_retries)))


DEFAULT_WRITE = WriteOptions()

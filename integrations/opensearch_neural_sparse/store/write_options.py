"""Options of writes, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from opensearch_neural_sparse.index.bulk.actions import BulkOperation, BulkOperationLike
from opensearch_neural_sparse.search.options.search_options import HybridOptions

__all__ = ["HybridOptions", "Refresh", "WriteOptions"]

Refresh = bool | Literal["wait_for"]


@dataclass(frozen=True, kw_only=True)
class WriteOptions:
    """Options of a write.

    Attributes:
        batch_size: Documents of a bulk request, and texts handed to the encoder at once.
        batch_bytes: Size above which a bulk request is not grown further; one larger document travels alone.
        in_flight: Bulk requests that are under way at once, while one more waits, ready, and the next one is encoded.
            Four keep a small server at work while answers are read and requests travel; 2 is enough where encoding
            takes the time. A batch waits for those before it that hold one of its ids, so the last of several documents
            of one id stands.
        refresh: True makes what was written searchable before the write returns, by one refresh at its end;
            `wait_for` waits for the index's own refresh (up to a second for each batch, and for ever where
            `refresh_interval` is -1); False does neither, which is right for many small writes.
        operation: `index` replaces documents of the same id, `create` fails on them. Where a connection breaks, the
            client sends a request again, and `create` may then fail on a document that this very write made.
        exact_weights: Whether to store weights whole. By default they are stored as the shortest decimals that score
            alike, which makes requests and `_source` smaller by more than half.
        routing: What the shard of every document is chosen by that has no routing of its own, in place of its id; None
            leaves it to the id. Whoever reads, changes or deletes such a document by its id names the same.
        encode: Whether texts without a vector are encoded; else such documents are written without one.
        pipeline: Ingest pipeline. `_none` keeps an index's default pipeline from encoding texts again; None lets it.
        max_retries: How often documents are sent again that the server had no room for.
        initial_backoff: Seconds before the first of these retries; doubled for each further one, with jitter.
        max_backoff: Most seconds between retries.
        request_timeout: Seconds to wait for the answer to a bulk request.
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
    request_timeout: float = 120.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "operation", BulkOperation(self.operation))
        if self.batch_size < 1 or self.batch_bytes < 1:
            raise ValueError(f"A batch has at least one document and byte, got {self.batch_size}, {self.batch_bytes}.")
        if self.in_flight < 1:
            raise ValueError(f"At least one bulk request is in flight, got in_flight={self.in_flight}.")
        if self.refresh not in (True, False, "wait_for"):
            raise ValueError(f"refresh is True, False or 'wait_for', got {self.refresh!r}.")

    def backoff(self, attempt: int) -> float:
        """Return the longest pause, in seconds, before retry number `attempt`, counted from 0.

        Args:
            attempt: Number of the retry.
        """
        return min(self.max_backoff, self.initial_backoff * 2.0**attempt)


DEFAULT_WRITE = WriteOptions()

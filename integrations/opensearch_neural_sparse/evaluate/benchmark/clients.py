"""Measure requests of many clients at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from opensearch_neural_sparse.evaluate.metrics.flops import quantile
from opensearch_neural_sparse.index.documents.document import SparseDocument
from opensearch_neural_sparse.store._sync.store import NeuralSparseStore
from opensearch_neural_sparse.store.write_options import WriteOptions

BULK = "bulk"
DOCUMENTS_PER_REQUEST = 100
REQUESTS_PER_CLIENT = 20
"""Fewest requests of each client, so that all of them are under way for most of the time."""


@dataclass(frozen=True, kw_only=True)
class Throughput:
    """Requests of many clients.

    Attributes:
        p50_ms: Median of a request, in milliseconds.
        p99_ms: Their 99th percentile.
        per_second: How many were answered in a second; of bulk requests, documents.
    """

    p50_ms: float
    p99_ms: float
    per_second: float


def time_searches(search: Callable[[str], object], queries: Sequence[str], clients: int) -> Throughput:
    """Measure searches that clients send one after the other, each without a pause.

    Args:
        search: Sends one.
        queries: Texts, taken in turns.
        clients: How many threads search at once.
    """
    rounds = -(-clients * REQUESTS_PER_CLIENT // len(queries))
    return time_calls(search, [text for _ in range(rounds) for text in queries], clients)


def time_bulk(store: NeuralSparseStore, documents: Sequence[SparseDocument], clients: int) -> Throughput:
    """Measure bulk requests of encoded documents, which replace those of the same ids.

    Args:
        store: The store.
        documents: Documents with vectors.
        clients: How many threads write at once.
    """
    options = WriteOptions(refresh=False, in_flight=1, batch_size=DOCUMENTS_PER_REQUEST)
    parts = [
        documents[start : start + DOCUMENTS_PER_REQUEST] for start in range(0, len(documents), DOCUMENTS_PER_REQUEST)
    ]
    rounds = -(-clients * 2 // len(parts))
    found = time_calls(lambda part: store.write(part, options=options), parts * rounds, clients)
    return Throughput(
        p50_ms=found.p50_ms, p99_ms=found.p99_ms, per_second=found.per_second * len(documents) / len(parts)
    )


def time_calls(call: Callable[[Any], object], arguments: Sequence[Any], clients: int) -> Throughput:
    """Measure calls that threads make, each of them the next one as soon as it has its answer.

    Args:
        call: Called with each argument once.
        arguments: The arguments.
        clients: How many threads call at once.
    """

    def timed(argument: Any) -> float:
        began = perf_counter()
        call(argument)
        return perf_counter() - began

    with ThreadPoolExecutor(clients, "client") as pool:
        list(pool.map(call, arguments[:clients]))  # opens the connections
        began = perf_counter()
        seconds = list(pool.map(timed, arguments))
        whole = perf_counter() - began
    times = [1000 * value for value in seconds]
    return Throughput(p50_ms=quantile(times, 0.5), p99_ms=quantile(times, 0.99), per_second=len(times) / whole)

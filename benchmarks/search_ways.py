"""The ways of searching that are compared, the indices that they need, and what is measured of each."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from benchmarks.encoded import MODEL, SIZE
from benchmarks.report import percentile, time_interleaved
from opensearch_neural_sparse import (
    FieldType,
    IndexSchema,
    NeuralSparseStore,
    SearchHits,
    SearchOptions,
    SeismicParameters,
    SeismicSearch,
    TwoPhase,
)

WARM_UP = 60
SETTINGS = {"number_of_shards": 1, "number_of_replicas": 0, "refresh_interval": "-1"}
SERVER_SETTINGS: Mapping[str, str | int | bool] = {
    "plugins.neural_search.circuit_breaker.limit": "50%",  # of the heap, for approximate indices; the server's is 10 %
    "plugins.neural_search.sparse.algo_param.index_thread_qty": 2,
    "plugins.neural_search.stats_enabled": True,
}
EXACT_WAYS = {"exact": SearchOptions(), "two_phase": SearchOptions(two_phase=TwoPhase())}
SEISMIC_WAYS = {
    "seismic": SearchOptions(),
    "seismic_top_5": SearchOptions(seismic=SeismicSearch(top_n=5)),
    "seismic_heap_2": SearchOptions(seismic=SeismicSearch(heap_factor=2)),
    "seismic_heap_5": SearchOptions(seismic=SeismicSearch(heap_factor=5)),
    "seismic_heap_20": SearchOptions(seismic=SeismicSearch(heap_factor=20)),
    "seismic_heap_20_all": SearchOptions(seismic=SeismicSearch(heap_factor=20, top_n=100)),
}
Query = Mapping[str, float]
Search = Callable[[Query], SearchHits]
_Answer = TypeVar("_Answer")
_Question = TypeVar("_Question")


def stores(url: str, name: str, threshold: int) -> dict[str, NeuralSparseStore]:
    """Return the stores of an exact index and of one that is approximate in segments of `threshold` documents."""
    exact = IndexSchema(metadata_fields={"number": {"type": "integer"}})
    parameters = SeismicParameters(approximate_threshold=threshold)
    schemas = {"exact": exact, "seismic": replace(exact, field_type=FieldType.SPARSE_VECTOR, seismic=parameters)}
    return {
        kind: NeuralSparseStore(
            f"{name}-{kind}", url=url, model=MODEL, schema=schema, client_options={"timeout": 7200, "max_retries": 0}
        )
        for kind, schema in schemas.items()
    }


def merge(store: NeuralSparseStore) -> None:
    """Merge an index to one segment, and have all of it searchable."""
    store.refresh()
    store.force_merge(timeout=7200)
    store.refresh()


def all_ways(pair: Mapping[str, NeuralSparseStore], filter: Any = None) -> dict[str, Search]:  # noqa: A002
    """Return every way of searching, by name."""

    def search_by(store: NeuralSparseStore, options: SearchOptions) -> Search:
        return lambda query: store.search(query, size=SIZE, filter=filter, options=options)

    by_kind = {"exact": EXACT_WAYS, "seismic": SEISMIC_WAYS}
    return {name: search_by(pair[kind], options) for kind in pair for name, options in by_kind[kind].items()}


def recall(found: Iterable[str], expected: Iterable[str]) -> float:
    """Return the share of the expected ids that were found; 1 where nothing is expected."""
    wanted = set(expected)
    return len(wanted & set(found)) / len(wanted) if wanted else 1.0


def mean_recalls(ways: Mapping[str, Search], queries: Iterable[Query]) -> dict[str, float]:
    """Return each way's mean recall of what `exact` finds."""
    shares: dict[str, list[float]] = {name: [] for name in ways}
    for query in queries:
        found = {name: [hit.id for hit in search(query)] for name, search in ways.items()}
        for name in ways:
            shares[name].append(recall(found[name], found["exact"]))
    return {name: round(statistics.mean(values), 4) for name, values in shares.items()}


def latencies(ways: Mapping[str, Search], queries: Sequence[Query], rounds: int) -> dict[str, dict[str, float]]:
    """Return the milliseconds of every way."""
    return {name: milliseconds(seconds) for name, seconds in time_searches(ways, queries, rounds).items()}


def time_searches(
    ways: Mapping[str, Callable[[_Question], object]], queries: Sequence[_Question], rounds: int
) -> dict[str, list[float]]:
    """Return the seconds of every way; all are asked the same queries, but no two the same one in the same round.

    The second to ask would find the postings in the processor's caches.
    """
    calls = {}
    for number, (name, search) in enumerate(ways.items()):
        start = number * len(queries) // len(ways)
        calls[name] = asked(search, [*queries[start:], *queries[:start]])
    time_interleaved(calls, rounds=WARM_UP)
    return time_interleaved(calls, rounds=rounds)


def asked(search: Callable[[_Question], _Answer], queries: Iterable[_Question]) -> Callable[[], _Answer]:
    """Return a call that searches by the next query each time, and begins anew after the last."""
    waiting = itertools.cycle(queries)
    return lambda: search(next(waiting))


def milliseconds(seconds: Sequence[float]) -> dict[str, float]:
    """Return milliseconds at the median, at the 99th percentile and, least disturbed by other programs, at the 10th."""
    return {
        "p10_ms": round(1000 * percentile(seconds, 0.1), 2),
        "p50_ms": round(1000 * statistics.median(seconds), 2),
        "p99_ms": round(1000 * percentile(seconds, 0.99), 2),
    }

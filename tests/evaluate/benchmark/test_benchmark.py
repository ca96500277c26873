from __future__ import annotations

import time

import pytest

from opensearch_neural_sparse.evaluate.benchmark.benchmark import Latency, measure_speed, time_in_turns
from opensearch_neural_sparse.evaluate.benchmark.sample import sample_collection
from opensearch_neural_sparse.evaluate.experiments.encoded_collection import ignore_progress
from tests.evaluate.collections import DOCUMENTS, SENTENCES
from tests.paths import SMALL_MODEL

pytestmark = pytest.mark.newest_server

SAMPLE = sample_collection(SENTENCES, len(DOCUMENTS))


def test_everything_is_measured_and_the_index_is_deleted(client) -> None:
    before = set(client.indices.get(index="bench-*"))
    told: list[tuple[str, int, int]] = []
    speed = measure_speed(client, SMALL_MODEL, SAMPLE, rounds=2, progress=lambda *news: told.append(news))
    assert (speed.documents, set(speed.latencies)) == (6, {"query encoding", "bm25 english", "sparse", "hybrid rrf"})
    assert speed.document_tokens > 10
    assert min(speed.encoded_per_second, speed.written_per_second, speed.index_bytes) > 0
    assert all(0 < latency.p50_ms <= latency.p99_ms for latency in speed.latencies.values())
    assert told == [("encoding and writing", 1, 2), ("encoding and writing", 2, 2), *_searches(12)]
    assert set(client.indices.get(index="bench-*")) <= before


def _searches(count: int) -> list[tuple[str, int, int]]:
    return [("searching", done, count) for done in range(1, count + 1)]


def test_the_index_is_deleted_when_the_work_is_broken_off(client) -> None:
    before = set(client.indices.get(index="bench-*"))

    def stop(what: str, done: int, total: int) -> None:
        assert set(client.indices.get(index="bench-*")) - before
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure_speed(client, SMALL_MODEL, SAMPLE, rounds=2, progress=stop)
    assert set(client.indices.get(index="bench-*")) <= before


def test_what_is_timed_takes_turns() -> None:
    called: list[str] = []
    calls = {"quick": lambda _: called.append("quick"), "slow": lambda _: (called.append("slow"), time.sleep(0.002))}
    seconds = time_in_turns(calls, ["a", "b"], 3, ignore_progress)
    assert {name: len(values) for name, values in seconds.items()} == {"quick": 6, "slow": 6}
    assert min(seconds["slow"]) >= 0.002
    rounds = called[4:]  # after the warm-up
    assert all(set(rounds[start : start + 2]) == {"quick", "slow"} for start in range(0, 12, 2))


def test_a_latency_is_in_milliseconds() -> None:
    assert Latency.of([0.001] * 98 + [0.5, 0.7]) == Latency(p50_ms=1.0, p99_ms=500.0)

from __future__ import annotations

import threading
import time

from opensearch_neural_sparse.evaluate.benchmark.clients import REQUESTS_PER_CLIENT, time_calls, time_searches


def test_calls_are_made_by_all_clients_at_once() -> None:
    together = threading.Barrier(4, timeout=10)
    seen: list[int] = []

    def call(argument: int) -> None:
        together.wait()
        seen.append(argument)
        time.sleep(0.002)

    found = time_calls(call, range(12), 4)
    assert sorted(seen) == sorted([*range(4), *range(12)])
    assert 2 <= found.p50_ms <= found.p99_ms
    assert found.per_second > 0


def test_each_client_searches_often_enough() -> None:
    seen: list[str] = []
    time_searches(seen.append, ["a", "b", "c"], 5)
    assert len(seen) >= 5 * REQUESTS_PER_CLIENT
    assert seen.count("a") - seen.count("c") <= 2

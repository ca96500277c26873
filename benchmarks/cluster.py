"""A cluster of three nodes against one node, both on this machine, in turns.

    python -m benchmarks.cluster [DOCUMENTS] [ROUNDS] [CLIENTS]

Documents with vectors of 140 tokens are loaded into an index of three shards without replicas, and searched by so many
clients, once by each server a round. The nodes share the cores of this machine: what is measured is what a cluster
costs, not what it gains. `load_ratio` and `search_ratio` are documents and searches a second of the cluster over those
of the one node, with the 95 % interval of a bootstrap over the rounds.
"""

from __future__ import annotations

import itertools
import random
import sys
import tempfile
import time
import uuid
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks.ingest_scaling import MODEL, OPTIONS, WORDS, check, documents, pool
from benchmarks.report import note, print_report, ratio_of_medians
from opensearch_neural_sparse import Load, NeuralSparseStore, SparseVector
from opensearch_neural_sparse.devserver import DevServer
from opensearch_neural_sparse.evaluate.benchmark.clients import Throughput, time_calls

SETTINGS = {"number_of_shards": 3, "number_of_replicas": 0, "refresh_interval": "-1"}
SERVERS = {"one": "plain", "three": "cluster"}
SEARCHES = 400
HEAP = {"one": "1536m", "three": "512m"}
"""Heap of a node: that of all nodes of either server is the same."""


def measure(server: DevServer, parts: Sequence[tuple[str, SparseVector]], count: int, clients: int) -> dict[str, Any]:
    """Load and search once."""
    chance = random.Random(3)
    queries = [SparseVector(dict.fromkeys(chance.sample(WORDS, 8), 1.0)) for _ in range(SEARCHES)]
    with (
        tempfile.TemporaryDirectory() as folder,
        NeuralSparseStore(f"cluster-{uuid.uuid4().hex[:12]}", url=server.url, model=MODEL) as store,
    ):
        store.create(settings=SETTINGS)
        start = time.perf_counter()
        report = store.ingest(Load(documents(parts, count), journal=Path(folder, "journal")), options=OPTIONS)
        rate = count / (time.perf_counter() - start)
        check(store, report.written, count)
        store.force_merge()
        found: Throughput = time_calls(lambda query: store.search(query, size=10), queries, clients)
        store.delete_index()
    return {
        "loaded": round(rate),
        "searched": round(found.per_second, 1),
        "p50_ms": round(found.p50_ms, 1),
        "p99_ms": round(found.p99_ms, 1),
    }


def main(count: int = 20_000, rounds: int = 5, clients: int = 8) -> None:
    """Measure both servers in turns and print the ratios."""
    parts, chance = pool(), random.Random(0)
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in SERVERS}
    with ExitStack() as stack:
        servers = {
            name: stack.enter_context(DevServer.running(own=True, profile=profile, heap=HEAP[name]))  # type: ignore[arg-type]
            for name, profile in SERVERS.items()
        }
        for server in servers.values():
            measure(server, parts, 2000, clients)  # warms it up
        for _, name in itertools.product(range(rounds), chance.sample(list(SERVERS), len(SERVERS))):
            found[name].append(measure(servers[name], parts, count, clients))
            note(f"{name}: {found[name][-1]}")
    ratios: dict[str, float] = {}
    for key, prefix in (("loaded", "load_ratio"), ("searched", "search_ratio")):
        one, three = ([each[key] for each in found[name]] for name in SERVERS)
        ratios |= ratio_of_medians(three, one, prefix)
    print_report({**found, **ratios, "documents": count, "rounds": rounds, "clients": clients})


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))

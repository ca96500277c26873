"""Approximate search (SEISMIC) and two-phase search beside exact search, by number of documents.

    python -m benchmarks.search_scaling [--documents 10000 100000] [--heap 2g] [--keep] [--exact-only]

For each number, so many synthetic documents are written to an index of either kind, and merged to one segment. Ways
take turns within one run; a query's recall is the share of the ten hits of exact search that a way finds. A server is
started for it, or the one that OPENSEARCH_URL names is used; `--keep` leaves the indices there and searches those that
are left. `--exact-only` leaves approximate search out, whose index takes by far the longest to build.
"""

from __future__ import annotations

import argparse
import itertools
import json
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.encoded import MODEL
from benchmarks.report import note, print_report
from benchmarks.search_ways import (
    SERVER_SETTINGS,
    SETTINGS,
    Query,
    all_ways,
    latencies,
    mean_recalls,
    merge,
    stores,
)
from benchmarks.synthetic import Entries, SyntheticVectors
from opensearch_neural_sparse import NeuralSparseStore, SparseTokenizer
from opensearch_neural_sparse.devserver import DevServer

FIRST_WORD = 1000
"""Token ids below are special, unused and punctuation; from here on the frequent words come first."""
ROUNDS, BULK, THREADS = 400, 1000, 2
FILTERED_SHARES = (0.25, 0.005)
TOLD_EVERY = 50_000


def lines(documents: Iterable[Entries], keys: Sequence[str]) -> Iterator[bytes]:
    """Yield the lines of a bulk request for each document; `keys` holds the key of each rank, as JSON."""
    weights = [f":{hundredths / 100:g}" for hundredths in range(1000)]
    for number, (ranks, hundredths) in enumerate(documents):
        vector = ",".join([keys[rank] + weights[weight] for rank, weight in zip(ranks, hundredths, strict=True)])
        source = f'{{"id":"{number}","number":{number},"sparse_vector":{{{vector}}}}}'
        yield f'{{"index":{{"_id":"{number}"}}}}\n{source}\n'.encode()


def write(store: NeuralSparseStore, documents: Iterator[bytes]) -> dict[str, Any]:
    """Write documents, merge them, and return the seconds of either and what became of the index."""
    began = time.perf_counter()
    with ThreadPoolExecutor(THREADS) as pool:
        written = 0
        while batches := [batch for _ in range(THREADS) if (batch := list(itertools.islice(documents, BULK)))]:
            written += sum(pool.map(lambda batch: send(store, batch), batches))
            if written % TOLD_EVERY == 0:
                note(f"{store.index}: {written} after {time.perf_counter() - began:.0f} s")
    middle = time.perf_counter()
    merge(store)
    seconds = {"write_s": round(middle - began, 1), "merge_s": round(time.perf_counter() - middle, 1)}
    return seconds | index_size(store)


def send(store: NeuralSparseStore, batch: Sequence[bytes]) -> int:
    """Send documents in one request and return how many they were."""
    if store.client().bulk(body=b"".join(batch), index=store.index)["errors"]:
        raise SystemExit("The server refused documents; there is nothing to measure.")
    return len(batch)


def index_size(store: NeuralSparseStore) -> dict[str, float]:
    """Return megabytes and segments of an index."""
    stats = store.client().indices.stats(index=store.index, metric="store,segments")["_all"]["primaries"]
    return {
        "megabytes": round(stats["store"]["size_in_bytes"] / 1e6, 1),
        "segments": stats["segments"]["count"],
    }


def measure(url: str, count: int, rounds: int, *, keep: bool, exact_only: bool) -> dict[str, Any]:
    """Index synthetic documents in both kinds, and return what was measured."""
    pair = stores(url, f"scaling-{count}", max(1, count * 3 // 4))
    if exact_only:
        del pair["seismic"]
    words = SparseTokenizer.from_file(MODEL / "document_0_MLMTransformer" / "tokenizer.json").tokens[FIRST_WORD:]
    keys = {
        "exact": [json.dumps(word) for word in words],
        "seismic": [f'"{FIRST_WORD + r}"' for r in range(len(words))],
    }
    vectors = SyntheticVectors(len(words))
    result: dict[str, Any] = {"documents": count}
    for kind, store in pair.items():
        if keep and store.client().indices.exists(index=store.index):
            result[kind] = index_size(store)
            continue
        store.create(settings=SETTINGS)
        result[kind] = write(store, lines(vectors.documents(count), keys[kind]))
        note(json.dumps({store.index: result[kind]}))
    queries = [{words[rank]: weight for rank, weight in query.items()} for query in vectors.queries(rounds)]
    if (approximate := pair.get("seismic")) is not None:
        approximate.warm_up()
        result["seismic"]["memory"] = memory(approximate)
    result["searched"] = search(pair, queries, count, rounds)
    for store in pair.values():
        if not keep:
            store.delete_index()
        store.close()
    return result


def search(pair: Mapping[str, NeuralSparseStore], queries: Sequence[Query], count: int, rounds: int) -> dict[str, Any]:
    """Return recall and latency of every way, without a filter and with filters that pass a share of the documents."""
    result: dict[str, Any] = {}
    filters: dict[str, Any] = {"all": None}
    filters |= {f"{share:.1%}": {"range": {"number": {"lt": int(share * count)}}} for share in FILTERED_SHARES}
    for name, clause in filters.items():
        ways, part = all_ways(pair, clause), 1 if clause is None else 4
        found = {
            "recall_at_10": mean_recalls(ways, queries[: rounds // (2 * part)]),
            "latency": latencies(ways, queries, rounds // part),
        }
        result[name] = found
        note(json.dumps({name: found}))
    return result


def memory(store: NeuralSparseStore) -> list[Any]:
    """Return what each node says about the memory of its approximate indices, in kilobytes."""
    stats = store.client().transport.perform_request("GET", "/_plugins/_neural/stats")
    return [node.get("memory", {}).get("sparse") for node in stats.get("nodes", {}).values()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--heap", default="2g")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--exact-only", action="store_true")
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as home,
        DevServer.running(home=Path(home), ephemeral=True, heap=arguments.heap, settings=SERVER_SETTINGS) as server,
    ):
        how = {"keep": arguments.keep, "exact_only": arguments.exact_only}
        sizes = [measure(server.url, count, arguments.rounds, **how) for count in arguments.documents]
        print_report({"benchmark": "search_scaling", "server": server.version, "sizes": sizes})


if __name__ == "__main__":
    main()

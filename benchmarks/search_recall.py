"""Approximate search (SEISMIC) and two-phase search beside exact search on real text: recall and NDCG@10.

    python -m benchmarks.search_recall FOLDER ... [--rounds N]    a FOLDER is a collection of BEIR

The bundled model encodes a collection once; later runs read its vectors from a file. Its documents go to an index of
either kind, the approximate one with `approximate_threshold` 1. Recall is the share of the ten hits of exact search
that a way finds, under no filter and under filters that pass a share of the documents. Needs a server of 3.3 or later.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.encoded import MODEL, encode
from benchmarks.report import note, print_report
from benchmarks.search_ways import (
    SERVER_SETTINGS,
    SETTINGS,
    Query,
    Search,
    all_ways,
    latencies,
    mean_recalls,
    merge,
    stores,
)
from opensearch_neural_sparse import SparseDocument, SparseVector, WriteOptions, load_query_encoder
from opensearch_neural_sparse.devserver import DevServer
from opensearch_neural_sparse.evaluate.datasets.beir import Collection, read_collection
from opensearch_neural_sparse.evaluate.metrics.relevance import NDCG_AT_10, mean_metrics

ROUNDS = 200
FILTERS: dict[str, Any] = {"all": None} | {f"{share}%": {"range": {"number": {"lt": share}}} for share in (25, 2)}


def measure(collection: Collection, vectors: Mapping[str, SparseVector], url: str, rounds: int) -> dict[str, Any]:
    """Index a collection in both kinds, and return recall and NDCG@10 of each way."""
    pair = stores(url, f"recall-{collection.name}", 1)
    for store in pair.values():
        store.create(settings=SETTINGS)
        documents = (
            SparseDocument(id=key, text=text, metadata={"number": number % 100}, vector=vectors[key])
            for number, (key, text) in enumerate(collection.documents.items())
        )
        store.write(documents, options=WriteOptions(refresh=False))
        merge(store)
        note(f"{store.index} is written")
    pair["seismic"].warm_up()
    encoder = load_query_encoder(MODEL)
    queries: dict[str, Query] = {key: encoder.encode_query(text) for key, text in collection.queries.items()}
    found = {
        "documents": len(vectors),
        "queries": len(queries),
        "recall_at_10": {
            name: mean_recalls(all_ways(pair, clause), queries.values()) for name, clause in FILTERS.items()
        },
        "ndcg_at_10": {name: ndcg(collection, queries, search) for name, search in all_ways(pair).items()},
        "latency": latencies(all_ways(pair), list(queries.values()), rounds),
    }
    for store in pair.values():
        store.delete_index()
        store.close()
    return found


def ndcg(collection: Collection, queries: Mapping[str, Query], search: Search) -> float:
    """Return NDCG@10 of a way."""
    found = {key: {hit.id: hit.score for hit in search(query)} for key, query in queries.items()}
    return round(mean_metrics(collection.judgements, found)[NDCG_AT_10], 4)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    arguments = parser.parse_args()
    collections = [read_collection(folder) for folder in arguments.folders]
    vectors = [encode(collection, MODEL)[0] for collection in collections]
    with (
        tempfile.TemporaryDirectory() as home,
        DevServer.running(home=Path(home), ephemeral=True, settings=SERVER_SETTINGS) as server,
    ):
        results = {
            collection.name: measure(collection, of_collection, server.url, arguments.rounds)
            for collection, of_collection in zip(collections, vectors, strict=True)
        }
        print_report({"benchmark": "search_recall", "server": server.version, "collections": results})


if __name__ == "__main__":
    main()

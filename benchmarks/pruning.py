"""What pruning saves and costs on a judged collection: index size, active dimensions, latency, NDCG@10.

    python -m benchmarks.pruning FOLDER ... [--ratio 0.1] [--server 3.6.0 2.19.1]    a FOLDER is a collection of BEIR

Documents keep the tokens of at least `--ratio` times their heaviest (`max_ratio`), and so do queries where a way says
it. Ways take turns within one run. `vectors_mb` is what an index has beyond one of the same documents without vectors:
postings and `_source`. The bundled model encodes a collection once; later runs read its vectors from a file.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.relevance import MODEL, SIZE, encode
from benchmarks.report import note, print_report, ratio_of_medians, time_interleaved
from benchmarks.search_ways import asked, milliseconds
from opensearch_neural_sparse import (
    NeuralSparseStore,
    Prune,
    PruneType,
    SearchOptions,
    SparseDocument,
    SparseVector,
    WriteOptions,
    load_query_encoder,
)
from opensearch_neural_sparse.devserver import DevServer
from opensearch_neural_sparse.evaluate.collection import Collection, read_collection
from opensearch_neural_sparse.evaluate.metrics import NDCG_AT_10, mean_metrics

ROUNDS, WARM_UP = 300, 60
SETTINGS = {"number_of_shards": 1, "number_of_replicas": 0}
ORDERED = WriteOptions(in_flight=1, batch_size=500)
"""Batches one after another, so that equal scores come in the same order on every server."""
Ranking = list[tuple[str, float]]
Vectors = Mapping[str, SparseVector]


def prune_all(vectors: Vectors, rule: Prune) -> dict[str, SparseVector]:
    """Return every vector pruned."""
    return {name: rule(vector) for name, vector in vectors.items()}


def mean_length(vectors: Vectors) -> float:
    """Return the mean number of tokens."""
    return round(float(statistics.mean(map(len, vectors.values()))), 1)


def write(store: NeuralSparseStore, collection: Collection, vectors: Vectors) -> float:
    """Index a collection, merge it to one segment, and return the megabytes that it takes."""
    store.create(settings=SETTINGS)
    rows = (SparseDocument(id=key, text=text, vector=vectors[key]) for key, text in collection.documents.items())
    store.write(rows, options=ORDERED)
    client = store.client()
    client.indices.forcemerge(index=store.index, max_num_segments=1)
    client.indices.refresh(index=store.index)
    stats = client.indices.stats(index=store.index, metric="store")
    return round(int(stats["_all"]["primaries"]["store"]["size_in_bytes"]) / 1e6, 2)


def measure(collection: Collection, vectors: Vectors, rule: Prune, url: str, rounds: int) -> dict[str, Any]:
    """Index the collection without vectors, with whole ones and with pruned ones, and return what each way gives."""
    kinds = {"none": dict.fromkeys(vectors, SparseVector({})), "whole": vectors, "pruned": prune_all(vectors, rule)}
    stores = {kind: NeuralSparseStore(f"pruning-{collection.name}-{kind}", url=url, model=MODEL) for kind in kinds}
    sizes = {kind: write(store, collection, kinds[kind]) for kind, store in stores.items()}
    encoder = load_query_encoder(MODEL)
    queries = {key: encoder.encode_query(text) for key, text in collection.queries.items()}
    options = {"whole": SearchOptions(), "pruned": SearchOptions(prune=rule)}
    ways: dict[str, Callable[[SparseVector], Ranking]] = {
        f"{documents}_documents_{asked}_queries": search_by(stores[documents], options[asked])
        for documents in ("whole", "pruned")
        for asked in ("whole", "pruned")
    }
    rankings = {way: {key: search(vector) for key, vector in queries.items()} for way, search in ways.items()}
    seconds = time_ways(ways, list(queries.values()), rounds)
    for store in stores.values():
        store.delete_index()
        store.close()
    return {
        "megabytes": {kind: sizes[kind] for kind in ("whole", "pruned")},
        "vectors_mb": {kind: round(sizes[kind] - sizes["none"], 2) for kind in ("whole", "pruned")},
        "document_tokens": {kind: mean_length(kinds[kind]) for kind in ("whole", "pruned")},
        "query_tokens": {"whole": mean_length(queries), "pruned": mean_length(prune_all(queries, rule))},
        "ways": {way: summary(collection, rankings[way], seconds[way]) for way in ways},
        "rankings": rankings,
        **ratio_of_medians(seconds["whole_documents_whole_queries"], seconds["pruned_documents_whole_queries"]),
    }


def search_by(store: NeuralSparseStore, options: SearchOptions) -> Callable[[SparseVector], Ranking]:
    """Return a search by one way."""
    return lambda vector: [(hit.id, hit.score) for hit in store.search(vector, size=SIZE, options=options)]


def time_ways(
    ways: Mapping[str, Callable[[SparseVector], Ranking]], queries: Sequence[SparseVector], rounds: int
) -> dict[str, list[float]]:
    """Return the seconds of each way, all of which are asked the same queries in turn."""
    calls = {way: asked(search, queries) for way, search in ways.items()}
    time_interleaved(calls, rounds=WARM_UP)
    return time_interleaved(calls, rounds=rounds)


def summary(collection: Collection, ranking: Mapping[str, Ranking], seconds: Sequence[float]) -> dict[str, float]:
    """Return NDCG@10 and milliseconds of a way."""
    found = {query: dict(hits) for query, hits in ranking.items()}
    return {
        "ndcg_at_10": round(mean_metrics(collection.judgements, found)[NDCG_AT_10], 4),
        **milliseconds(seconds),
    }


def equal_share(first: Mapping[str, Any], second: Mapping[str, Any]) -> float:
    """Return the share of rankings, over all ways and queries, that are the same to the last id and score."""
    same = [ranking == second[way][query] for way, found in first.items() for query, ranking in found.items()]
    return round(sum(same) / len(same), 4)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--ratio", type=float, default=0.1)
    parser.add_argument("--server", nargs="+", default=["3.6.0", "2.19.1"])
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    arguments = parser.parse_args()
    rule = Prune(type=PruneType.MAX_RATIO, ratio=arguments.ratio)
    collections = {collection.name: collection for collection in map(read_collection, arguments.folders)}
    vectors = {name: encode(collection, MODEL)[0] for name, collection in collections.items()}
    results: dict[str, dict[str, Any]] = {name: {} for name in collections}
    for version in arguments.server:
        with (
            tempfile.TemporaryDirectory() as home,
            DevServer.running(own=True, version=version, home=Path(home), ephemeral=True) as server,
        ):
            for name, collection in collections.items():
                note(f"{name} on {version}")
                found = measure(collection, vectors[name], rule, server.url, arguments.rounds)
                results[name][version] = found
    for found in results.values():
        rankings = [by_server.pop("rankings") for by_server in found.values()]
        found["equal_rankings"] = min((equal_share(rankings[0], other) for other in rankings[1:]), default=1.0)
    print_report({"benchmark": "pruning", "ratio": arguments.ratio, "collections": results})


if __name__ == "__main__":
    main()

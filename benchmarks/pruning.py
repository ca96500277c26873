"""What pruning saves and costs on a judged collection: index size, active dimensions, latency, NDCG@10.

    python -m benchmarks.pruning FOLDER ... [--ratio 0.1 ...] [--server 3.6.0 ...]    a FOLDER is a collection of BEIR

Documents, or in other ways queries, keep the tokens of at least `--ratio` times their heaviest (`max_ratio`). Ways take
turns within one run. `vectors_mb` is what an index has beyond one of the same documents without vectors:
postings and `_source`. The bundled model encodes a collection once; later runs read its vectors from a file.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.encoded import MODEL, SIZE, encode
from benchmarks.report import note, print_report
from benchmarks.search_ways import merge, milliseconds, time_searches
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
from opensearch_neural_sparse.evaluate.datasets.beir import Collection, read_collection
from opensearch_neural_sparse.evaluate.metrics.relevance import NDCG_AT_10, mean_metrics

ROUNDS = 300
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
    merge(store)
    stats = store.client().indices.stats(index=store.index, metric="store")
    return round(int(stats["_all"]["primaries"]["store"]["size_in_bytes"]) / 1e6, 2)


def measure(
    collection: Collection, vectors: Vectors, rules: Mapping[str, Prune], url: str, rounds: int
) -> dict[str, Any]:
    """Index the collection whole and by every rule, and return what each way of searching gives."""
    kinds = {"whole": vectors} | {name: prune_all(vectors, rule) for name, rule in rules.items()}
    stores = {kind: NeuralSparseStore(f"pruning-{collection.name}-{kind}", url=url, model=MODEL) for kind in kinds}
    sizes = {kind: write(store, collection, kinds[kind]) for kind, store in stores.items()}
    encoder = load_query_encoder(MODEL)
    queries = {key: encoder.encode_query(text) for key, text in collection.queries.items()}
    ways = {f"documents {kind}": search_by(store, SearchOptions()) for kind, store in stores.items()}
    ways |= {f"queries {name}": search_by(stores["whole"], SearchOptions(prune=rule)) for name, rule in rules.items()}
    rankings = {way: {key: search(vector) for key, vector in queries.items()} for way, search in ways.items()}
    seconds = time_searches(ways, list(queries.values()), rounds)
    for store in stores.values():
        store.delete_index()
        store.close()
    bare = bare_megabytes(collection, url)
    return {
        "megabytes": sizes,
        "vectors_mb": {kind: round(size - bare, 2) for kind, size in sizes.items()},
        "document_tokens": {kind: mean_length(kinds[kind]) for kind in kinds},
        "query_tokens": {"whole": mean_length(queries)}
        | {name: mean_length(prune_all(queries, rule)) for name, rule in rules.items()},
        "ways": {way: summary(collection, rankings[way], seconds[way]) for way in ways},
        "rankings": rankings,
    }


def bare_megabytes(collection: Collection, url: str) -> float:
    """Return the megabytes of the collection without vectors."""
    with NeuralSparseStore(f"pruning-{collection.name}-bare", url=url, model=MODEL) as store:
        size = write(store, collection, dict.fromkeys(collection.documents, SparseVector({})))
        store.delete_index()
    return size


def search_by(store: NeuralSparseStore, options: SearchOptions) -> Callable[[SparseVector], Ranking]:
    """Return a search by one way."""
    return lambda vector: [(hit.id, hit.score) for hit in store.search(vector, size=SIZE, options=options)]


def summary(collection: Collection, ranking: Mapping[str, Ranking], seconds: Sequence[float]) -> dict[str, float]:
    """Return NDCG@10 and milliseconds of a way."""
    found = {query: dict(hits) for query, hits in ranking.items()}
    return {
        "ndcg_at_10": round(mean_metrics(collection.judgements, found)[NDCG_AT_10], 4),
        **milliseconds(seconds),
    }


def equal_share(first: Mapping[str, Any], second: Mapping[str, Any]) -> float:
    """Return the share of rankings, over all ways and queries, that are the same."""
    same = [same_ranking(found[query], second[way][query]) for way, found in first.items() for query in found]
    return round(sum(same) / len(same), 4)


def same_ranking(first: Ranking, second: Ranking) -> bool:
    """Tell whether two rankings have the same scores to the last bit, and the same documents before the last score.

    Equal scores come in whatever order a server's segments happen to be in.
    """
    return [score for _, score in first] == [score for _, score in second] and before_last(first) == before_last(second)


def before_last(ranking: Ranking) -> set[tuple[str, float]]:
    """Return the hits that score more than the last."""
    return {(key, score) for key, score in ranking if score > ranking[-1][1]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--ratio", type=float, nargs="+", default=[0.1, 0.3, 0.5])
    parser.add_argument("--server", nargs="+", default=["3.6.0", "2.19.1"])
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    arguments = parser.parse_args()
    rules = {f"{ratio:g}": Prune(type=PruneType.MAX_RATIO, ratio=ratio) for ratio in arguments.ratio}
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
                found = measure(collection, vectors[name], rules, server.url, arguments.rounds)
                results[name][version] = found
    for found in results.values():
        rankings = [by_server.pop("rankings") for by_server in found.values()]
        found["equal_rankings"] = min((equal_share(rankings[0], other) for other in rankings[1:]), default=1.0)
    print_report({"benchmark": "pruning", "collections": results})


if __name__ == "__main__":
    main()

"""One hybrid request beside two separate searches that are joined by the client: seconds at the median.

python -m benchmarks.hybrid_latency [--server 3.6.0] [--documents 10000]

Both rank the same 100 hits of BM25 and of sparse search and return the same ten documents; the bar for `ratio` is 0.6.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
from pathlib import Path

from benchmarks.report import note, percentile, print_report, ratio_of_medians, time_interleaved
from opensearch_neural_sparse import Fusion, HybridOptions, NeuralSparseStore, SearchHits, SparseDocument, WriteOptions
from opensearch_neural_sparse.devserver import DevServer
from opensearch_neural_sparse.search.fusion.rrf import fuse, shortest

MODEL = Path(__file__).resolve().parents[1] / "examples" / "models" / "small-en"
SIZE, DEPTH, ROUNDS, WARM_UP = 10, 100, 200, 40
WORDS = [f"word{number}" for number in range(5000)]
SHARES = [1 / (rank + 10) for rank in range(len(WORDS))]
BAR = 0.6


def documents(count: int, chance: random.Random) -> list[SparseDocument]:
    """Return texts of 200 words and vectors of 200 tokens, both of words as frequent as in a language."""
    return [
        SparseDocument(
            id=f"{number}",
            text=" ".join(chance.choices(WORDS, SHARES, k=200)),
            vector={word: chance.uniform(0.05, 2.5) for word in chance.sample(WORDS, 200)},
        )
        for number in range(count)
    ]


def queries(count: int, chance: random.Random) -> list[tuple[str, dict[str, float]]]:
    """Return texts of eight words with a weight for each."""
    texts = [list(dict.fromkeys(chance.choices(WORDS, SHARES, k=8))) for _ in range(count)]
    return [(" ".join(words), {word: chance.uniform(1, 8) for word in words}) for words in texts]


def join(store: NeuralSparseStore, text: str, vector: dict[str, float]) -> list[tuple[str, float]]:
    """Search twice and fuse what was found: what a client does without hybrid search."""
    legs: list[SearchHits] = [store.match_search(text, size=DEPTH), store.search(vector, size=DEPTH)]
    fused = fuse([[hit.id for hit in leg] for leg in legs])[:SIZE]
    return [(key, shortest(score)) for key, score in fused]


def measure(store: NeuralSparseStore, fusion: Fusion, rounds: int) -> dict[str, list[float]]:
    """Return seconds of either way by name, a query a round, after checking that both give the same."""
    chance, options = random.Random(1), HybridOptions(fusion=fusion, pagination_depth=DEPTH)
    asked = iter(queries(2 * (rounds + WARM_UP) + 2, chance))

    def hybrid() -> SearchHits:
        text, vector = next(asked)
        return store.hybrid_search(text, vector=vector, size=SIZE, options=options)

    text, vector = next(asked)
    found = store.hybrid_search(text, vector=vector, size=SIZE, options=options)
    if [hit.score for hit in found] != [score for _, score in join(store, text, vector)]:
        raise SystemExit("The two ways disagree, so their times cannot be compared.")
    ways = {"hybrid": hybrid, "separate": lambda: join(store, *next(asked))}
    time_interleaved(ways, rounds=WARM_UP)
    return time_interleaved(ways, rounds=rounds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", default="3.6.0")
    parser.add_argument("--documents", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as home,
        DevServer.running(own=True, version=arguments.server, home=Path(home), ephemeral=True) as server,
        NeuralSparseStore("hybrid-latency", url=server.url, model=MODEL) as store,
    ):
        store.create(settings={"number_of_shards": 1})
        note(f"writing {arguments.documents} documents")
        store.write(documents(arguments.documents, random.Random(0)), options=WriteOptions(batch_size=500))
        store.client().indices.forcemerge(index=store.index, max_num_segments=1)
        store.refresh()  # a merge may change the order of equal scores; both ways shall see it
        seconds = {fusion: measure(store, fusion, arguments.rounds) for fusion in (Fusion.SERVER, Fusion.CLIENT)}
    timed, by_client = seconds[Fusion.SERVER], seconds[Fusion.CLIENT]
    ratio = ratio_of_medians(timed["hybrid"], timed["separate"])
    print_report(
        {
            "benchmark": "hybrid_latency",
            "server": arguments.server,
            **ratio,
            "bar": BAR,
            "passed": ratio["ratio"] <= BAR,
            "hybrid_ms": round(1000 * statistics.median(timed["hybrid"]), 2),
            "separate_ms": round(1000 * statistics.median(timed["separate"]), 2),
            "hybrid_p95_ms": round(1000 * percentile(timed["hybrid"], 0.95), 2),
            "separate_p95_ms": round(1000 * percentile(timed["separate"], 0.95), 2),
            **ratio_of_medians(by_client["hybrid"], by_client["separate"], "client_fusion_ratio"),
            "documents": arguments.documents,
            "rounds": arguments.rounds,
        }
    )


if __name__ == "__main__":
    main()

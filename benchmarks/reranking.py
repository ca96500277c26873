"""What reranking changes: ndcg@10, with its significance, and time a query of sparse and hybrid search.

python -m benchmarks.reranking --url http://localhost:9200 --collection FOLDER --reranker FOLDER
python -m benchmarks.reranking --url http://localhost:9200 --collection FOLDER --bi-encoder FOLDER

The collection is in BEIR's layout, of which `--queries` judged queries are drawn; documents are encoded by
examples/models/small-en. `--reranker` is a cross-encoder, such as `benchmarks.toy_reranker` trains where no published
one is at hand. `--bi-encoder` is a dense model in sentence-transformers' layout, which scores a text by the cosine of
its vector and the query's: any function is a reranker. `p` is the two-sided p-value of the difference that reranking
makes, of a paired permutation test over the queries. Times are of one thread of this machine, encoding of the query,
request and reranking together; they say how the parts compare.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import random
import statistics
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.report import note, print_report
from opensearch_neural_sparse import (
    CrossEncoderReranker,
    HybridOptions,
    NeuralSparseStore,
    Rerank,
    SearchHits,
    SearchOptions,
    WriteOptions,
)
from opensearch_neural_sparse.evaluate.metrics.significance import paired_p_value

MODEL = Path(__file__).resolve().parents[1] / "examples" / "models" / "small-en"
CUT = 10
RERANKED = "_reranked"
Judgements = Mapping[str, int]
Search = Callable[[str], SearchHits]


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a file of JSON lines."""
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def read_judgements(folder: Path) -> dict[str, dict[str, int]]:
    """Return query -> document -> grade, of the test queries."""
    judged: dict[str, dict[str, int]] = defaultdict(dict)
    with (folder / "qrels" / "test.tsv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            if int(row["score"]) > 0:
                judged[row["query-id"]][row["corpus-id"]] = int(row["score"])
    return dict(judged)


def ndcg(found: Sequence[str], judged: Judgements) -> float:
    """Return the normalised discounted cumulative gain of the first ten."""
    ideal = sorted(judged.values(), reverse=True)[:CUT]
    return _gain([judged.get(name, 0) for name in found[:CUT]]) / _gain(ideal)


def _gain(grades: Sequence[int]) -> float:
    return sum(grade / math.log2(place + 2) for place, grade in enumerate(grades))


def bi_encoder(folder: str) -> Callable[[str, Sequence[str]], list[float]]:
    """Return a function that scores texts by the cosine of their vectors and the query's."""
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(folder, device="cpu")

    def score(query: str, texts: Sequence[str]) -> list[float]:
        vectors = model.encode([query, *texts], normalize_embeddings=True, show_progress_bar=False)
        scores: list[float] = (vectors[1:] @ vectors[0]).tolist()
        return scores

    return score


def measure(
    ways: Mapping[str, Search], queries: Mapping[str, str], judged: Mapping[str, Judgements]
) -> dict[str, dict[str, float]]:
    """Return ndcg@10 and the median milliseconds of each way, and the p-value of what reranking changes."""
    gains: dict[str, dict[str, float]] = {name: {} for name in ways}
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for number, (name, text) in enumerate(queries.items()):
        for way, search in ways.items():
            began = time.perf_counter()
            hits = search(text)
            seconds[way].append(time.perf_counter() - began)
            gains[way][name] = ndcg([hit.id for hit in hits], judged[name])
        if number % 20 == 19:
            note(f"{number + 1} of {len(queries)} queries")
    results = {
        way: {
            "ndcg@10": round(statistics.mean(gains[way].values()), 4),
            "ms_median": round(1000 * statistics.median(seconds[way]), 1),
        }
        for way in ways
    }
    for way in ways:
        if (before := way.removesuffix(RERANKED)) != way:
            results[way]["p"] = round(paired_p_value(gains[before], gains[way]), 4)
            results[way]["better"] = sum(gains[way][name] > gains[before][name] for name in queries)
            results[way]["worse"] = sum(gains[way][name] < gains[before][name] for name in queries)
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", required=True)
    parser.add_argument("--collection", type=Path, required=True)
    parser.add_argument("--reranker")
    parser.add_argument("--bi-encoder")
    parser.add_argument("--depth", type=int, default=20)
    parser.add_argument("--max-length", type=int, default=192)
    parser.add_argument("--queries", type=int, default=100)
    arguments = parser.parse_args()
    if (arguments.reranker is None) == (arguments.bi_encoder is None):
        parser.error("Give either --reranker or --bi-encoder.")
    judged = read_judgements(arguments.collection)
    texts = {str(row["_id"]): row["text"] for row in read_lines(arguments.collection / "queries.jsonl")}
    drawn = random.Random(0).sample(sorted(judged), min(arguments.queries, len(judged)))
    if arguments.bi_encoder is not None:
        rerank = Rerank(bi_encoder(arguments.bi_encoder), depth=arguments.depth)
    else:
        model = CrossEncoderReranker(arguments.reranker, max_length=arguments.max_length, device="cpu")
        rerank = Rerank(model, depth=arguments.depth)
    with NeuralSparseStore(f"reranking-{uuid.uuid4().hex[:8]}", url=arguments.url, model=MODEL) as store:
        store.create(settings={"number_of_shards": 1, "number_of_replicas": 0})
        try:
            rows = read_lines(arguments.collection / "corpus.jsonl")
            documents = ({"id": row["_id"], "text": f"{row.get('title', '')} {row['text']}".strip()} for row in rows)
            store.write(documents, options=WriteOptions(refresh=True))
            note(f"{len(rows)} documents written.")
            ways: dict[str, Search] = {
                "sparse": lambda text: store.search(text, size=CUT),
                "sparse_reranked": lambda text: store.search(text, size=CUT, options=SearchOptions(rerank=rerank)),
                "hybrid": lambda text: store.hybrid_search(text, size=CUT),
                "hybrid_reranked": lambda text: store.hybrid_search(
                    text, size=CUT, options=HybridOptions(rerank=rerank)
                ),
            }
            results = measure(ways, {name: texts[name] for name in drawn}, judged)
        finally:
            store.delete_index()
    print_report({"collection": arguments.collection.name, "depth": rerank.depth, "queries": len(drawn), **results})


if __name__ == "__main__":
    main()

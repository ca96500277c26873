"""What int8 costs in relevance and gains in time: NDCG@10 and cosine against float32 on a judged collection.

python -m benchmarks.precision FOLDER [--threads N]    FOLDER is a collection in BEIR's format
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Mapping
from math import sqrt
from pathlib import Path
from time import perf_counter

from opensearch_neural_sparse import Precision, SparseVector, load_document_encoder, load_query_encoder
from opensearch_neural_sparse.evaluate.datasets.beir import read_collection
from opensearch_neural_sparse.evaluate.experiments.exact_search import ExactRanker
from opensearch_neural_sparse.evaluate.metrics.relevance import NDCG_AT_10, mean_metrics

MODEL = Path(__file__).resolve().parents[1] / "examples" / "models" / "small-en"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", type=Path, default=MODEL)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    collection = read_collection(arguments.folder)
    queries = load_query_encoder(arguments.model)
    vectors: dict[str, dict[str, SparseVector]] = {}
    row: dict[str, object] = {"collection": arguments.folder.name, "documents": len(collection.documents)}
    for precision in (Precision.FLOAT32, Precision.INT8):
        encoder = load_document_encoder(arguments.model, engine="onnx", dtype=precision, threads=arguments.threads)
        began = perf_counter()
        encoded = encoder.encode_documents(list(collection.documents.values()))
        row[f"{precision}.seconds"] = round(perf_counter() - began, 2)
        vectors[precision] = dict(zip(collection.documents, encoded, strict=True))
        ranker = ExactRanker(vectors[precision])
        rankings = {query: ranker.rank(queries.encode_query(text), 10) for query, text in collection.queries.items()}
        row[f"{precision}.ndcg@10"] = round(mean_metrics(collection.judgements, rankings)[NDCG_AT_10], 4)
    pairs = [(vectors["float32"][key], vectors["int8"][key]) for key in vectors["float32"]]
    cosines = sorted(cosine(one, other) for one, other in pairs if one and other)
    row["cosine.median"] = round(statistics.median(cosines), 4)
    row["cosine.lowest_1_percent"] = round(cosines[len(cosines) // 100], 4)
    print(json.dumps(row))


def cosine(one: SparseVector, other: Mapping[str, float]) -> float:
    return one.dot(other) / sqrt(one.dot(one) * sum(weight**2 for weight in other.values()))


if __name__ == "__main__":
    main()

"""NDCG@10 of BM25, sparse and hybrid search on a judged collection, beside exact scoring of the same vectors.

python -m benchmarks.relevance FOLDER [--server 3.6.0]    FOLDER is a collection in BEIR's format
"""

import argparse
import json
from pathlib import Path
from tempfile import gettempdir
from time import perf_counter

from opensearch_neural_sparse import (
    CachedDocumentEncoder,
    NeuralSparseStore,
    SparseDocument,
    SparseVector,
    WriteOptions,
    load_document_encoder,
    load_query_encoder,
)
from opensearch_neural_sparse.devserver import DevServer
from opensearch_neural_sparse.evaluate.collection import Collection, read_collection
from opensearch_neural_sparse.evaluate.exact import ExactRanker
from opensearch_neural_sparse.evaluate.metrics import NDCG_AT_10, mean_metrics

MODEL = Path(__file__).resolve().parents[1] / "examples" / "models" / "small-en"
SIZE = 10


def encode(collection: Collection, model: Path) -> tuple[dict[str, SparseVector], float]:
    """Return each document's vector and the seconds it took; vectors of an earlier run are reused."""
    began = perf_counter()
    with CachedDocumentEncoder(load_document_encoder(model), Path(gettempdir()) / "relevance.sqlite") as encoder:
        vectors = encoder.encode_documents(list(collection.documents.values()))
    return dict(zip(collection.documents, vectors, strict=True)), perf_counter() - began


def measure(collection: Collection, vectors: dict[str, SparseVector], model: Path, url: str) -> dict[str, float]:
    """Index the collection and return NDCG@10 of each way of searching it."""
    encoder, exact = load_query_encoder(model), ExactRanker(vectors)
    with NeuralSparseStore(f"relevance-{collection.name}", url=url, model=model) as store:
        store.create()
        try:
            store.write(
                (SparseDocument(id=i, text=t, vector=vectors[i]) for i, t in collection.documents.items()),
                options=WriteOptions(refresh=True),
            )
            ways = {
                "bm25": lambda text: store.match_search(text, size=SIZE),
                "sparse": lambda text: store.search(text, size=SIZE),
                "hybrid_rrf": lambda text: store.hybrid_search(text, size=SIZE),
            }
            rankings = {
                way: {query: {hit.id: hit.score for hit in search(text)} for query, text in collection.queries.items()}
                for way, search in ways.items()
            }
        finally:
            store.delete_index()
    rankings["sparse_exact"] = {q: exact.rank(encoder.encode_query(t), SIZE) for q, t in collection.queries.items()}
    return {way: mean_metrics(collection.judgements, found)[NDCG_AT_10] for way, found in rankings.items()}


def main() -> None:
    """Measure one collection and print one JSON line last."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", type=Path, default=MODEL)
    parser.add_argument("--server", default="3.6.0")
    arguments = parser.parse_args()
    collection = read_collection(arguments.folder)
    vectors, seconds = encode(collection, arguments.model)
    print(f"{collection.name}: {len(vectors)} documents, {len(collection.queries)} queries, encoded in {seconds:.0f} s")
    with DevServer.running(version=arguments.server) as server:
        found = measure(collection, vectors, arguments.model, server.url)
        active = sum(map(len, vectors.values())) / len(vectors)
        rounded = {way: round(value, 4) for way, value in found.items()}
        print(
            json.dumps(
                {"collection": collection.name, "server": server.version, "active_dims": round(active, 1), **rounded}
            )
        )


if __name__ == "__main__":
    main()

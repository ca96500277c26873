"""What the Haystack layer adds to the core: a retriever's run to a search, writing documents to a write.

    python -m benchmarks.haystack_overhead [--server 3.6.0] [--documents 10000] [--rounds 300]

Both ways ask the same texts, encoded by the same table, of one index of a server that is started for this, in turns;
the bar for `search_ratio`, median over median, is 1.15. Both write the same documents with the vectors that they have,
into a fresh index each; the bar for `write_ratio`, documents a second over documents a second, is 0.85.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.report import note, percentile, print_report, ratio_of_medians, time_interleaved
from benchmarks.synthetic import SyntheticVectors
from opensearch_neural_sparse import NeuralSparseStore, SparseDocument, SparseVector, WriteOptions
from opensearch_neural_sparse.devserver import DevServer
from opensearch_neural_sparse.encode.tokenizer import SparseTokenizer

MODEL = Path(__file__).resolve().parents[1] / "examples" / "models" / "small-en"
SEARCH_BAR, WRITE_BAR = 1.15, 0.85
QUERIES, WARM_UP, WRITE_ROUNDS = 500, 60, 5
ONE_SHARD = {"number_of_shards": 1, "number_of_replicas": 0}


def make_words() -> tuple[list[str], SyntheticVectors]:
    """Return the words of the model's vocabulary, the most frequent first, and vectors over them."""
    tokenizer = SparseTokenizer.from_file(MODEL / "query_0_SparseStaticEmbedding" / "tokenizer.json")
    words = [token for token in tokenizer.tokens if token.isascii() and token.isalpha() and len(token) > 1]
    return words, SyntheticVectors(len(words))


def make_documents(count: int) -> Iterator[SparseDocument]:
    """Yield documents of the words that their vectors hold."""
    words, vectors = make_words()
    for number, (ranks, hundredths) in enumerate(vectors.documents(count)):
        tokens = [words[rank] for rank in ranks]
        weights = {token: weight / 100 for token, weight in zip(tokens, hundredths, strict=True)}
        metadata = {"year": number % 30, "section": f"s{number % 7}"}
        yield SparseDocument(id=f"{number}", text=" ".join(tokens), metadata=metadata, vector=weights)


def make_queries(count: int) -> list[str]:
    """Return texts of 6 to 12 words."""
    words, vectors = make_words()
    return [" ".join(words[rank] for rank in weights) for weights in vectors.queries(count)]


def measure_search(store: NeuralSparseStore, url: str, rounds: int) -> dict[str, list[float]]:
    """Return seconds of either way by name, after checking that both find the same."""
    from haystack_integrations.components.retrievers.opensearch_neural_sparse import OpenSearchNeuralSparseRetriever
    from haystack_integrations.document_stores.opensearch_neural_sparse import OpenSearchNeuralSparseDocumentStore

    haystack = OpenSearchNeuralSparseDocumentStore(hosts=url, index=store.index, model=MODEL)
    retriever = OpenSearchNeuralSparseRetriever(document_store=haystack)
    texts = make_queries(QUERIES)
    for text in texts[:20]:
        hits = [(hit.id, hit.score) for hit in store.search(text)]
        if hits != [(found.id, found.score) for found in retriever.run(text)["documents"]]:
            raise SystemExit("The two ways disagree, so their times cannot be compared.")
    turns = {name: itertools.cycle(texts) for name in ("core", "haystack")}
    ways: dict[str, Callable[[], object]] = {
        "core": lambda: store.search(next(turns["core"])),
        "haystack": lambda: retriever.run(next(turns["haystack"])),
    }
    time_interleaved(ways, rounds=WARM_UP)
    seconds = time_interleaved(ways, rounds=rounds)
    haystack.close()
    return seconds


def measure_write(url: str, rows: list[SparseDocument]) -> dict[str, list[float]]:
    """Return seconds of either way by name; indices are made and opened beforehand."""
    indices = [[fresh_store(url) for _ in range(WRITE_ROUNDS + 1)] for _ in range(2)]
    documents = to_haystack(indices[0][0], rows)
    haystacks = [document_store(url, store.index) for store in indices[1]]
    waiting, waiting_haystacks = iter(indices[0]), iter(haystacks)

    def core() -> None:
        check_written(next(waiting).write(rows, options=WriteOptions(refresh=False)).written, rows)

    def haystack() -> None:
        check_written(next(waiting_haystacks).write_documents(documents, refresh=False), rows)

    ways = {"core": core, "haystack": haystack}
    time_interleaved(ways, rounds=1)
    seconds = time_interleaved(ways, rounds=WRITE_ROUNDS)
    for store in (*itertools.chain(*indices), *haystacks):
        store.close()
    return seconds


def to_haystack(store: NeuralSparseStore, rows: list[SparseDocument]) -> list[Any]:
    """Return documents as Haystack's embedder of this package returns them."""
    from haystack import Document

    from haystack_integrations.document_stores.opensearch_neural_sparse import DocumentSparseEmbedding

    binding = store.open().binding
    ids = SparseTokenizer.from_file(MODEL / "query_0_SparseStaticEmbedding" / "tokenizer.json").vocabulary
    return [
        Document(
            id=str(row.id),
            content=row.text,
            meta=dict(row.metadata),
            sparse_embedding=DocumentSparseEmbedding.of(SparseVector(row.vector), ids, binding),
        )
        for row in rows
    ]


def fresh_store(url: str) -> NeuralSparseStore:
    """Return a store whose index was just made."""
    store = NeuralSparseStore(f"haystack-overhead-{uuid.uuid4().hex}", url=url, model=MODEL)
    store.create(settings={**ONE_SHARD, "refresh_interval": "-1"})
    return store


def document_store(url: str, index: str) -> Any:
    """Return Haystack's store of an index, opened and its model's vocabulary read."""
    from haystack import Document
    from haystack.dataclasses import SparseEmbedding

    from haystack_integrations.document_stores.opensearch_neural_sparse import OpenSearchNeuralSparseDocumentStore

    store = OpenSearchNeuralSparseDocumentStore(hosts=url, index=index, model=MODEL)
    store.write_documents([Document(id="first", content="", sparse_embedding=SparseEmbedding([3000], [1.0]))])
    return store


def check_written(written: int, rows: list[SparseDocument]) -> None:
    """Stop where something was not written."""
    if written != len(rows):
        raise SystemExit(f"{written} of {len(rows)} documents were written; there is nothing to compare.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", default="3.6.0")
    parser.add_argument("--documents", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=300)
    arguments = parser.parse_args()
    rows = list(make_documents(arguments.documents))
    with (
        tempfile.TemporaryDirectory() as home,
        DevServer.running(own=True, version=arguments.server, home=Path(home), ephemeral=True) as server,
        fresh_store(server.url) as store,
    ):
        note(f"writing {len(rows)} documents")
        store.write(rows)
        searched = measure_search(store, server.url, arguments.rounds)
        written = measure_write(server.url, rows)
    search = ratio_of_medians(searched["haystack"], searched["core"], "search_ratio")
    write = ratio_of_medians(written["core"], written["haystack"], "write_ratio")
    print_report(
        {
            "benchmark": "haystack_overhead",
            "server": arguments.server,
            **search,
            **write,
            "bars": {"search": SEARCH_BAR, "write": WRITE_BAR},
            "passed": search["search_ratio"] <= SEARCH_BAR and write["write_ratio"] >= WRITE_BAR,
            **{f"{name}_ms": round(1000 * statistics.median(taken), 2) for name, taken in searched.items()},
            **{f"{name}_p95_ms": round(1000 * percentile(taken, 0.95), 2) for name, taken in searched.items()},
            "documents_per_second": {
                name: round(len(rows) / statistics.median(taken)) for name, taken in written.items()
            },
            "documents": len(rows),
            "rounds": arguments.rounds,
        }
    )


if __name__ == "__main__":
    main()

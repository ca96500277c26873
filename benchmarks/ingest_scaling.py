"""Loads by number of documents against raw bulk requests, and by number of encoding processes.

    python -m benchmarks.ingest_scaling [DOCUMENTS ...] [--processes 1 2] [--texts 3000]

Given vectors: each number of documents, made of 2,000 texts and vectors of 140 tokens in turns, is loaded by `ingest`
with a journal, and sent as requests that are serialised beforehand by two threads, into fresh indices of one server;
`ratio` is the documents a second of the load over those of the raw requests. `rss_mb` is the memory of the loading
process at each tenth of a load, which a load of any length should not let grow.

Processes: texts are encoded by the model of the examples in so many processes, and loaded.
"""

from __future__ import annotations

import argparse
import itertools
import random
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.report import note, print_report
from opensearch_neural_sparse import Load, LoadProgress, NeuralSparseStore, SparseDocument, SparseVector, WriteOptions
from opensearch_neural_sparse.devserver import DevServer

MODEL = Path(__file__).resolve().parents[1] / "examples" / "models" / "small-en"
POOL, TOKENS, BULK, THREADS = 2000, 140, 200, 2
WORDS = [f"token{number}" for number in range(5000)]
SETTINGS = {"number_of_shards": 1, "number_of_replicas": 0, "refresh_interval": "-1"}
OPTIONS = WriteOptions(refresh=False)


def pool() -> list[tuple[str, SparseVector]]:
    """Return texts and vectors."""
    chance = random.Random(0)
    return [text_and_vector(chance, TOKENS) for _ in range(POOL)]


def text_and_vector(chance: random.Random, tokens: int) -> tuple[str, SparseVector]:
    """Return a text of 60 words, and a vector of them and others."""
    words = chance.sample(WORDS, tokens)
    return " ".join(words[:60]), SparseVector({word: chance.uniform(0.1, 3.0) for word in words})


def documents(parts: Sequence[tuple[str, SparseVector]], count: int) -> Iterator[SparseDocument]:
    """Yield documents of the texts and vectors, in turns."""
    for number, (text, vector) in zip(range(count), itertools.cycle(parts), strict=False):
        yield SparseDocument(id=str(number), text=text, vector=vector, metadata={"n": number})


def sources(parts: Sequence[tuple[str, SparseVector]]) -> list[bytes]:
    """Return what the index stores of each text and vector, serialised, from its metadata on."""
    from opensearch_neural_sparse.index.documents.serializer import to_json

    return [to_json({"content": text, "sparse_vector": vector})[1:] for text, vector in parts]


def rss_mb() -> float:
    """Return the memory of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return round(pages * 4096 / 1e6, 1)


def load(url: str, parts: Sequence[tuple[str, SparseVector]], count: int, folder: Path) -> tuple[float, list[float]]:
    """Load documents by a journal; return documents a second and the memory on the way."""
    memory: list[float] = []

    def watch(progress: LoadProgress) -> None:
        if progress.written >= count * (len(memory) + 1) / 10:
            memory.append(rss_mb())

    with fresh(url) as store:
        start = time.perf_counter()
        given = Load(documents(parts, count), journal=folder / uuid.uuid4().hex)
        report = store.ingest(given, options=OPTIONS, progress=watch)
        seconds = time.perf_counter() - start
        check(store, report.written, count)
    return count / seconds, memory


def send_raw(url: str, rows: Sequence[bytes], count: int) -> float:
    """Send requests that are serialised beforehand; return documents a second."""

    def request(start: int) -> bytes:
        numbers = range(start, min(start + BULK, count))
        lines = (b'{"index":{"_id":"%d"}}\n{"id":"%d","n":%d,%s\n' % (n, n, n, rows[n % POOL]) for n in numbers)
        return b"".join(lines)

    def send(start: int) -> None:
        client.bulk(body=request(start), index=store.index, params={"filter_path": "errors"})

    with fresh(url) as store, ThreadPoolExecutor(THREADS) as threads:
        client = store.client()
        start = time.perf_counter()
        for _ in threads.map(send, range(0, count, BULK)):
            pass
        seconds = time.perf_counter() - start
        check(store, count, count)
    return count / seconds


@contextmanager
def fresh(url: str, **options: Any) -> Iterator[NeuralSparseStore]:
    """Make a store of a fresh index, which is deleted at the end."""
    with NeuralSparseStore(f"scaling-{uuid.uuid4().hex[:12]}", url=url, model=MODEL, **options) as store:
        store.create(settings=SETTINGS)
        yield store
        store.delete_index()


def check(store: NeuralSparseStore, written: int, count: int) -> None:
    """Raise an error where documents are missing."""
    store.refresh()
    if (there := store.count()) != count or written != count:
        raise RuntimeError(f"{there} of {count} documents are there, {written} written.")


def encode_and_load(url: str, processes: int, count: int) -> float:
    """Encode texts by processes and load them; return documents a second, without the start of the processes."""
    chance = random.Random(1)
    rows = [{"id": str(n), "text": " ".join(chance.choices(WORDS[:400], k=30))} for n in range(count)]
    options = {"workers": processes} if processes > 1 else {}
    with fresh(url, encoder_options=options) as store:
        store.write(rows[:8])  # loads the model
        start = time.perf_counter()
        store.ingest(Load(rows), options=OPTIONS)
        seconds = time.perf_counter() - start
        check(store, count, count)
    return count / seconds


def main() -> None:
    """Load, and print the rates."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("documents", nargs="*", type=int, default=[10_000, 100_000])
    parser.add_argument("--processes", nargs="*", type=int, default=[1, 2])
    parser.add_argument("--texts", type=int, default=3000)
    given = parser.parse_args()
    parts = pool()
    rows, sizes, processes = sources(parts), [], {}
    with tempfile.TemporaryDirectory() as folder, DevServer.running(own=True, heap="1g") as server:
        send_raw(server.url, rows, 5000)  # warms the server up
        for count in given.documents:
            raw = send_raw(server.url, rows, count)
            own, memory = load(server.url, parts, count, Path(folder))
            raw = max(raw, send_raw(server.url, rows, count)) if count <= 100_000 else raw
            sizes.append(
                {
                    "documents": count,
                    "raw": round(raw),
                    "load": round(own),
                    "ratio": round(own / raw, 2),
                    "rss_mb": memory,
                }
            )
            note(str(sizes[-1]))
        for number in given.processes:
            processes[str(number)] = round(encode_and_load(server.url, number, given.texts), 1)
            note(f"{number} processes: {processes[str(number)]} documents a second")
    print_report({"sizes": sizes, "processes": processes, "texts": given.texts})


if __name__ == "__main__":
    main()

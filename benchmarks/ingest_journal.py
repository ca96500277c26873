"""Loads of given vectors with a journal against the same loads without one, in turns.

    python -m benchmarks.ingest_journal [DOCUMENTS] [ROUNDS]

Documents have a text of 60 words, a number and a vector of 140 tokens. Each load goes into a fresh index of one server
that is started for this. `ratio` is the time with a journal over that without; `unchanged_per_second` is how many
documents a repeated load compares with its journal.
"""

from __future__ import annotations

import itertools
import random
import sys
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any

from benchmarks.report import note, print_report, ratio_of_medians, time_interleaved
from opensearch_neural_sparse import Load, NeuralSparseStore, SparseDocument, SparseVector, WriteOptions
from opensearch_neural_sparse.devserver import DevServer

MODEL = Path(__file__).resolve().parents[1] / "examples" / "models" / "small-en"
TOKENS = 140
WORDS = [f"token{number}" for number in range(5000)]
OPTIONS = WriteOptions(refresh=False)


def documents(count: int) -> list[SparseDocument]:
    """Return documents with vectors."""
    chance = random.Random(0)
    made = []
    for number in range(count):
        words = chance.sample(WORDS, TOKENS)
        vector = SparseVector({word: chance.uniform(0.1, 3.0) for word in words})
        made.append(SparseDocument(id=str(number), text=" ".join(words[:60]), metadata={"n": number}, vector=vector))
    return made


def main(count: int = 100_000, rounds: int = 3) -> None:
    """Print the ratio."""
    rows, numbers = documents(count), itertools.count()
    with tempfile.TemporaryDirectory() as folder, DevServer.running(own=True, heap="1g") as server:

        def load(*, journal: bool) -> None:
            path = Path(folder, str(next(numbers))) if journal else None
            with NeuralSparseStore(f"journal-{uuid.uuid4().hex[:12]}", url=server.url, model=MODEL) as store:
                store.create(settings={"number_of_shards": 1, "refresh_interval": "-1"})
                report = store.ingest(Load(rows, journal=path), options=OPTIONS)
                if report.written != count:
                    raise RuntimeError(str(report))
                store.delete_index()

        load(journal=False)  # warms the server up
        note("warm")
        with_and_without = {"with": lambda: load(journal=True), "without": lambda: load(journal=False)}
        seconds = time_interleaved(with_and_without, rounds=rounds)
        results: dict[str, Any] = ratio_of_medians(seconds["with"], seconds["without"])
        results |= {"seconds": {name: [round(each, 2) for each in found] for name, found in seconds.items()}}
        results["unchanged_per_second"] = repeated(rows, server.url, Path(folder))
    print_report({**results, "documents": count, "rounds": rounds})


def repeated(rows: list[SparseDocument], url: str, folder: Path) -> int:
    """Return how many documents a second a repeated load compares with its journal."""
    with NeuralSparseStore(f"journal-{uuid.uuid4().hex[:12]}", url=url, model=MODEL) as store:
        store.create()
        store.ingest(Load(rows, journal=folder / "repeated"), options=OPTIONS)
        start = time.perf_counter()
        if store.ingest(Load(rows, journal=folder / "repeated"), options=OPTIONS).unchanged != len(rows):
            raise RuntimeError("A repeated load wrote documents.")
        seconds = time.perf_counter() - start
        store.delete_index()
    return round(len(rows) / seconds)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))

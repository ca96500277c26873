"""Loads by Ray's workers on one machine: what killed workers cost, and the overhead against one process.

    python -m benchmarks.ingest_ray [KILLS] [DOCUMENTS] [OVERHEAD_DOCUMENTS]

Rows lie in Parquet files and are encoded by the model of the examples, with one thread in each of two actors.

Kills: two workers of each load are killed with SIGKILL when a number of rows drawn by chance is read; the load goes on
by itself. Then the index is read: `lost` are rows that it does not hold, `doubled` documents that no row has, `stale`
documents with another text than their row.

Overhead: the same documents by Ray and by one process with two threads, in one run, each into an index of its own, with
a journal in the server. `start` is the time that Ray takes before it can run anything.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.ingest_kills import MODEL, WORDS
from benchmarks.report import note, print_report
from opensearch_neural_sparse import IndexJournal, Load, LoadProgress, NeuralSparseStore, ingest_dataset
from opensearch_neural_sparse.devserver import DevServer

FILES = 20
KILLS_PER_LOAD = 2
WRITERS: dict[str, Any] = {"writers": 2, "cpus": 0.5, "rows_per_batch": 200}


def text_of(number: int) -> str:
    """Return the text of a row."""
    chance = random.Random(number)
    return f"Number {number}: {' '.join(chance.choices(WORDS, k=20))}."


def write_files(folder: Path, count: int) -> None:
    """Write the rows to Parquet files."""
    import pyarrow as pa
    from pyarrow import parquet

    for part in range(FILES):
        numbers = range(part, count, FILES)
        columns = {"id": [str(n) for n in numbers], "text": [text_of(n) for n in numbers], "n": list(numbers)}
        parquet.write_table(pa.table(columns), folder / f"{part}.parquet")


def worker_pids(name: str) -> list[int]:
    """Return the pids of Ray's workers whose actor or task is called so."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            title = (folder / "cmdline").read_text()
        except OSError:
            continue
        if title.startswith("ray::") and name in title:
            found.append(int(folder.name))
    return found


@contextmanager
def fresh(url: str, threads: int) -> Iterator[tuple[NeuralSparseStore, IndexJournal]]:
    """Make an index and a journal, and delete both."""
    name = f"ray-{uuid.uuid4().hex[:12]}"
    with NeuralSparseStore(name, url=url, model=MODEL, encoder_options={"threads": threads}) as store:
        store.create(settings={"number_of_shards": 1, "number_of_replicas": 0})
        yield store, IndexJournal(f"{name}-journal", url=url)
        store.delete_index()
        NeuralSparseStore(f"{name}-journal", url=url).delete_index()


def load_with_kills(url: str, folder: Path, count: int, chance: random.Random) -> Counter[str]:
    """Run one load whose workers are killed, and compare the index with the rows."""
    import ray.data

    moments = sorted(chance.sample(range(count * 9 // 10), KILLS_PER_LOAD))
    counts: Counter[str] = Counter()

    def kill(progress: LoadProgress) -> None:
        while moments and progress.read >= moments[0] and (pids := worker_pids("BatchWriter")):
            os.kill(chance.choice(pids), signal.SIGKILL)
            counts["kills"] += 1
            moments.pop(0)

    with fresh(url, 1) as (store, journal):
        load = Load(ray.data.read_parquet(str(folder)), source="rows", journal=journal)
        report = ingest_dataset(store, load, **WRITERS, progress=kill)
        counts["loads"], counts["rows"] = 1, count
        counts["not_complete"] = int(not report.complete)
        held = {str(document.id): document.text for document in store.scan()}
        counts["lost"] = sum(str(n) not in held for n in range(count))
        counts["doubled"] = len(held) - sum(str(n) in held for n in range(count))
        counts["stale"] = sum(held.get(str(n), text_of(n)) != text_of(n) for n in range(count))
        counts["repeated"] = report.unchanged
    return counts


def overhead(url: str, folder: Path, count: int) -> dict[str, Any]:
    """Time the same rows by Ray and by one process."""
    import ray.data

    def rows() -> Iterator[dict[str, Any]]:
        for number in range(count):
            yield {"id": str(number), "text": text_of(number), "metadata": {"n": number}}

    seconds: dict[str, float] = {}
    with fresh(url, 2) as (store, journal):
        start = time.perf_counter()
        store.ingest(Load(rows(), source="rows", journal=journal))
        seconds["one_process"] = time.perf_counter() - start
        if store.count() != count:
            raise RuntimeError(f"{store.count()} of {count} documents are there.")
    with fresh(url, 1) as (store, journal):
        start = time.perf_counter()
        ingest_dataset(store, Load(ray.data.read_parquet(str(folder)), source="rows", journal=journal), **WRITERS)
        seconds["ray"] = time.perf_counter() - start
        if store.count() != count:
            raise RuntimeError(f"{store.count()} of {count} documents are there.")
    ratio = round(seconds["ray"] / seconds["one_process"], 2)
    return {**{name: round(value, 1) for name, value in seconds.items()}, "ratio": ratio, "documents": count}


def main(kills: int = 20, count: int = 2000, overhead_count: int = 20_000) -> None:
    """Kill workers, time both ways, and print what was found."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    start = time.perf_counter()
    import ray
    import ray.data

    ray.init(num_cpus=4, include_dashboard=False, log_to_driver=False, object_store_memory=200 * 2**20)
    started = time.perf_counter() - start
    ray.data.DataContext.get_current().enable_progress_bars = False
    counts: Counter[str] = Counter()
    chance = random.Random(7)
    with tempfile.TemporaryDirectory() as name, DevServer.running(own=True, heap="1g") as server:
        few, many = Path(name, "few"), Path(name, "many")
        for folder, number in ((few, count), (many, overhead_count)):
            folder.mkdir()
            write_files(folder, number)
        while counts["kills"] < kills:
            counts += load_with_kills(server.url, few, count, chance)
            note(str(dict(counts)))
        names = ("loads", "kills", "rows", "lost", "doubled", "stale", "repeated", "not_complete")
        found: dict[str, Any] = {"kills": {each: counts[each] for each in names}}
        if overhead_count:
            found["overhead"] = {**overhead(server.url, many, overhead_count), "start": round(started, 1)}
    ray.shutdown()
    print_report(found)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))

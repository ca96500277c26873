"""Journals of many rows: the cost of recording them, of opening the journal again, and its size.

    python -m benchmarks.journal_log [ROWS] [IDS]

Rows are recorded 200 at once, as a load does, and nothing else is done. IDS are `counted` or `random`. `record_us` is
microseconds a row, `begin_s` seconds until a later run can look rows up, `lookup_us` microseconds a row of a lookup of
200 rows, `bytes` those on disk a row.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from hashlib import blake2b
from pathlib import Path

from opensearchpy import OpenSearch

from benchmarks.report import note, print_report
from opensearch_neural_sparse import IndexJournal, SqliteJournal
from opensearch_neural_sparse.devserver import DevServer
from opensearch_neural_sparse.ingestion.journals.journal import JournalEntry, LoadTarget

TARGET = LoadTarget(source="rows", index="rows-1", uuid="u", model="")
AT_ONCE = 200
INDEX = "log-of-many-rows"


def groups(count: int, ids: str, run: int) -> Iterator[list[JournalEntry]]:
    """Yield entries as a load records them."""
    for start in range(0, count, AT_ONCE):
        numbers = range(start, min(start + AT_ONCE, count))
        digests = [blake2b(str(number).encode(), digest_size=16) for number in numbers]
        yield [
            JournalEntry(digest.hexdigest() if ids == "random" else str(number), digest.digest(), f"row {number}", run)
            for number, digest in zip(numbers, digests, strict=True)
        ]


def measure(journal: SqliteJournal | IndexJournal, size: Callable[[], int], count: int, ids: str) -> dict[str, float]:
    """Return the costs of a journal that is empty."""
    run = journal.begin(TARGET, restart=False)
    spent, last = 0.0, [""]
    for entries in groups(count, ids, run):
        last = [entry.id for entry in entries]
        start = time.perf_counter()
        journal.entries(last)
        journal.commit(entries)
        spent += time.perf_counter() - start
    start = time.perf_counter()
    journal.flush()
    spent += time.perf_counter() - start
    journal.close()
    start = time.perf_counter()
    journal.begin(TARGET, restart=False)
    journal.entries([])
    begun = time.perf_counter()
    found = journal.entries(last)
    looked_up = time.perf_counter() - begun
    if len(found) != len(last):
        raise RuntimeError("The journal lacks rows.")
    journal.close()
    return {
        "record_us": round(spent / count * 1e6, 1),
        "begin_s": round(begun - start, 2),
        "lookup_us": round(looked_up / len(last) * 1e6, 2),
        "bytes": round(size() / count),
    }


def _size_of_file(path: Path) -> int:
    return path.stat().st_size


def main(count: int = 1_000_000, *kinds: str) -> None:
    """Print the costs."""
    results: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder, DevServer.running(own=True, heap="1g") as server:
        client = OpenSearch(server.url)

        def size_of_index() -> int:
            client.indices.forcemerge(index=INDEX, max_num_segments=1)
            return int(client.indices.stats(index=INDEX)["_all"]["primaries"]["store"]["size_in_bytes"])

        for ids in kinds or ("counted", "random"):
            path = Path(folder, ids)
            results[f"file, {ids} ids"] = measure(SqliteJournal(path), partial(_size_of_file, path), count, ids)
            note(f"file, {ids} ids")
            results[f"index, {ids} ids"] = measure(IndexJournal(INDEX, url=server.url), size_of_index, count, ids)
            note(f"index, {ids} ids")
            client.indices.delete(index=INDEX)
        client.close()
    print_report({**results, "rows": count})


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]), *sys.argv[2:])

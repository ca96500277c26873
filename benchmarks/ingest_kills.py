"""Loads whose client, server or encoding process is killed at random moments, and which are repeated until they end.

    python -m benchmarks.ingest_kills [CLIENT_KILLS] [SERVER_KILLS] [DOCUMENTS] [WORKER_KILLS]

Each load writes DOCUMENTS rows by a journal into an index of its own, in a process of its own, through one of six
front doors in turn: the blocking store, the awaited store, the command line, the Haystack layer, the LangChain layer,
and the blocking store with a journal in an index. Rows have vectors; the command line, which reads texts alone, has a
tenth of them encoded by the model of the examples. The process, or the server, is killed with SIGKILL when a number of
rows drawn by chance is written, the server is started again, and the same command is repeated until it ends well.

Loads whose encoding processes are killed have half as many rows, without vectors, which two processes encode. Such a
load is not repeated: it ends well by itself, and `repeats` counts those that did not.

Then the index is read: `lost` are rows that it does not hold, `doubled` documents that no row has, `stale` documents
with another content than their row. `repeated` counts the rows that were written more than once, as the killed process
had not recorded their answer yet. `died_midway` counts the kills of loads with something recorded and something left.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks.report import note, print_report
from opensearch_neural_sparse import (
    AsyncNeuralSparseStore,
    IndexJournal,
    JournalError,
    Load,
    NeuralSparseStore,
    SourceRow,
    SparseDocument,
    SqliteJournal,
    WriteOptions,
)
from opensearch_neural_sparse.devserver import DEFAULT_VERSION, DevServer

MODEL = Path(__file__).resolve().parents[1] / "examples" / "models" / "small-en"
DOORS = ("core", "awaited", "shell", "haystack", "langchain", "index")
COUNTS = ("kills", "died_midway", "rows", "lost", "doubled", "stale", "repeated", "repeats")
SHARE_OF_SHELL = 10
BATCH = 50
PAUSE = 0.1
"""Seconds before the rows of a batch are read, so that a load lasts long enough to be hit."""
MOST_REPEATS = 8
WORDS = ("river", "stone", "heart", "string", "list", "file", "path", "date", "mars", "earth", "moon", "planet")
QUICK: dict[str, Any] = {"heap": "512m", "jvm_options": ("-XX:TieredStopAtLevel=1",)}


def text_of(number: int) -> str:
    """Return the text of a row."""
    chance = random.Random(number)
    return f"Row {number}: {' '.join(chance.choices(WORDS, k=12))}."


def rows(count: int, *, encoded: bool) -> Iterator[SourceRow]:
    """Yield rows, with vectors or to be encoded."""
    for number in range(count):
        if encoded and number % BATCH == 0:
            time.sleep(PAUSE)
        text = text_of(number)
        words = dict.fromkeys(text.lower().strip(".").replace(":", "").split())
        vector = {word: 0.5 + (hash_of(word) % 100) / 50 for word in words}
        document = SparseDocument(
            id=f"row-{number}", text=text, metadata={"number": number}, vector=vector if encoded else None
        )
        yield SourceRow(place=f"rows:{number}", document=document)


def journal_of(door: str, url: str, index: str, folder: Path) -> SqliteJournal | IndexJournal:
    """Return the journal of a load."""
    return IndexJournal(f"{index}-journal", url=url) if door == "index" else SqliteJournal(folder / "journal")


def hash_of(word: str) -> int:
    """Return a number of a word, the same in each process."""
    return sum(ord(letter) * 31**place for place, letter in enumerate(word))


def load(door: str, url: str, index: str, folder: Path, count: int, workers: int) -> int:
    """Load all rows through a front door, encoded by so many processes if any, and return the exit status."""
    plan = Load(rows(count, encoded=not workers), source="rows", journal=journal_of(door, url, index, folder))
    options = WriteOptions(batch_size=BATCH)
    by_workers = {"workers": workers} if workers else {}
    if door in ("core", "index"):
        with NeuralSparseStore(index, url=url, model=MODEL, encoder_options=by_workers) as store:
            return not store.ingest(plan, options=options).complete
    if door == "awaited":
        return asyncio.run(load_awaited(plan, url, index, options, by_workers))
    if door == "langchain":
        from langchain_opensearch_neural_sparse import OpenSearchNeuralSparseVectorStore

        made_by = {"model": str(MODEL), "encoder_options": by_workers}
        with OpenSearchNeuralSparseVectorStore(index, url=url, **made_by) as vectorstore:
            return not vectorstore.ingest(plan, batch_size=BATCH).complete
    if door == "haystack":
        from haystack_integrations.document_stores.opensearch_neural_sparse import OpenSearchNeuralSparseDocumentStore

        documents = OpenSearchNeuralSparseDocumentStore(
            model=str(MODEL), hosts=url, index=index, timeout=60, **by_workers
        )
        return not documents.ingest(plan).complete
    from opensearch_neural_sparse.cli.app import run

    arguments = ["--url", url, "--model", str(MODEL), "--journal", str(folder / "journal"), "--batch-size", "25"]
    arguments += ["--workers", str(workers)] if workers else []
    return run(["ingest", index, str(folder / "rows.jsonl"), *arguments])


async def load_awaited(plan: Load, url: str, index: str, options: WriteOptions, by_workers: dict[str, int]) -> int:
    """Load rows by the awaited store, and return the exit status."""
    async with AsyncNeuralSparseStore(index, url=url, model=MODEL, encoder_options=by_workers) as store:
        return not (await store.ingest(plan, options=options)).complete


class Trial:
    """One load through one front door, killed once and repeated.

    Args:
        door: The front door.
        url: Address of the server.
        count: How many rows.
        folder: A folder of its own.
        workers: How many processes encode the rows; 0 gives them vectors.
    """

    def __init__(self, door: str, url: str, count: int, folder: Path, *, workers: int = 0) -> None:
        self.door, self.url, self.folder, self.workers = door, url, folder, workers
        self.count = max(count // SHARE_OF_SHELL, 1) if door == "shell" and not workers else count
        self.index = f"kills-{uuid.uuid4().hex[:12]}"
        folder.mkdir(parents=True)
        lines = ({"id": f"row-{n}", "text": text_of(n), "number": n} for n in range(self.count))
        (folder / "rows.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
        with NeuralSparseStore(self.index, url=url, model=MODEL) as store:
            store.create(settings={"number_of_shards": 2})

    def start(self) -> subprocess.Popen[bytes]:
        """Start the load in a process of its own."""
        arguments = ["--load", self.door, self.url, self.index, str(self.folder), str(self.count), str(self.workers)]
        command = [sys.executable, "-m", "benchmarks.ingest_kills", *arguments]
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(command, stdout=log, stderr=log)

    def recorded(self) -> int:
        """Return how many rows the journal holds."""
        try:
            return journal_of(self.door, self.url, self.index, self.folder).status().rows
        except JournalError:
            return 0

    def wait_for_rows(self, process: subprocess.Popen[bytes], wanted: int, *, seconds: float = 120) -> None:
        """Wait until so many rows are written, or the load has ended."""
        end = time.monotonic() + seconds
        while process.poll() is None and time.monotonic() < end and self.recorded() < wanted:
            time.sleep(0.002)

    def repeat(self) -> int:
        """Repeat the load until it ends well, and return how often that was."""
        for number in range(1, MOST_REPEATS + 1):
            if self.start().wait(600) == 0:
                return number
        raise RuntimeError(f"The load did not end: {(self.folder / 'log').read_text(errors='replace')[-2000:]}")

    def outcome(self) -> dict[str, int]:
        """Return the counts of what the index holds wrongly, and delete it."""
        with NeuralSparseStore(self.index, url=self.url, model=MODEL) as store:
            store.refresh()
            found = {str(document.id): document for document in store.scan()}
            counted = store.count()
            operations = store.client().indices.stats(index=self.index, metric="indexing")
            store.delete_index()
            store.client().indices.delete(index=f"{self.index}-journal", ignore_unavailable=True)
        wanted = {f"row-{number}": number for number in range(self.count)}
        stale = sum(
            found[name].text != text_of(number) or found[name].metadata != {"number": number} or not found[name].vector
            for name, number in wanted.items()
            if name in found
        )
        written = operations["_all"]["primaries"]["indexing"]["index_total"]
        return {
            "lost": len(wanted.keys() - found.keys()),
            "doubled": len(found.keys() - wanted.keys()) + counted - len(found),
            "stale": stale,
            "repeated": max(written - self.count, 0),
        }


def kill_client(trial: Trial, chance: random.Random) -> Counter[str]:
    """Kill the process of a load, repeat the load, and return the counts."""
    process = trial.start()
    _wait_for_a_moment(trial, process, chance)
    process.send_signal(signal.SIGKILL)
    process.wait()
    return _ended(trial)


def kill_worker(trial: Trial, chance: random.Random) -> Counter[str]:
    """Kill an encoding process of a load, repeat the load only if it does not go on, and return the counts."""
    process = trial.start()
    recorded, killed = 0, False
    while process.poll() is None and not killed:
        _wait_for_a_moment(trial, process, chance)
        recorded = trial.recorded()
        killed = _kill_one(encoding_processes(process.pid), chance)
    ended_well = process.wait(600) == 0
    repeats = 0 if ended_well else trial.repeat()
    midway = 0 < recorded < trial.count
    return Counter(kills=killed, died_midway=midway, repeats=repeats, rows=trial.count, **trial.outcome())


def encoding_processes(parent: int) -> list[int]:
    """Return the ids of the encoding processes that a process has started."""
    children = Path(f"/proc/{parent}/task").glob("*/children")
    try:
        pids = [int(pid) for listed in children for pid in listed.read_text().split()]
        return [pid for pid in pids if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    except OSError:  # one of them has just ended
        return []


def _kill_one(pids: list[int], chance: random.Random) -> bool:
    try:
        os.kill(chance.choice(pids), signal.SIGKILL)
    except (IndexError, ProcessLookupError):
        return False
    return True


def kill_server(trial: Trial, chance: random.Random, server: DevServer) -> tuple[Counter[str], DevServer]:
    """Kill the server in the middle of a load, start it again, repeat the load, and return the counts."""
    process = trial.start()
    _wait_for_a_moment(trial, process, chance)
    port = int(server.url.rpartition(":")[2])
    server.kill()
    again = DevServer.start(own=True, version=server.version, home=server.home, port=port, **QUICK)
    process.wait(600)
    return _ended(trial), again


def _wait_for_a_moment(trial: Trial, process: subprocess.Popen[bytes], chance: random.Random) -> None:
    """Wait until a share of the rows, drawn by chance, is written, and up to the time of a bulk request."""
    trial.wait_for_rows(process, chance.randrange(trial.count))
    time.sleep(chance.uniform(0, 0.05))


def _ended(trial: Trial) -> Counter[str]:
    recorded = trial.recorded()
    repeats = trial.repeat()
    midway = 0 < recorded < trial.count
    return Counter(kills=1, died_midway=midway, repeats=repeats, rows=trial.count, **trial.outcome())


def run_kills(
    clients: int,
    servers: int,
    count: int,
    folder: Path,
    *,
    workers: int = 0,
    version: str = DEFAULT_VERSION,
    seed: int = 0,
) -> dict[str, Any]:
    """Kill loads and return the counts, in all and by front door.

    Args:
        clients: How often a client is killed.
        servers: How often the server is killed.
        count: Rows of a load.
        folder: A folder for journals and the server's data.
        workers: How often an encoding process is killed.
        version: Version of the server.
        seed: Seed of the moments.
    """
    chance, by_door = random.Random(seed), {door: Counter[str]() for door in DOORS}
    with ExitStack() as stack:
        server = DevServer.start(own=True, version=version, home=folder / "server", **QUICK)
        stack.callback(server.stop)
        for number in range(clients):
            door = DOORS[number % len(DOORS)]
            trial = Trial(door, server.url, count, folder / f"client-{number}")
            by_door[door] += kill_client(trial, chance)
            note(f"client {number} {door}: {dict(by_door[door])}")
        for number in range(servers):
            door = DOORS[number % len(DOORS)]
            trial = Trial(door, server.url, count, folder / f"server-{number}")
            counts, server = kill_server(trial, chance, server)
            by_door[door] += counts
            note(f"server {number} {door}: {dict(by_door[door])}")
        chance = random.Random(seed)  # the moments of these do not hang on how many kills there were
        for number in range(workers):
            door = DOORS[number % len(DOORS)]
            trial = Trial(door, server.url, count // 2, folder / f"worker-{number}", workers=2)
            by_door[door] += kill_worker(trial, chance)
            note(f"worker {number} {door}: {dict(by_door[door])}")
    return {
        "total": {name: sum(counts[name] for counts in by_door.values()) for name in COUNTS},
        "by_door": {door: {name: counts[name] for name in COUNTS} for door, counts in by_door.items()},
    }


def main(clients: int = 40, servers: int = 20, count: int = 3000, workers: int = 20) -> None:
    """Kill loads and print what the indices hold."""
    with tempfile.TemporaryDirectory() as folder:
        print_report({**run_kills(clients, servers, count, Path(folder), workers=workers), "rows": count})


if __name__ == "__main__":
    if sys.argv[1:2] == ["--load"]:
        given_door, given_url, given_index, given_folder, *numbers = sys.argv[2:]
        sys.exit(load(given_door, given_url, given_index, Path(given_folder), *map(int, numbers)))
    main(*map(int, sys.argv[1:]))

"""Files for `ingest`, whole, damaged and hostile: the exit status is 0 where all was written, and only there."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import random
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from opensearchpy import OpenSearch
from opensearchpy.helpers import scan

from opensearch_neural_sparse import NeuralSparseStore
from tests.campaigns.campaign import Campaign
from tests.campaigns.commands import Done, run_command
from tests.campaigns.stores import Indices, indices
from tests.campaigns.tally import Outcome, Tally
from tests.paths import SMALL_MODEL

SECONDS = 240.0
"""Time limit of a command."""
ROWS = [{"id": f"r{number}", "text": f"red planet {number}", "lang": "en"} for number in range(6)]
HUGE, HUGE_TEXT = [f"h{number}" for number in range(120)], "red planet " * 180_000
"""Ids and text of rows, 2 MB each; encoded together, all of them take more memory than a command has."""
TRUTH = {row["id"]: row["text"] for row in ROWS}
Make = Callable[[Path, random.Random], "Path | None"]


@dataclass(frozen=True)
class Case:
    """A file or folder, made in a place.

    Attributes:
        name: What is wrong with it.
        make: Makes it; returns the path that is ingested.
        truth: Id -> text of all that a command may write; None where the damage is drawn by chance.
        whole: Whether everything of it is to be written.
    """

    name: str
    make: Make
    truth: dict[str, str] | None = field(default_factory=lambda: dict(TRUTH))
    whole: bool = False


def lines(rows: Sequence[Any] = ROWS) -> bytes:
    """Return rows as JSON lines."""
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def table(rows: Sequence[dict[str, str]] = ROWS) -> bytes:
    """Return rows as CSV."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def parquet(rows: Sequence[dict[str, Any]] = ROWS) -> bytes:
    """Return rows as Parquet."""
    import pyarrow as pa
    from pyarrow import parquet as files

    sink = io.BytesIO()
    files.write_table(pa.Table.from_pylist(list(rows)), sink)
    return sink.getvalue()


def _file(name: str, content: bytes | Callable[[], bytes]) -> Make:
    def make(place: Path, chance: random.Random) -> Path:
        path = place / name
        path.write_bytes(content if isinstance(content, bytes) else content())
        return path

    return make


WHOLE: dict[str, Callable[[], bytes]] = {
    "a.jsonl": lines,
    "a.ndjson": lambda: b"\xef\xbb\xbf" + lines(),
    "b.jsonl": lambda: lines().replace(b"\n", b"\r\n"),
    "c.jsonl": lambda: b"\n\n" + lines() + b"\n  \n",
    "a.csv": table,
    "b.csv": lambda: b"\xef\xbb\xbf" + table(),
    "c.csv": lambda: table().replace(b"\r\n", b"\n"),
    "a.tsv": lambda: table().replace(b",", b"\t"),
    "a.parquet": parquet,
    "a.jsonl.gz": lambda: gzip.compress(lines()),
    "b.jsonl.gz": lambda: gzip.compress(lines(ROWS[:3])) + gzip.compress(lines(ROWS[3:])),
    "a.csv.gz": lambda: gzip.compress(table()),
}


def _damaged_text() -> Iterator[Case]:
    extra = {
        "twice a key": b'{"id": "x", "text": "one", "text": "two"}\n',
        "a row nested 900 deep": b'{"id": "x", "text": "t", "m": ' + b'{"a":' * 900 + b"1" + b"}" * 901 + b"\n",
        "a row nested 100,000 deep": b"[" * 100_000 + b"\n",
        "NaN": b'{"id": "x", "text": "t", "n": NaN}\n',
        "a huge number": b'{"id": "x", "text": "t", "n": 1' + b"0" * 5_000 + b"}\n",
        "1e999": b'{"id": "x", "text": "t", "n": 1e999}\n',
        "no UTF-8": b'{"id": "x", "text": "\xff\xfe"}\n',
        "half a surrogate": b'{"id": "x", "text": "\\ud800"}\n',
        "an id that is half a surrogate": b'{"id": "\\ud800", "text": "t"}\n',
        "a list": b"[1, 2]\n",
        "a text": b'"text"\n',
        "no text": b'{"id": "x"}\n',
        "a text that is a list": b'{"id": "x", "text": ["a"]}\n',
        "an id that is an object": b'{"id": {}, "text": "t"}\n',
        "an id of 600 bytes": b'{"id": "' + b"i" * 600 + b'", "text": "t"}\n',
        "blank keys": b'{"id": "x", "text": "t", "": 1, " . ": 2}\n',
        "torn": b'{"id": "x", "te',
        "NUL": b"\x00\x00\x00\n",
        "a reserved key": b'{"id": "x", "text": "t", "sparse_vector": {"a": 1}, "n..x": 1}\n',
        "conflicting kinds": b'{"id": "x", "text": "t", "lang": 7}\n',
    }
    for name, row in extra.items():
        content = lines(ROWS[:3]) + row + lines(ROWS[3:])
        if name == "torn":
            content = lines() + row
        yield Case(f"JSON lines with {name}", _file("a.jsonl", content))
    yield Case("UTF-16", _file("a.jsonl", lines().decode().encode("utf-16")))
    yield Case("an empty file", _file("a.jsonl", b""), truth={})
    yield Case("JSON of one list", _file("a.jsonl", json.dumps(ROWS).encode()), truth={})
    yield Case(
        "a line of 70 MB", _file("a.jsonl", lambda: lines(ROWS[:1]) + b'{"text": "' + b"a" * 70_000_000 + b'"}\n')
    )


def _damaged_tables() -> Iterator[Case]:
    yield Case("a header twice", _file("a.csv", b"id,text,text\n1,a,b\n"), truth={})
    yield Case("an unclosed quote", _file("a.csv", table(ROWS[:2]) + b'q,"never closed,en\n' + table(ROWS[2:])[14:]))
    yield Case(
        "a quote within", _file("a.csv", table() + b'x,a "quoted" word,en\r\n'), truth={**TRUTH, "x": 'a "quoted" word'}
    )
    yield Case("a short row", _file("a.csv", table() + b"x\r\n"))
    yield Case("a long row", _file("a.csv", table() + b"x,t,en,more,and more\r\n"))
    yield Case("a NUL", _file("a.csv", table() + b"x,\x00t,en\r\n"), truth={**TRUTH, "x": "\x00t"})
    yield Case("Latin-1", _file("a.csv", table() + b"x,caf\xe9,en\r\n"))
    yield Case("a header alone", _file("a.csv", b"id,text\n"), truth={})
    yield Case("an empty header", _file("a.csv", b"id,text,\n1,a,b\n"), truth={"1": "a"})
    yield Case("semicolons", _file("a.csv", b"id;text\n1;a\n"), truth={})
    yield Case("carriage returns", _file("a.csv", table().replace(b"\r\n", b"\r")))
    yield Case("a field of 70 MB", _file("a.csv", lambda: table() + b'x,"' + b"a" * 70_000_000 + b'",en\r\n'))
    yield Case("an empty Parquet", _file("a.parquet", b""), truth={})
    yield Case("text as Parquet", _file("a.parquet", b"PAR1 is not all that it takes PAR1"), truth={})
    yield Case("a Parquet column twice", _file("a.parquet", _twice), truth={})
    yield Case("a Parquet of numbers", _file("a.parquet", lambda: parquet([{"id": 1, "text": 2}])), truth={"1": "2"})
    yield Case("a Parquet of lists", _file("a.parquet", lambda: parquet([{"id": "1", "text": ["a"]}])), truth={})
    yield Case("a Parquet of huge columns", _file("a.parquet", _huge), truth=dict.fromkeys(HUGE, HUGE_TEXT), whole=True)


def _bombs() -> Iterator[Case]:
    yield Case("a gzip bomb of one line", _file("a.jsonl.gz", lambda: gzip.compress(b"a" * 400_000_000, 9)), truth={})
    yield Case(
        "a gzip bomb of one cell",
        _file("a.csv.gz", lambda: gzip.compress(b"id,text\n1,a" + b"a" * 400_000_000, 9)),
        truth={},
    )
    yield Case("a gzip bomb of a text", _file("a.txt.gz", lambda: gzip.compress(b"a " * 200_000_000, 9)), truth={})
    yield Case("half a gzip", _file("a.jsonl.gz", lambda: gzip.compress(lines() * 50)[:-9]))
    yield Case("no gzip", _file("a.jsonl.gz", lines()), truth={})


def _special() -> Iterator[Case]:
    def link(target: str) -> Make:
        def make(place: Path, chance: random.Random) -> Path:
            (place / "a.jsonl").symlink_to(target)
            return place / "a.jsonl"

        return make

    def within(make: Callable[[Path], object]) -> Make:
        def made(place: Path, chance: random.Random) -> Path:
            (place / "whole.jsonl").write_bytes(lines())
            make(place)
            return place

        return made

    def pipe(place: Path, chance: random.Random) -> Path:
        path = place / "a.jsonl"
        os.mkfifo(path)
        threading.Thread(target=lambda: path.write_bytes(lines()), daemon=True).start()
        return path

    yield Case("a pipe that a program writes to", pipe, whole=True)
    yield Case("a folder with a pipe", within(lambda place: os.mkfifo(place / "b.jsonl")))
    yield Case("a folder with a link to itself", within(lambda place: (place / "loop").symlink_to(place)))
    yield Case("a folder with a broken link", within(lambda place: (place / "b.jsonl").symlink_to("nothing")))
    yield Case("a folder with a folder as a file", within(lambda place: (place / "b.jsonl").mkdir()))
    yield Case("a folder with a foreign file", within(lambda place: (place / "b.pdf").write_bytes(b"%PDF")))
    yield Case("a link to a device", link("/dev/zero"), truth={})
    yield Case("a link to itself", link("a.jsonl"), truth={})
    yield Case("no such file", lambda place, chance: place / "no.jsonl", truth={})
    yield Case("a name of two lines", _file("a\nb.jsonl", lines()))
    yield Case("an empty folder", lambda place, chance: place, truth={})
    yield Case("a foreign ending", _file("a.pdf", lines()), truth={})


def _flipped() -> Iterator[Case]:
    """Yield whole files with bytes changed, cut out or repeated by chance."""
    for name, content in WHOLE.items():
        for kind in ("flipped", "cut out", "cut off", "repeated"):

            def make(
                place: Path, chance: random.Random, name: str = name, kind: str = kind, content: Any = content
            ) -> Path:
                path = place / name
                path.write_bytes(_with_damage(content(), kind, chance))
                return path

            yield Case(f"{name} with bytes {kind}", make, truth=None)


def _with_damage(raw: bytes, kind: str, chance: random.Random) -> bytes:
    start = chance.randrange(len(raw))
    end = min(len(raw), start + chance.choice((1, 2, 8, 40)))
    if kind == "flipped":
        return raw[:start] + bytes(byte ^ chance.randrange(1, 256) for byte in raw[start:end]) + raw[end:]
    if kind == "cut out":
        return raw[:start] + raw[end:]
    return raw[:start] if kind == "cut off" else raw[:end] + raw[start:]


def _twice() -> bytes:
    import pyarrow as pa
    from pyarrow import parquet as files

    sink = io.BytesIO()
    files.write_table(
        pa.Table.from_arrays([pa.array(["1"]), pa.array(["a"]), pa.array(["b"])], ["id", "text", "text"]), sink
    )
    return sink.getvalue()


def _huge() -> bytes:
    import pyarrow as pa
    from pyarrow import parquet as files

    sink = io.BytesIO()
    text = pa.DictionaryArray.from_arrays(pa.array([0] * len(HUGE), pa.int32()), pa.array([HUGE_TEXT]))
    files.write_table(pa.table({"id": HUGE, "text": text}), sink, compression="zstd")
    return sink.getvalue()


def cases() -> list[Case]:
    """Return every case; those of chance can be drawn many times."""
    whole = [Case(f"whole {name}", _file(name, content), whole=True) for name, content in WHOLE.items()]
    return [*whole, *_damaged_text(), *_damaged_tables(), *_bombs(), *_special(), *_flipped()]


def run(seed: int, count: int, servers: Sequence[str]) -> Tally:
    """Ingest files in an order drawn from a seed, each by a command of its own into an index of its own."""
    tally = Tally()
    for url in servers:
        chance = random.Random(seed)
        every = cases()
        chance.shuffle(every)
        while len(every) < count:
            every += [case for case in cases() if case.truth is None]
        with indices(url) as made:
            for case in every[:count]:
                with tempfile.TemporaryDirectory() as place:
                    _attempt(tally, case, Path(place), made, chance)
                made.delete()
    return tally


def _attempt(tally: Tally, case: Case, place: Path, made: Indices, chance: random.Random) -> None:
    path, index = case.make(place, chance), made.new()
    with NeuralSparseStore(index, url=made.url, model=SMALL_MODEL) as store:
        store.create(settings={"number_of_shards": 1, "number_of_replicas": 0})
    command = ["ingest", index, str(path), "--model", str(SMALL_MODEL), "--json"]
    done = run_command(command, {"OPENSEARCH_URL": made.url}, seconds=SECONDS)
    if done.status is None:
        tally.add(Outcome.HANG, case.name)
        return
    outcome, why = _judged(case, done, _stored(made.client, index))
    tally.add(outcome, f"{case.name}: {why}, exit status {done.status}: {_last(done)}", place=f"{case.name} {why}")


def _stored(client: OpenSearch, index: str) -> dict[str, str]:
    client.indices.refresh(index=index)
    found = scan(client, index=index, query={"query": {"match_all": {}}, "_source": ["content"]}, size=20)
    return {hit["_id"]: hit["_source"].get("content") for hit in found}


def _judged(case: Case, done: Done, stored: dict[str, str]) -> tuple[Outcome, str]:
    said = done.out + done.err
    if "Traceback" in said or done.status not in (0, 1, 2) or (done.status and not said.strip()):
        return Outcome.RAW_ERROR, "no clear error"
    if case.truth is not None and not _within(stored, case.truth):
        return Outcome.SILENT_LOSS, f"stored {stored!r:.150}"
    if case.whole and (done.status or stored != case.truth):
        return Outcome.SILENT_LOSS, f"not all was written: {sorted(stored)}"
    if done.status == 0:
        if case.truth is not None and case.truth.keys() != stored.keys():
            return Outcome.SILENT_LOSS, f"stored {sorted(stored)} alone"
        report = json.loads(done.out)
        honest = report["written"] >= len(stored) and not report["refused"]
        return (Outcome.ACCEPTED, "") if honest else (Outcome.SILENT_LOSS, "a report that is not true")
    return Outcome.REFUSED, ""


def _within(stored: dict[str, str], truth: dict[str, str]) -> bool:
    return all(truth.get(key) == text for key, text in stored.items())


def _last(done: Done) -> str:
    said = (done.err or done.out).strip().splitlines()
    return said[-1][:150] if said else ""


CAMPAIGN = Campaign("files", "Files for ingest: damaged, hostile, bombs and pipes.", 130, 5, run)

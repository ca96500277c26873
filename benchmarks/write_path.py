"""Writing documents: this package against a raw `_bulk` of the same requests, made beforehand and sent by two threads.

    python -m benchmarks.write_path [DOCUMENTS] [ROUNDS] [FOLDER]

Both write the same documents into fresh indices of one server that is started for this, by requests with the same
parameters. `ratio` is the documents a second of `BulkSender` as `WriteOptions` is by default, with four requests in
flight, over those of the raw ones: what is left after the index is looked at, weights are shortened, documents checked
and serialised, and answers read. `ratio_two_in_flight` is the same with two in flight, like the raw side;
`raw_by_four_threads` is the raw side with four. The server shares the cores with all; `client_us_per_document` is the
CPU time that each takes from it.

`payload_ratio` is the size of its requests over that of requests whose weights are written as float64, and
`vector_ratio` that of the vectors alone. What a request saves depends on how much of it is text: the documents are made
up, of 360 characters and 140 tokens, and `payload_ratio_720` is the same for texts twice as long. FOLDER, a collection
in BEIR's format, has real ones written instead, with the vectors of the model that comes with the examples.
`characters` and `tokens` are their medians.
"""

from __future__ import annotations

import itertools
import json
import random
import statistics
import sys
import tempfile
import time
import uuid
from array import array
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.report import note, print_report, ratio_of_medians, time_interleaved

TOKENS = 140
CHARACTERS = 360
VOCABULARY = 30_522
MODEL = Path(__file__).resolve().parents[1] / "examples" / "models" / "small-en"
BATCH = 200
THREADS = 2
MAPPING = {
    "settings": {"number_of_shards": 1, "number_of_replicas": 0, "refresh_interval": "-1"},
    "mappings": {
        "date_detection": False,
        "properties": {
            "id": {"type": "keyword"},
            "content": {"type": "text"},
            "sparse_vector": {"type": "rank_features"},
            "year": {"type": "integer"},
        },
    },
}
SYLLABLES = (
    "an",
    "be",
    "con",
    "der",
    "el",
    "gra",
    "in",
    "jo",
    "li",
    "mon",
    "or",
    "pre",
    "qui",
    "sta",
    "tem",
    "un",
    "za",
)


def documents(count: int, characters: int = CHARACTERS) -> list[Any]:
    """Return documents with words and tokens of a natural spread: few are frequent, many are rare.

    Tokens have about six characters on average, as in the vectors of scientific abstracts.
    """
    from opensearch_neural_sparse import SparseDocument, SparseVector

    chance = random.Random(7)
    lengths = chance.choices((1, 2, 3, 4), (1, 4, 4, 1), k=VOCABULARY)
    words = ["".join(chance.choices(SYLLABLES, k=length)) for length in lengths]
    frequency = list(itertools.accumulate(1 / (rank + 10) for rank in range(VOCABULARY)))
    rows = []
    for number in range(count):
        text = " ".join(chance.choices(words, cum_weights=frequency, k=characters // 4))[:characters]
        tokens = dict.fromkeys(chance.choices(words, cum_weights=frequency, k=6 * TOKENS))
        kept = [*itertools.islice(tokens, TOKENS)]
        vector = SparseVector.from_trusted(kept, array("f", (chance.lognormvariate(-1.0, 0.8) for _ in kept)))
        rows.append(SparseDocument(id=f"{number}", text=text, metadata={"year": number % 30}, vector=vector))
    return rows


def real_documents(count: int, folder: Path) -> list[Any]:
    """Return documents of a collection, drawn at random; vectors of an earlier run are reused."""
    from opensearch_neural_sparse import CachedDocumentEncoder, SparseDocument, load_document_encoder
    from opensearch_neural_sparse.evaluate.datasets.beir import read_collection

    held = sorted(read_collection(folder).documents.items())
    drawn = random.Random(7).sample(held, min(count, len(held)))
    with CachedDocumentEncoder(
        load_document_encoder(MODEL), Path(tempfile.gettempdir()) / "relevance.sqlite"
    ) as encoder:
        vectors = encoder.encode_documents([text for _, text in drawn])
    return [SparseDocument(id=name, text=text, vector=v) for (name, text), v in zip(drawn, vectors, strict=True)]


def main(count: int, rounds: int, folder: Path | None = None) -> None:
    from opensearch_neural_sparse.devserver import DevServer

    rows = documents(count) if folder is None else real_documents(count, folder)
    with tempfile.TemporaryDirectory() as home:
        server = DevServer.running(own=True, home=Path(home), ephemeral=True, heap="1g")
        with server as running:
            note(f"{len(rows)} documents, {rounds} rounds, OpenSearch {running.version}")
            measure(running.url, running.version, rows, rounds)


def measure(url: str, version: str, rows: Sequence[Any], rounds: int) -> None:
    from opensearchpy import OpenSearch

    from opensearch_neural_sparse import BulkSender, WriteOptions
    from opensearch_neural_sparse.index.bulk.actions import bulk_actions
    from opensearch_neural_sparse.index.schema import IndexSchema
    from opensearch_neural_sparse.store.bulk.thread_sender import bulk_parameters

    by_default = WriteOptions(batch_size=BATCH, refresh=False)
    as_raw = replace(by_default, in_flight=THREADS)
    spent: dict[str, list[float]] = {"raw": [], "raw_by_four_threads": [], "own": [], "own_two_in_flight": []}
    bodies = [b"".join(own_lines(part)) for part in parts(rows)]
    with OpenSearch(url, timeout=120, pool_maxsize=4) as client:

        def fresh() -> str:
            name = f"write-path-{uuid.uuid4().hex}"
            client.indices.create(index=name, body=MAPPING)
            return name

        def raw(name: str, threads: int) -> int:
            with ThreadPoolExecutor(threads) as pool:
                answers = list(
                    pool.map(lambda body: client.bulk(body=body, index=name, params=bulk_parameters(as_raw)), bodies)
                )
            return sum("error" not in item["index"] for answer in answers for item in answer["items"])

        def own(name: str, options: WriteOptions) -> int:
            return BulkSender(client, name, options).send(bulk_actions(rows, IndexSchema())).written

        def run(label: str, write: Callable[[str], int]) -> None:
            began = time.process_time()
            written = write(next(names))
            spent[label].append(time.process_time() - began)
            if written != len(rows):
                raise SystemExit(f"{written} of {len(rows)} documents were written; there is nothing to compare.")

        names = iter([fresh() for _ in range(len(spent) * (rounds + 2))])
        ways = {
            "raw": partial(raw, threads=THREADS),
            "raw_by_four_threads": partial(raw, threads=by_default.in_flight),
            "own": partial(own, options=by_default),
            "own_two_in_flight": partial(own, options=as_raw),
        }
        candidates = {label: partial(run, label, write) for label, write in ways.items()}
        time_interleaved(candidates, rounds=2)  # the server warms up
        seconds = time_interleaved(candidates, rounds=rounds)
    print_report(
        {
            "benchmark": "write_path",
            **ratio_of_medians(seconds["raw"], seconds["own"]),
            **ratio_of_medians(seconds["raw"], seconds["own_two_in_flight"], prefix="ratio_two_in_flight"),
            **ratio_of_medians(seconds["raw"], seconds["raw_by_four_threads"], prefix="raw_by_four_threads"),
            "bar": 0.9,
            "documents_per_second": {
                name: round(len(rows) / statistics.median(taken)) for name, taken in seconds.items()
            },
            "client_us_per_document": {
                name: round(1e6 * statistics.median(taken[2:]) / len(rows), 1) for name, taken in spent.items()
            },
            **payload_ratios(rows),
            "characters": statistics.median(len(row.text) for row in rows),
            "tokens": statistics.median(len(row.vector) for row in rows),
            "documents": len(rows),
            "rounds": rounds,
            "server": version,
        }
    )


def parts(rows: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """Yield the rows of each request."""
    for start in range(0, len(rows), BATCH):
        yield rows[start : start + BATCH]


def own_lines(rows: Sequence[Any]) -> Iterator[bytes]:
    """Yield the lines of documents as they are written here."""
    from opensearch_neural_sparse.index.bulk.actions import BulkAction, bulk_actions
    from opensearch_neural_sparse.index.schema import IndexSchema

    yield from (action.body for action in bulk_actions(rows, IndexSchema()) if isinstance(action, BulkAction))


def payload_ratios(rows: Sequence[Any]) -> dict[str, float]:
    """Return the size of requests and of vectors over what they are with weights as float64."""
    from opensearch_neural_sparse.index.documents.feature_weights import shorten

    long = documents(200, 2 * CHARACTERS)
    short = sum(len(compact(shorten(row.vector))) for row in rows)
    whole = sum(len(compact(dict(row.vector))) for row in rows)
    return {
        "payload_ratio": payload_ratio(rows),
        "payload_ratio_720": payload_ratio(long),
        "vector_ratio": round(short / whole, 3),
        "bytes_per_document": round(sum(map(len, own_lines(rows))) / len(rows)),
    }


def payload_ratio(rows: Sequence[Any]) -> float:
    """Return the size of requests over what they are with weights as float64."""
    whole = sum(len(line) for row in rows for line in float64_lines(row))
    return round(sum(map(len, own_lines(rows))) / whole, 3)


def float64_lines(row: Any) -> Iterator[bytes]:
    """Yield the lines of a document whose weights are written as they are."""
    source = {"id": row.id, **row.metadata, "content": row.text, "sparse_vector": dict(row.vector)}
    for line in ({"index": {"_id": row.id}}, source):
        yield compact(line) + b"\n"


def compact(value: Any) -> bytes:
    """Return JSON as opensearch-py writes it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


if __name__ == "__main__":
    numbers = map(int, sys.argv[1:3] if len(sys.argv) > 2 else ("4000", "9"))
    main(*numbers, *map(Path, sys.argv[3:4]))

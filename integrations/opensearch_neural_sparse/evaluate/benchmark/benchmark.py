"""Measure the throughput and latency of encoding, writing and searching, interleaved against disturbances."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from statistics import fmean, median
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple, Self

from opensearch_neural_sparse.encode.document_encoder import DocumentEncoder, load_document_encoder
from opensearch_neural_sparse.encode.query_encoder import load_query_encoder
from opensearch_neural_sparse.evaluate.benchmark.clients import BULK, Throughput, time_bulk, time_searches
from opensearch_neural_sparse.evaluate.benchmark.sample import Sample
from opensearch_neural_sparse.evaluate.experiments.encoded_collection import Progress, ignore_progress
from opensearch_neural_sparse.evaluate.experiments.hybrid_spec import Hybrid
from opensearch_neural_sparse.evaluate.experiments.search_methods import search_methods
from opensearch_neural_sparse.evaluate.experiments.temporary_index import index_bytes, settle, temporary_index
from opensearch_neural_sparse.evaluate.metrics.flops import quantile
from opensearch_neural_sparse.index.documents.document import SparseDocument
from opensearch_neural_sparse.store._sync.store import NeuralSparseStore

if TYPE_CHECKING:
    from opensearchpy import OpenSearch

HITS = 10
WARM_UP = 5
QUERY_ENCODING = "query encoding"


@dataclass(frozen=True, kw_only=True)
class Latency:
    """Median and 99th percentile in milliseconds."""

    p50_ms: float
    p99_ms: float

    @classmethod
    def of(cls, seconds: Iterable[float]) -> Self:
        """Compute the quantiles of measurements in seconds."""
        times = [1000 * value for value in seconds]
        return cls(p50_ms=quantile(times, 0.5), p99_ms=quantile(times, 0.99))


@dataclass(frozen=True, kw_only=True)
class Speed:
    """Throughput, latency and index size of a model on a server.

    Attributes:
        documents: Number of documents encoded and written.
        document_tokens: Active dimensions of a document, on average.
        encoded_per_second: Documents encoded per second, the median of the rounds.
        written_per_second: Encoded documents written per second, the median of the rounds.
        index_bytes: Size of the index, merged to one segment: text, `_source` and vectors.
        latencies: Latency of `query encoding` and of each search method, query encoding included.
        clients: How many clients the next ones are of.
        throughputs: Throughput of each search method and of `bulk` by so many clients at once; empty of one.
    """

    documents: int
    document_tokens: float
    encoded_per_second: float
    written_per_second: float
    index_bytes: int
    latencies: Mapping[str, Latency]
    clients: int = 1
    throughputs: Mapping[str, Throughput] = field(default_factory=dict)


class _Part(NamedTuple):
    """Documents of a round, their mean tokens, and documents a second of both steps."""

    documents: Sequence[SparseDocument]
    tokens: float
    encoded_per_second: float
    written_per_second: float


def measure_speed(
    client: OpenSearch,
    model: str | Path,
    sample: Sample,
    *,
    rounds: int,
    clients: int = 1,
    progress: Progress = ignore_progress,
) -> Speed:
    """Measure encoding, writing and searching in rounds, in a temporary index of one shard.

    Args:
        client: A client of the server.
        model: Name, id or folder of the model.
        sample: Documents, at least one for each round, and queries.
        rounds: Number of rounds of encoding and writing, and of runs of each query by each search method.
        clients: How many threads search and write at once at the end; 1 leaves that out.
        progress: Called as the work goes on.
    """
    query_encoder = load_query_encoder(model)
    with (
        closing(load_document_encoder(model)) as encoder,
        temporary_index(client, "bench", model=model, query_encoder=query_encoder) as store,
    ):
        encoder.encode_documents(sample.documents[:1])  # loads the model
        written = [_write_part(store, encoder, sample.documents, number, rounds, progress) for number in range(rounds)]
        settle(store)
        searches = {method.name: method.search for method in search_methods(store, [Hybrid()], size=HITS)}
        calls: dict[str, Callable[[str], object]] = {QUERY_ENCODING: query_encoder.encode_query, **searches}
        seconds = time_in_turns(calls, sample.queries, rounds, progress)
        throughputs: dict[str, Throughput] = {}
        if clients > 1:
            throughputs = {name: time_searches(call, sample.queries, clients) for name, call in searches.items()}
            documents = [document for part in written for document in part.documents]
            throughputs[BULK] = time_bulk(store, documents, clients)
        return Speed(
            documents=len(sample.documents),
            document_tokens=fmean(part.tokens for part in written),
            encoded_per_second=median(part.encoded_per_second for part in written),
            written_per_second=median(part.written_per_second for part in written),
            index_bytes=index_bytes(client, store.index),
            latencies={name: Latency.of(values) for name, values in seconds.items()},
            clients=clients,
            throughputs=throughputs,
        )


def time_in_turns(
    calls: Mapping[str, Callable[[str], object]], texts: Sequence[str], rounds: int, progress: Progress
) -> dict[str, list[float]]:
    """Measure the seconds of each call for each text, the calls in a random order for each.

    Args:
        calls: Functions to time, by name.
        texts: Arguments of each call.
        rounds: Number of runs over all texts.
        progress: Called as the work goes on.
    """
    chance = Random(0)  # noqa: S311  no secret, and the same each time
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        for text in texts[:WARM_UP]:
            call(text)
    asked = [text for _ in range(rounds) for text in texts]
    for done, text in enumerate(asked, 1):
        for name in chance.sample(list(calls), len(calls)):
            began = perf_counter()
            calls[name](text)
            seconds[name].append(perf_counter() - began)
        progress("searching", done, len(asked))
    return seconds


def _write_part(
    store: NeuralSparseStore,
    encoder: DocumentEncoder,
    texts: Sequence[str],
    number: int,
    rounds: int,
    progress: Progress,
) -> _Part:
    """Encode and write one round's documents."""
    part = texts[number::rounds]
    began = perf_counter()
    vectors = encoder.encode_documents(part)
    encoded = perf_counter()
    documents = [
        SparseDocument(id=f"{number}-{place}", text=text, vector=vector)
        for place, (text, vector) in enumerate(zip(part, vectors, strict=True))
    ]
    store.write(documents)
    done = perf_counter()
    progress("encoding and writing", number + 1, rounds)
    return _Part(documents, fmean(map(len, vectors)), len(part) / (encoded - began), len(part) / (done - encoded))

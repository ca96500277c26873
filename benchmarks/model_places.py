"""Places of a model: in this process, behind HTTP, in the cluster, and in the cluster by a connector.

    python -m benchmarks.model_places [FOLDER] [--documents 1000] [--words 64] [--url http://localhost:9200]

FOLDER is a collection in BEIR's format; without one, texts and queries are made up. The model is
examples/models/small-en, the service `serve-encoder`, a process of its own. Without `--url`, a server of profile `ml`
is started for this; a named one keeps the model that is deployed there. Each place fills an index of its own; the
places take turns, part by part of the documents, so that what else the machine does strikes them alike.

`documents_per_second` is of `store.write`, refresh included, `ratio_...` how many times faster than `here` a place is.
`queries` are latencies of a search with the query's weights from the table here, and from the tokenizer in the server.
`memory_mb` is resident memory; `node_before` that of the server before the model was deployed, if it was not already.
`equality` compares an index with the vectors of this process: the largest difference of a weight, documents with other
tokens, and rankings of ten: `equal`, equal but for documents whose scores differ by less than 1e-5 of them (`ties`),
`different`.
"""

from __future__ import annotations

import argparse
import random
import statistics
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import httpx

from benchmarks.random_models import passages
from benchmarks.remote_encoding import resident_mb, served
from benchmarks.report import note, print_report, ratio_of_medians, time_interleaved
from benchmarks.search_ways import milliseconds, time_searches
from opensearch_neural_sparse import (
    DeployedModel,
    NeuralSparseStore,
    SearchHits,
    SearchOptions,
    ServerEncoding,
    ServerModels,
    ServerQuery,
    SparseDocument,
    SparseVector,
    WriteOptions,
    load_document_encoder,
)
from opensearch_neural_sparse.devserver import DevServer, Profile
from opensearch_neural_sparse.evaluate.datasets.beir import read_collection

MODEL = Path(__file__).resolve().parents[1] / "examples" / "models" / "small-en"
SETTINGS = {"number_of_shards": 1, "number_of_replicas": 0}
WHOLE = WriteOptions(refresh=True, exact_weights=True)
"""Weights as the server's pipeline keeps them."""
HERE, SIZE, TIE = "here", 10, 1e-5
Texts = Mapping[str, str]
Vectors = Mapping[str, SparseVector]


def read_texts(folder: Path | None, count: int, queries: int, words: int | None) -> tuple[dict[str, str], list[str]]:
    """Return documents, cut to their first words, and queries."""
    if folder is None:
        made, chance = passages("doc-v3-distill", count), random.Random(0)
        documents = {str(number): text for number, text in enumerate(made)}
        asked = [" ".join(chance.sample(chance.choice(made).split(), 8)) for _ in range(queries)]
    else:
        collection = read_collection(folder)
        documents = dict(islice(collection.documents.items(), count))
        asked = list(islice(collection.queries.values(), queries))
    return {key: " ".join(text.split()[:words]) for key, text in documents.items()}, asked


@contextmanager
def server_at(url: str | None, version: str | None) -> Iterator[str]:
    """Yield the URL of a server that runs models: the named one, or one of its own."""
    if url is not None:
        yield url
        return
    chosen: dict[str, Any] = {"version": version} if version else {}
    with DevServer.running(own=True, profile=Profile.ML, heap="2g", **chosen) as server:
        yield server.url


@contextmanager
def connected(models: ServerModels, service: str) -> Iterator[DeployedModel]:
    """Connect the server to the service until the end of the block."""
    remote = models.deploy_remote(service, name=f"model-places-{uuid.uuid4().hex[:8]}")
    try:
        yield remote
    finally:
        models.delete(remote.model_id, force=True)


def places(service: str, local: DeployedModel, remote: DeployedModel) -> dict[str, dict[str, Any]]:
    """Return the arguments of the store of each place, by its name."""
    return {
        HERE: {"encoder_options": {"engine": "onnx"}},
        "http": {"encoder_options": {"url": service}},
        "cluster": {"server_encoding": ServerEncoding(model_id=local.model_id)},
        "connector": {"server_encoding": ServerEncoding(model_id=remote.model_id)},
    }


@contextmanager
def filled_by(url: str, place: str, arguments: Mapping[str, Any]) -> Iterator[NeuralSparseStore]:
    """Create an index for a place, and delete it and its pipeline at the end of the block."""
    name = f"model-places-{place}-{uuid.uuid4().hex[:8]}"
    with NeuralSparseStore(name, url=url, model=MODEL, client_options={"timeout": 300}, **arguments) as store:
        store.create(settings=SETTINGS)
        try:
            yield store
        finally:
            store.delete_index()
            store.client().ingest.delete_pipeline(id=f"{name}-sparse-encoding", ignore=[404])


def write_in_turns(stores: Mapping[str, NeuralSparseStore], texts: Texts, rounds: int) -> dict[str, list[float]]:
    """Write all documents to every index, a part each round, and return the documents a second of each part."""
    rows = [SparseDocument(id=key, text=text) for key, text in texts.items()]
    parts = [rows[place::rounds] for place in range(rounds)]
    for store in stores.values():  # so that a model that is loaded by its first text is loaded
        store.write(rows[:1], options=WHOLE)

    def writer(store: NeuralSparseStore) -> Callable[[], object]:
        left = iter(parts)
        return lambda: store.write(next(left), options=WHOLE)

    seconds = time_interleaved({name: writer(store) for name, store in stores.items()}, rounds=rounds)
    return {name: [len(rows) / rounds / each for each in taken] for name, taken in seconds.items()}


def compare_vectors(found: Vectors, expected: Vectors) -> dict[str, Any]:
    """Return how far the vectors of an index are from those of this process."""
    other = [key for key, vector in expected.items() if set(found.get(key, ())) != set(vector)]
    differences = (
        abs(found[key][token] - vector[token])
        for key, vector in expected.items()
        if key in found
        for token in set(vector) & set(found[key])
    )
    return {"largest_difference": max(differences, default=0.0), "other_tokens": len(other)}


def compare_rankings(hits: SearchHits, own: SearchHits) -> str:
    """Return whether a ranking is `equal` to one from here, has other `ties`, or is `different`."""
    here = {hit.id: hit.score for hit in own}
    pairs = list(zip(hits[:SIZE], own[:SIZE], strict=False))
    if len(hits[:SIZE]) == len(own[:SIZE]) and all(hit.id == mine.id for hit, mine in pairs):
        return "equal"
    tied = all(abs(here.get(hit.id, hit.score) - mine.score) <= TIE * mine.score for hit, mine in pairs)
    return "ties" if tied and len(hits[:SIZE]) == len(own[:SIZE]) else "different"


def equality(
    stores: Mapping[str, NeuralSparseStore], vectors: Vectors, queries: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """Compare every index with the vectors of this process, and with the index that they were written to."""
    found: dict[str, dict[str, Any]] = {}
    own = [stores[HERE].search(query, size=2 * SIZE) for query in queries]
    for name, store in stores.items():
        held = {document.id: document.vector or SparseVector({}) for document in store.get(list(vectors))}
        ranked = [
            compare_rankings(store.search(text, size=SIZE), mine) for text, mine in zip(queries, own, strict=True)
        ]
        found[name] = compare_vectors({str(key): vector for key, vector in held.items()}, vectors)
        found[name] |= {kind: ranked.count(kind) for kind in ("equal", "ties", "different")}
    return found


def query_latencies(
    store: NeuralSparseStore, tokenizer: str, queries: Sequence[str], rounds: int
) -> dict[str, list[float]]:
    """Return the seconds of searches with the query's weights from here, and from the tokenizer in the server."""
    by_server = SearchOptions(server_query=ServerQuery(model_id=tokenizer))
    ways = {
        "table_here": lambda text: store.search(text, size=SIZE),
        "tokenizer_in_server": lambda text: store.search(text, size=SIZE, options=by_server),
    }
    return time_searches(ways, queries, rounds)


def node_mb(client: Any) -> float | None:
    """Return the resident memory of the server's node, if it is a process of this machine."""
    (node,) = client.nodes.info(node_id="_local", metric="process")["nodes"].values()
    return process_mb(node["process"]["id"])


def process_mb(process: int | str) -> float | None:
    """Return the resident memory of a process, as Linux shows it."""
    status = Path(f"/proc/{process}/status")
    lines = status.read_text().splitlines() if status.is_file() else []
    return next((round(int(line.split()[1]) / 1024) for line in lines if line.startswith("VmRSS:")), None)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--documents", type=int, default=1000)
    parser.add_argument("--words", type=int, help="first words of a document that are written; all by default")
    parser.add_argument("--queries", type=int, default=300)
    parser.add_argument("--write-rounds", type=int, default=10)
    parser.add_argument("--search-rounds", type=int, default=300)
    parser.add_argument("--url", help="a server that may run models, in place of one of its own")
    parser.add_argument("--server", help="version of the server that is started")
    arguments = parser.parse_args()
    texts, queries = read_texts(arguments.folder, arguments.documents, arguments.queries, arguments.words)
    with ExitStack() as stack:
        url = stack.enter_context(server_at(arguments.url, arguments.server))
        service = stack.enter_context(served())
        models = stack.enter_context(ServerModels(url=url, client_options={"timeout": 300}))
        before = node_mb(models.client())
        local = models.deploy(MODEL)
        remote = stack.enter_context(connected(models, service))
        stores = {
            name: stack.enter_context(filled_by(url, name, chosen))
            for name, chosen in places(service, local, remote).items()
        }
        here = stores[HERE]
        version = here.client().info()["version"]["number"]
        note(f"{len(texts)} documents to OpenSearch {version}, in {arguments.write_rounds} parts.")
        rates = write_in_turns(stores, texts, arguments.write_rounds)
        note(f"Documents a second: { {name: round(statistics.median(each), 1) for name, each in rates.items()} }.")
        with httpx.Client(base_url=service) as client:
            memory = {"here": process_mb("self"), "service": round(resident_mb(client))}
        memory |= {"node_before": before, "node": node_mb(here.client())}
        with load_document_encoder(MODEL, engine="onnx") as encoder:
            vectors = dict(zip(texts, encoder.encode_documents(list(texts.values())), strict=True))
        compared = equality(stores, vectors, queries)
        note(f"Equality: {compared}.")
        latencies = query_latencies(here, local.query_model_id, queries, arguments.search_rounds)
    ratios: dict[str, float] = {}
    for name, taken in rates.items():
        if name != HERE:
            ratios |= ratio_of_medians(taken, rates[HERE], f"ratio_{name}")
    print_report(
        {
            "server": version,
            "documents": len(texts),
            "words": round(statistics.median(len(text.split()) for text in texts.values())),
            "documents_per_second": {name: round(statistics.median(each), 1) for name, each in rates.items()},
            **ratios,
            "queries": {name: milliseconds(taken) for name, taken in latencies.items()},
            "memory_mb": memory,
            "equality": compared,
        }
    )


if __name__ == "__main__":
    main()

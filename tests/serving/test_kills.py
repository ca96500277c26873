"""The encoder killed in the middle of a load: no document is lost, and none is stored without its vector."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Timer
from typing import Any

import pytest

pytest.importorskip("haystack_integrations.document_stores.opensearch", reason="the haystack extra is not installed")
pytest.importorskip("langchain_core", reason="the langchain extra is not installed")

from haystack import Document as HaystackDocument
from langchain_core.documents import Document

from haystack_integrations.document_stores.opensearch_neural_sparse import OpenSearchNeuralSparseDocumentStore
from langchain_opensearch_neural_sparse import OpenSearchNeuralSparseVectorStore
from opensearch_neural_sparse import (
    DocumentEncoder,
    Load,
    NeuralSparseError,
    NeuralSparseStore,
    ServerEncoding,
    ServerModels,
    SparseDocument,
    WriteOptions,
)
from tests.conftest import RunningServer
from tests.paths import SMALL_MODEL
from tests.server_models.own_names import own_name
from tests.serving.conftest import KillableService

pytestmark = [pytest.mark.slow, pytest.mark.newest_server]

SETTINGS = {"number_of_shards": 1, "number_of_replicas": 0}
TEXTS = {str(n): f"The river number {n} runs to the sea, and boat {n * 7} waits in the harbour." for n in range(240)}
OPTIONS = WriteOptions(batch_size=20, max_retries=2, initial_backoff=0.05, exact_weights=True)
REMOTE = {"batch_size": 10, "max_retries": 2, "initial_backoff": 0.05, "in_flight": 2}
LAYERS = ("core", "haystack", "langchain")
Interrupt = Callable[[], None]
LoadOnce = Callable[[Iterator[tuple[str, str]]], Any]


@pytest.fixture
def remote_id(model_client: Any, service: KillableService) -> Iterator[str]:
    """The service behind a connector of the server: the model's id."""
    with own_name(model_client) as name, ServerModels(model_client) as models:
        yield models.deploy_remote(service.url, name=name).model_id


@pytest.fixture
def server_index(model_client: Any, model_index: str) -> Iterator[str]:
    yield model_index
    model_client.indices.delete(index=model_index, ignore_unavailable=True)
    model_client.ingest.delete_pipeline(id=f"{model_index}-sparse-encoding", ignore=[404])


def interrupted(interrupt: Interrupt) -> Iterator[tuple[str, str]]:
    """Yield the documents, and interrupt the encoder shortly after one of them, chosen by chance."""
    place = random.randrange(60, 160)
    for number, row in enumerate(TEXTS.items()):
        if number == place:
            Timer(random.random() / 5, interrupt).start()
        yield row


@contextmanager
def loading(layer: str, index: str, url: str, journal: Path, **encoding: Any) -> Iterator[LoadOnce]:
    """Yield what loads documents through a layer, with a journal: `load(rows)`."""
    arguments: dict[str, Any] = {"source": "rows", "journal": journal}
    if layer == "haystack":
        if (encoder := encoding.pop("encoder_options", None)) is not None:
            encoding |= {"encoder_url": encoder["url"], "remote_options": encoder["remote_options"]}
        store = OpenSearchNeuralSparseDocumentStore(
            hosts=url, index=index, model=str(SMALL_MODEL), settings=SETTINGS, **encoding
        )
        try:
            yield lambda rows: store.ingest(
                Load((HaystackDocument(id=name, content=text) for name, text in rows), **arguments), batch_size=20
            )
        finally:
            store.close()
    elif layer == "langchain":
        with OpenSearchNeuralSparseVectorStore(
            index, url=url, model=SMALL_MODEL, settings=SETTINGS, **encoding
        ) as vectors:
            yield lambda rows: vectors.ingest(
                Load((Document(id=name, page_content=text) for name, text in rows), **arguments), batch_size=20
            )
    else:
        with NeuralSparseStore(index, url=url, model=SMALL_MODEL, **encoding) as own:
            own.create(settings=SETTINGS, exist_ok=True)
            yield lambda rows: own.ingest(
                Load((SparseDocument(id=name, text=text) for name, text in rows), **arguments), options=OPTIONS
            )


def first_outcome(load: LoadOnce, interrupt: Interrupt) -> str:
    """Load until the encoder is away, and return the error or the report's reasons."""
    try:
        report = load(interrupted(interrupt))
    except NeuralSparseError as error:
        return str(error)
    return " ".join([str(report.stopped), *(letter.reason for letter in report.letters)])


def ensure_all_stored(
    client: Any,
    index: str,
    encoder: DocumentEncoder,
    *,
    complete: bool,
    tolerance: float,
    texts: Mapping[str, str] = TEXTS,
) -> int:
    """Check that what is stored has the vectors of this process, and return how many documents there are."""
    client.indices.refresh(index=index)
    hits = client.search(index=index, body={"size": 1000, "query": {"match_all": {}}})["hits"]["hits"]
    stored = {hit["_id"]: hit["_source"] for hit in hits}
    assert len(stored) == len(hits) == client.count(index=index)["count"]
    assert stored.keys() == texts.keys() if complete else stored.keys() <= texts.keys()
    expected = encoder.encode_documents([texts[name] for name in stored])
    for source, vector in zip(stored.values(), expected, strict=True):
        assert source["sparse_vector"] == pytest.approx(dict(vector), abs=tolerance, rel=tolerance)
        assert source["sparse_vector_model"]
    return len(stored)


@pytest.mark.parametrize("layer", LAYERS)
def test_an_encoder_of_clients_that_is_killed_loses_nothing(
    layer: str,
    server: RunningServer,
    client: Any,
    index_name: str,
    service: KillableService,
    encoder: DocumentEncoder,
    tmp_path: Path,
) -> None:
    options = {"encoder_options": {"url": service.url, "remote_options": REMOTE}}
    with loading(layer, index_name, server.url, tmp_path / "journal", **options) as load:
        assert service.url.removeprefix("http://") in first_outcome(load, service.kill)
    tolerance = 1e-5 if layer == "core" else 2**-8  # the layers write weights as the index keeps them
    assert ensure_all_stored(client, index_name, encoder, complete=False, tolerance=tolerance) < len(TEXTS)
    service.start()
    with loading(layer, index_name, server.url, tmp_path / "journal", **options) as load:
        report = load(iter(TEXTS.items()))
    assert (report.complete, report.written + report.unchanged) == (True, len(TEXTS))
    ensure_all_stored(client, index_name, encoder, complete=True, tolerance=tolerance)


@pytest.mark.parametrize("layer", LAYERS)
def test_an_encoder_of_the_server_that_is_killed_loses_nothing(
    layer: str,
    model_server: RunningServer,
    model_client: Any,
    server_index: str,
    remote_id: str,
    service: KillableService,
    encoder: DocumentEncoder,
    tmp_path: Path,
) -> None:
    options = {"server_encoding": ServerEncoding(model_id=remote_id)}
    with loading(layer, server_index, model_server.url, tmp_path / "journal", **options) as load:
        if layer == "core":  # gives up soon: the encoder stays away
            reasons = first_outcome(load, service.kill)
            assert "remote" in reasons, reasons
            assert ensure_all_stored(model_client, server_index, encoder, complete=False, tolerance=1e-5) < len(TEXTS)
            service.start()
        else:  # sends documents again for half a minute: the encoder is back before
            reasons = first_outcome(load, service.restart)
            written = ensure_all_stored(model_client, server_index, encoder, complete=False, tolerance=1e-5)
            assert written == len(TEXTS) or "remote" in reasons, reasons
    with loading(layer, server_index, model_server.url, tmp_path / "journal", **options) as load:
        report = load(iter(TEXTS.items()))
    assert (report.complete, report.written + report.unchanged) == (True, len(TEXTS))
    ensure_all_stored(model_client, server_index, encoder, complete=True, tolerance=1e-5)

"""Other models for an index by the workers of Ray, against a real server and a real Ray on this machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest

from benchmarks.ingest_ray import worker_pids
from opensearch_neural_sparse import (
    IndexSchemaError,
    ModelMismatchError,
    NeuralSparseError,
    NeuralSparseStore,
    WriteOptions,
    add_field_by_ray,
    reindex_by_ray,
)
from opensearch_neural_sparse.distributed import ray_shards
from opensearch_neural_sparse.index.binding.reindex_mark import read_mark
from opensearch_neural_sparse.transport.shards import NO_SHARD_STATUS
from tests.conftest import RunningServer
from tests.paths import SMALL_MODEL

pytestmark = [
    pytest.mark.slow,
    pytest.mark.newest_server,
    pytest.mark.xdist_group("ray"),
    pytest.mark.filterwarnings("ignore"),  # of Ray's own
    pytest.mark.usefixtures("ray"),
]
SHARDS, DOCUMENTS = 4, 400
WORKERS: dict[str, Any] = {"workers": 2, "cpus": 1.0, "encoder_options": {"threads": 1}}
PAGES = WriteOptions(batch_size=10)


@pytest.fixture
def other_model(snapshot: Callable[..., Path]) -> Path:
    return snapshot(mode="bi-encoder", seed=7)


@pytest.fixture
def store(server: RunningServer, index_name: str) -> Iterator[NeuralSparseStore]:
    with NeuralSparseStore(index_name, url=server.url, model=SMALL_MODEL, encoder_options={"threads": 1}) as store:
        store.create(settings={"number_of_shards": SHARDS, "number_of_replicas": 0})
        store.write({"id": f"r{n}", "text": f"A stone in river {n}."} for n in range(DOCUMENTS))
        yield store


@pytest.fixture
def target(client: Any, index_name: str) -> Iterator[str]:
    yield f"{index_name}-new"
    client.indices.delete(index=f"{index_name}-new", ignore_unavailable=True)


def texts(client: Any, index: str) -> dict[str, str]:
    client.indices.refresh(index=index)
    hits = client.search(index=index, body={"size": 10 * DOCUMENTS, "_source": ["content"]})["hits"]["hits"]
    assert len(hits) == len({hit["_id"] for hit in hits})
    return {hit["_id"]: hit["_source"]["content"] for hit in hits}


def count(client: Any, index: str, field: str) -> int:
    """Count documents with a field; an index that is missing, or that has no started shard, has none."""
    client.indices.refresh(index=index, params={"ignore_unavailable": "true"})
    asked = {"query": {"exists": {"field": field}}}
    params = {"ignore_unavailable": "true", "ignore": NO_SHARD_STATUS}
    return int(client.count(index=index, body=asked, params=params).get("count", 0))


def settled_count(client: Any, index: str, field: str) -> int:
    """Count documents with a field once that stays the same: the server may work on a request of a killed worker."""
    before, found = -1, count(client, index, field)
    while found != before:
        sleep(1)
        before, found = found, count(client, index, field)
    return found


class Killer(threading.Thread):
    """Kills one of the workers as soon as an index holds some vectors in a field."""

    def __init__(self, client: Any, index: str, field: str) -> None:
        super().__init__(daemon=True)
        self.killed: list[int] = []
        self.seen = 0
        self._client, self._index, self._field = client, index, field

    def run(self) -> None:
        ends = monotonic() + 120
        while not self.killed and monotonic() < ends:
            self.seen = count(self._client, self._index, self._field)
            if self.seen and (pids := worker_pids("_run_shard")):
                os.kill(pids[0], signal.SIGKILL)
                self.killed.append(pids[0])
            sleep(0.02)


def test_copy_by_workers_of_which_one_is_killed_is_whole(
    store: NeuralSparseStore, client: Any, target: str, other_model: Path
) -> None:
    alias = f"{target}-alias"
    client.indices.put_alias(index=store.index, name=alias)
    killer = Killer(client, target, "sparse_vector_model")
    killer.start()
    report = reindex_by_ray(store, target, model=other_model, alias=alias, options=PAGES, **WORKERS)
    killer.join()
    assert killer.killed
    assert killer.seen < DOCUMENTS
    assert (report.index, report.documents, report.without_vector) == (target, DOCUMENTS, 0)
    assert 0 < report.encoded <= DOCUMENTS
    assert texts(client, target) == {f"r{n}": f"A stone in river {n}." for n in range(DOCUMENTS)}
    stats = client.indices.stats(index=target, metric="indexing,docs")["_all"]["primaries"]
    assert stats["docs"]["count"] == DOCUMENTS
    assert stats["indexing"]["index_total"] <= DOCUMENTS + PAGES.batch_size
    assert list(client.indices.get_alias(name=alias)) == [target]
    assert read_mark(client.indices.get_mapping(index=target)[target]["mappings"]) is None
    assert "blocks" not in client.indices.get_settings(index=store.index)[store.index]["settings"]["index"]
    again = reindex_by_ray(store, target, model=other_model, alias=alias, **WORKERS)
    assert (again.documents, again.encoded) == (DOCUMENTS, 0)


PROGRAM = """
import sys, ray
from opensearch_neural_sparse import NeuralSparseStore, WriteOptions, reindex_by_ray
address, url, index, target, own, model = sys.argv[1:]
ray.init(address=address, log_to_driver=False)
options = {"encoder_options": {"threads": 1}, "options": WriteOptions(batch_size=10)}
store = NeuralSparseStore(index, url=url, model=own)
reindex_by_ray(store, target, model=model, alias=f"{target}-alias", workers=2, **options)
"""


def test_program_that_is_killed_is_continued_by_the_same_call(
    ray: Any, store: NeuralSparseStore, client: Any, server: RunningServer, target: str, other_model: Path
) -> None:
    alias, marker = f"{target}-alias", "sparse_vector_model"
    client.indices.put_alias(index=store.index, name=alias)
    address = ray.get_runtime_context().gcs_address
    arguments = [address, server.url, store.index, target, str(SMALL_MODEL), str(other_model)]
    with subprocess.Popen([sys.executable, "-c", PROGRAM, *arguments]) as program:
        try:
            wait_until(lambda: count(client, target, marker) > 0)
        finally:
            program.kill()
    wait_until(lambda: not worker_pids("_run_shard"))
    there = settled_count(client, target, marker)
    assert 0 < there < DOCUMENTS
    assert list(client.indices.get_alias(name=alias)) == [store.index]
    report = reindex_by_ray(store, target, model=other_model, alias=alias, **WORKERS)
    assert (report.documents, report.encoded) == (DOCUMENTS, DOCUMENTS - there)
    assert texts(client, target) == texts(client, store.index)
    assert list(client.indices.get_alias(name=alias)) == [target]


def wait_until(true: Callable[[], bool]) -> None:
    ends = monotonic() + 120
    while not true():
        assert monotonic() < ends
        sleep(0.02)


def test_report_counts_what_workers_encoded(
    store: NeuralSparseStore, client: Any, target: str, other_model: Path
) -> None:
    store.write([{"id": "bare", "metadata": {"year": 2026}}])
    with pytest.raises(IndexSchemaError, match="have no text to encode: 'bare'"):
        reindex_by_ray(store, target, model=other_model, **WORKERS)
    assert not client.indices.exists(index=target)
    report = reindex_by_ray(store, target, model=other_model, on_missing_text="keep", **WORKERS)
    assert (report.documents, report.encoded) == (DOCUMENTS + 1, DOCUMENTS + 1)
    assert (report.without_text, report.without_vector) == (1, 1)


def test_field_by_workers_of_which_one_is_killed_is_whole(
    store: NeuralSparseStore, client: Any, other_model: Path
) -> None:
    marker = "sparse_other_model"
    killer = Killer(client, store.index, marker)
    killer.start()
    encoded = add_field_by_ray(store, "sparse_other", model=other_model, options=PAGES, **WORKERS)
    killer.join()
    assert killer.killed
    assert killer.seen < DOCUMENTS
    assert 0 < encoded <= DOCUMENTS
    assert count(client, store.index, marker) == DOCUMENTS
    assert add_field_by_ray(store, "sparse_other", model=other_model, **WORKERS) == 0
    with pytest.raises(ModelMismatchError):
        add_field_by_ray(store, "sparse_other", model=SMALL_MODEL, **WORKERS)


def test_shard_whose_worker_dies_too_often_is_given_up_and_continued_by_the_same_call(
    store: NeuralSparseStore, client: Any, target: str, other_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killer = Killer(client, target, "sparse_vector_model")
    with monkeypatch.context() as patch:
        patch.setattr(ray_shards, "RETRIES", 0)
        killer.start()
        with pytest.raises(NeuralSparseError, match=r"The worker of shard \d died 1 times, at last by WorkerCrashed"):
            reindex_by_ray(store, target, model=other_model, options=PAGES, **WORKERS)
    killer.join()
    assert worker_pids("_run_shard") == []
    there = settled_count(client, target, "sparse_vector_model")
    assert 0 < there < DOCUMENTS
    report = reindex_by_ray(store, target, model=other_model, **WORKERS)
    assert (report.documents, report.encoded) == (DOCUMENTS, DOCUMENTS - there)
    assert texts(client, target) == texts(client, store.index)


def test_errors_of_workers_are_raised_as_themselves(
    store: NeuralSparseStore, client: Any, target: str, other_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.reindex_with_model(target, model=other_model, shards=())
    client.index(index=store.index, id="bare", body={"id": "bare"}, params={"refresh": "true"})
    with pytest.raises(IndexSchemaError, match="have no text to encode: 'bare'") as raised:
        reindex_by_ray(store, target, model=other_model, **WORKERS)
    assert type(raised.value) is IndexSchemaError


def test_what_ray_has_no_room_for_is_refused(
    store: NeuralSparseStore, client: Any, target: str, other_model: Path
) -> None:
    options: dict[str, Any] = {"model": other_model, "encoder_options": {"threads": 1}}
    with pytest.raises(
        ValueError, match=r"5 workers of 1 CPUs exceed Ray's 4, and Ray would wait forever\. .*num_cpus"
    ):
        reindex_by_ray(store, target, workers=5, **options)
    with pytest.raises(ValueError, match=r"1 workers of 8 GPUs exceed Ray's \d+, .*num_gpus"):
        add_field_by_ray(store, "sparse_other", gpus=8, **options)
    with pytest.raises(ValueError, match="At least one worker"):
        reindex_by_ray(store, target, workers=0, **options)
    with pytest.raises(TypeError, match="cannot be pickled"):
        reindex_by_ray(NeuralSparseStore(store.index, client=client), target, **options)
    assert not client.indices.exists(index=target)

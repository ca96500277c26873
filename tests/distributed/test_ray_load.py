"""Loads by the workers of Ray, against a real server and a real Ray on this machine."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.ingest_ray import worker_pids
from opensearch_neural_sparse import (
    IndexJournal,
    IndexNotFoundError,
    JournalError,
    Load,
    LoadProgress,
    LoadReport,
    NeuralSparseError,
    NeuralSparseStore,
    ServerEncoding,
    SqliteJournal,
    WriteOptions,
    ingest_dataset,
)
from opensearch_neural_sparse.server_models.deployed_model import DeployedModel
from tests.conftest import RunningServer
from tests.faulty_proxy import Fault, FaultyProxy, at_random
from tests.paths import SMALL_MODEL

pytestmark = [
    pytest.mark.slow,
    pytest.mark.newest_server,
    pytest.mark.xdist_group("ray"),
    pytest.mark.filterwarnings("ignore"),  # of Ray's own
]
WRITERS: dict[str, Any] = {"writers": 2, "cpus": 0.5, "rows_per_batch": 100}
MakeDataset = Callable[[Iterable[dict[str, Any]]], Any]


@pytest.fixture
def dataset(ray: Any, tmp_path: Path) -> MakeDataset:
    """Make datasets of rows."""

    def make(rows: Iterable[dict[str, Any]]) -> Any:
        path = tmp_path / f"rows-{len(list(tmp_path.glob('rows-*')))}.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        return ray.data.read_json(str(path))

    return make


@pytest.fixture
def store(server: RunningServer, index_name: str) -> Iterator[NeuralSparseStore]:
    options = {"threads": 1}
    with NeuralSparseStore(index_name, url=server.url, model=SMALL_MODEL, encoder_options=options) as store:
        store.create(settings={"number_of_shards": 1})
        yield store


@pytest.fixture
def journal(server: RunningServer, index_name: str, client: Any) -> Iterator[IndexJournal]:
    yield IndexJournal(f"{index_name}-journal", url=server.url)
    client.indices.delete(index=f"{index_name}-journal", ignore_unavailable=True)


def rows(numbers: Iterable[int]) -> list[dict[str, Any]]:
    return [{"id": f"r{n}", "text": f"A stone in river {n}.", "n": n} for n in numbers]


def counts(report: LoadReport) -> tuple[int, int, int, int, int]:
    return report.written, report.unchanged, report.refused, report.deleted, report.left


def stored(store: NeuralSparseStore) -> dict[str, str | None]:
    store.refresh()
    return {str(document.id): document.text for document in store.scan()}


def test_repeated_load_writes_what_changed_and_deletes_what_is_gone(
    dataset: MakeDataset, store: NeuralSparseStore, journal: IndexJournal
) -> None:
    load = Load(dataset(rows(range(250))), source="rivers", journal=journal, sync=True)
    assert counts(ingest_dataset(store, load, **WRITERS)) == (250, 0, 0, 0, 0)
    assert stored(store) == {row["id"]: row["text"] for row in rows(range(250))}
    changed = rows(range(50, 250))
    changed[3]["text"] = "A lake."
    again = Load(dataset(changed), source="rivers", journal=journal, sync=True)
    seen: list[LoadProgress] = []
    assert counts(ingest_dataset(store, again, **WRITERS, progress=seen.append)) == (1, 199, 0, 50, 0)
    assert (seen[-1].read, seen[-1].written, seen[-1].unchanged) == (200, 1, 199)
    assert stored(store) == {row["id"]: row["text"] for row in changed}
    status = journal.status()
    assert (status.rows, status.runs, status.finished) == (200, 2, True)


def test_batch_of_a_killed_worker_is_done_again_by_another(
    dataset: MakeDataset, store: NeuralSparseStore, journal: IndexJournal
) -> None:
    killed: list[int] = []

    def kill(progress: LoadProgress) -> None:
        if len(killed) < 2 and progress.read >= 100 * (1 + 2 * len(killed)):
            killed.append(worker_pids("BatchWriter")[0])
            os.kill(killed[-1], signal.SIGKILL)

    load = Load(dataset(rows(range(1000))), source="rivers", journal=journal)
    report = ingest_dataset(store, load, **WRITERS, progress=kill)
    assert len(killed) == 2
    assert (report.read, report.written + report.unchanged, report.complete) == (1000, 1000, True)
    assert stored(store) == {row["id"]: row["text"] for row in rows(range(1000))}


def test_rows_that_fail_are_dead_letters(
    dataset: MakeDataset, store: NeuralSparseStore, journal: IndexJournal, tmp_path: Path
) -> None:
    given = [*rows(range(20)), {"id": None, "text": "No id.", "n": 1}, {"id": "no text", "text": None, "n": 1}]
    letters = tmp_path / "failed.jsonl"
    load = Load(dataset(given), source="rivers", journal=journal, sync=True, dead_letters=letters)
    report = ingest_dataset(store, load, **WRITERS)
    assert counts(report) == (20, 0, 2, 0, 0)
    assert report.not_deleted == "No document was deleted, since 2 rows could not be read."
    found = {letter["place"]: letter for letter in map(json.loads, letters.read_text().splitlines())}
    assert found.keys() == {"a row without 'id'", "no text"}
    assert {letter["stage"] for letter in found.values()} == {"read"}
    few = Load(dataset(given), source="rivers", journal=journal, max_errors=1)
    stopped = ingest_dataset(store, few, **WRITERS)
    assert stopped.stopped is not None
    assert "More than 1 rows failed" in stopped.stopped


def test_errors_of_the_index_are_raised_as_themselves(
    dataset: MakeDataset, store: NeuralSparseStore, journal: IndexJournal
) -> None:
    data = dataset(rows(range(5)))
    store.delete_index()
    with pytest.raises(IndexNotFoundError):
        ingest_dataset(store, Load(data), **WRITERS)
    with pytest.raises(IndexNotFoundError):
        ingest_dataset(store, Load(data, journal=journal), **WRITERS)


def test_what_workers_cannot_share_is_refused(
    dataset: MakeDataset, store: NeuralSparseStore, client: Any, tmp_path: Path
) -> None:
    data = dataset(rows(range(5)))
    with pytest.raises(ValueError, match=r"cannot share the journal .*IndexJournal\("):
        ingest_dataset(store, Load(data, journal=SqliteJournal(tmp_path / "j")), **WRITERS)
    with pytest.raises(TypeError, match="a Ray dataset, got list"):
        ingest_dataset(store, Load(rows(range(5))), **WRITERS)
    with pytest.raises(ValueError, match="leave less than one of Ray's 4 CPUs"):
        ingest_dataset(store, Load(data), writers=4)
    with pytest.raises(ValueError, match="At least one writer"):
        ingest_dataset(store, Load(data), writers=0)
    with pytest.raises(TypeError, match="cannot be pickled"):
        ingest_dataset(NeuralSparseStore(store.index, client=client, model=SMALL_MODEL), Load(data), **WRITERS)


def test_load_that_another_one_takes_over_ends_with_an_error(
    dataset: MakeDataset, store: NeuralSparseStore, journal: IndexJournal, server: RunningServer
) -> None:
    other = IndexJournal(journal.name, url=server.url)

    def take_over(progress: LoadProgress) -> None:
        if progress.read == 50:
            other.begin(store.load_target("rivers"), restart=False)

    load = Load(dataset(rows(range(1000))), source="rivers", journal=journal)
    options: dict[str, Any] = {**WRITERS, "rows_per_batch": 50, "options": WriteOptions(batch_size=50)}
    with pytest.raises(JournalError, match="Another program has begun"):
        ingest_dataset(store, load, **options, progress=take_over)
    other.close()


def test_repeated_loads_come_through_a_hostile_network(
    dataset: MakeDataset, store: NeuralSparseStore, journal: IndexJournal, server: RunningServer
) -> None:
    given, options = dataset(rows(range(300))), WriteOptions(batch_size=50, max_retries=3, initial_backoff=0.01)
    with FaultyProxy(server.url, at_random(4, 0.1), drip_seconds=0.2) as proxy:
        behind: dict[str, Any] = {"url": proxy.url, "client_options": {"timeout": 2}}
        parts: dict[str, Any] = {"model": SMALL_MODEL, "encoder_options": {"threads": 1}}
        reports, reasons = [], []
        for _ in range(12):
            load = Load(given, source="rivers", journal=IndexJournal(journal.name, **behind))
            try:
                reports.append(
                    ingest_dataset(NeuralSparseStore(store.index, **behind, **parts), load, **WRITERS, options=options)
                )
            except NeuralSparseError as error:
                reasons.append(str(error))
            else:
                if reports[-1].complete:
                    break
        assert reports[-1].complete
        assert any(fault is not Fault.PASS for fault in proxy.faults)
        assert all(reasons)
        assert all(report.stopped or report.letters for report in reports[:-1])
    assert stored(store) == {row["id"]: row["text"] for row in rows(range(300))}


def test_workers_have_the_server_encode_and_cut_what_they_write(
    dataset: MakeDataset, model_server: RunningServer, model_client: Any, model_index: str, deployed: DeployedModel
) -> None:
    encoding = ServerEncoding(model_id=deployed.model_id, chunking="delimiter:.")
    with NeuralSparseStore(model_index, url=model_server.url, model=SMALL_MODEL, server_encoding=encoding) as store:
        store.create(settings={"number_of_shards": 1, "number_of_replicas": 0})
        long = [row | {"text": f"{row['text']} A boat waits in the harbour."} for row in rows(range(60))]
        report = ingest_dataset(store, Load(dataset(long)), **WRITERS | {"rows_per_batch": 30})
        assert (report.written, report.refused, report.complete) == (60, 0, True)
        found = list(store.scan())
        assert {document.id: document.text for document in found} == {row["id"]: row["text"] for row in long}
        assert {len(document.chunks or ()) for document in found} == {2}
    model_client.ingest.delete_pipeline(id=f"{model_index}-sparse-encoding", ignore=[404])

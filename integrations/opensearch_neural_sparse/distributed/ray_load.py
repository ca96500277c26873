"""Loads of Ray datasets, by the workers of a Ray cluster or of one machine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING

from opensearch_neural_sparse.distributed.ray_room import ensure_room
from opensearch_neural_sparse.distributed.ray_writer import BatchReport, BatchWriter, read_row
from opensearch_neural_sparse.errors import MissingDependencyError
from opensearch_neural_sparse.ingestion.journals.index_journal import IndexJournal
from opensearch_neural_sparse.ingestion.load import Load
from opensearch_neural_sparse.ingestion.refusals import Refusals
from opensearch_neural_sparse.ingestion.report import LoadProgress, LoadReport
from opensearch_neural_sparse.ingestion.run import Progress, reason_to_keep
from opensearch_neural_sparse.readers.documents import Columns
from opensearch_neural_sparse.store._sync.store import NeuralSparseStore
from opensearch_neural_sparse.store.write_options import DEFAULT_WRITE, WriteOptions

if TYPE_CHECKING:
    from ray.data import Dataset


def ingest_dataset(
    store: NeuralSparseStore,
    load: Load,
    *,
    writers: int = 1,
    cpus: float = 1.0,
    gpus: float = 0.0,
    rows_per_batch: int = 500,
    id_column: str = "id",
    text_column: str = "text",
    options: WriteOptions = DEFAULT_WRITE,
    progress: Progress | None = None,
) -> LoadReport:
    """Load a Ray dataset, each batch read, encoded and written by a worker of the cluster.

    It runs where Ray runs: on this machine, or on the cluster that `RAY_ADDRESS` names. A worker or node that dies has
    its batch done again by another one, and by a journal only what was not recorded.

    Args:
        store: A store that can be pickled: with a url, and without encoders that were handed in.
        load: The load; its rows are the dataset, and its journal None or an `IndexJournal`.
        writers: How many actors encode and write, each with a model of its own.
        cpus: CPUs that Ray reserves for each of them; reading needs some, too.
        gpus: GPUs that Ray reserves for each of them.
        rows_per_batch: Rows that are read, encoded and written at once, which is what is repeated after a death.
        id_column: Column of the ids, which every row has; integers become texts.
        text_column: Column of the texts; the other columns are metadata.
        options: How to write.
        progress: Called with counts after each batch.

    Raises:
        MissingDependencyError: Ray is not installed.
        TypeError: The rows are no Ray dataset, or the store cannot be pickled.
        ValueError: A journal that workers cannot share, or writers that leave Ray no CPU to read with or want more
            GPUs than it has.
        JournalError: The journal cannot be used.
        JournalMismatchError: The journal belongs to another source, index or model.
    """
    dataset = _checked(load)
    from ray.data import ActorPoolStrategy

    ensure_room(writers, cpus=cpus, gpus=gpus, called="writer", reading=True)
    journal = load.journal if isinstance(load.journal, IndexJournal) else None
    if journal is not None:
        journal.begin(store.load_target(load.source), restart=load.restart)
    try:
        part = replace(
            load,
            rows=(),
            journal=None if journal is None else journal.joined(),
            restart=False,
            sync=False,
            dead_letters=None,
            max_errors=None,
        )
        reports = dataset.repartition(target_num_rows_per_block=rows_per_batch).map_batches(
            BatchWriter,
            fn_constructor_args=(store, part, Columns(id=id_column, text=text_column), replace(options, refresh=False)),
            batch_size=rows_per_batch,
            batch_format="pyarrow",
            compute=ActorPoolStrategy(size=writers),
            num_cpus=cpus,
            num_gpus=gpus,
        )
        report = _Collector(load, progress).collect(_read(reports))
        if load.sync and journal is not None and report.not_deleted is None:
            gone = store.ingest(replace(part, sync=load.sync), options=options)
            report = replace(report, deleted=gone.deleted, not_deleted=gone.not_deleted)
        if journal is not None and report.stopped is None:
            journal.finish()
    finally:
        if journal is not None:
            journal.close()
    if options.refresh is not False:
        store.refresh()
    return report


class _Collector:
    """Adds up the reports of batches, and writes dead letters."""

    def __init__(self, load: Load, progress: Progress | None) -> None:
        self._load, self._progress = load, progress
        self._counts: Counter[str] = Counter()
        self._unknown: list[str] = []
        self._lacking: dict[str, tuple[str, ...]] = {}
        self._stopped: str | None = None
        self._unread, self._started = 0, monotonic()
        self._refusals = Refusals(load.dead_letters, load.max_errors)

    def collect(self, reports: Iterator[BatchReport]) -> LoadReport:
        """Return the report of all batches; after too many errors, or a server that fails, the rest is not read."""
        self._refusals.begin()
        try:
            for report in reports:
                self._add(report)
                if self._stopped is not None:
                    break
        finally:
            self._refusals.close()
        kept = reason_to_keep(ended_early=bool(self._stopped or self._counts["left"]), unread=self._unread)
        return LoadReport(
            **self._counts,
            seconds=monotonic() - self._started,
            letters=tuple(self._refusals.first),
            stopped=self._stopped,
            not_deleted=kept if self._load.sync else None,
            unknown=tuple(self._unknown),
            without_vector=self._lacking,
        )

    def _add(self, report: BatchReport) -> None:
        self._counts.update(report.counts)
        self._unread += report.unread
        self._unknown += report.unknown
        for name, ids in report.without_vector.items():
            self._lacking[name] = (*self._lacking.get(name, ()), *ids)
        for letter in report.letters:
            self._refusals.add(letter)
        self._stopped = report.stopped or self._refusals.too_many
        if self._progress is not None:
            counts = {name: self._counts[name] for name in ("read", "unchanged", "written", "refused")}
            self._progress(LoadProgress(**counts, seconds=monotonic() - self._started))


def _read(reports: Dataset) -> Iterator[BatchReport]:
    """Yield the reports of batches as they come; an error of a worker is raised as itself."""
    for row in reports.iter_rows():
        yield read_row(row)


def _checked(load: Load) -> Dataset:
    """Return the dataset of a load after checking that workers can share its journal."""
    try:
        from ray.data import Dataset
    except ImportError:
        raise MissingDependencyError("ray", "ray", "ingest_dataset") from None
    if not isinstance(load.rows, Dataset):
        kind = type(load.rows).__name__
        raise TypeError(f"The rows of this load are a Ray dataset, got {kind}: Load(ray.data.read_parquet(...)).")
    if load.journal is not None and not isinstance(load.journal, IndexJournal):
        raise ValueError(
            f"Workers cannot share the journal {load.journal}. Keep one in the server: "
            "journal=IndexJournal('articles-journal', url=...)."
        )
    return load.rows

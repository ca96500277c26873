"""Actor of a Ray Data pipeline that writes batches of rows."""

from __future__ import annotations

import json
import pickle
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from opensearch_neural_sparse.errors import IndexSchemaError, NeuralSparseError
from opensearch_neural_sparse.ingestion.dead_letters import DeadLetter, read_dead_letters
from opensearch_neural_sparse.ingestion.load import Load
from opensearch_neural_sparse.ingestion.source_rows import RefusedRow, SourceRow
from opensearch_neural_sparse.readers.documents import Columns, document_of
from opensearch_neural_sparse.store._sync.store import NeuralSparseStore
from opensearch_neural_sparse.store.write_options import WriteOptions

if TYPE_CHECKING:
    import pyarrow as pa

REPORT, ERROR = "report", "error"
"""Columns of a report, as JSON, and of the error in its place, pickled."""
SUMMED = ("read", "unchanged", "written", "refused", "left")


@dataclass(frozen=True, kw_only=True)
class BatchReport:
    """Report of a batch of rows.

    Attributes:
        counts: The counts of `LoadReport` that add up.
        unread: How many rows were no document.
        letters: The rows that were refused.
        stopped: Why the batch ended early, or None.
        unknown: Ids that were sent without an answer.
        without_vector: Vector field -> ids of documents that were written without a vector in it.
    """

    counts: Mapping[str, int]
    unread: int
    letters: tuple[DeadLetter, ...]
    stopped: str | None
    unknown: tuple[str, ...]
    without_vector: Mapping[str, tuple[str, ...]]

    def to_json(self) -> str:
        """Return it as JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> BatchReport:
        """Read what `to_json` returned."""
        values: dict[str, Any] = json.loads(text)
        letters = tuple(DeadLetter(**letter) for letter in values.pop("letters"))
        lacking = {name: tuple(ids) for name, ids in values.pop("without_vector").items()}
        return cls(**{**values, "unknown": tuple(values["unknown"]), "letters": letters, "without_vector": lacking})


class BatchWriter:
    """Writes batches of rows by the engine of all loads; Ray runs one in each of its actors.

    Errors are returned like reports, since one that is raised ends the pipeline without its cause.

    Args:
        store: The store; it is opened, and its model loaded, where the actor runs.
        load: The load, without its rows; its journal takes part in a run.
        columns: Columns of id and text.
        options: How to write.
    """

    def __init__(self, store: NeuralSparseStore, load: Load, columns: Columns, options: WriteOptions) -> None:
        self._store, self._load, self._columns, self._options = store, load, columns, options

    def __call__(self, batch: pa.Table) -> pa.Table:
        """Write a batch and return its report or the error, a table of one row."""
        import pyarrow as pa

        try:
            report, error = self._write(list(map(self._row, batch.to_pylist()))).to_json(), b""
        except NeuralSparseError as raised:
            report, error = "", pickle.dumps(raised)
        return pa.table({REPORT: [report], ERROR: [error]})

    def _write(self, rows: Sequence[SourceRow | RefusedRow]) -> BatchReport:
        with TemporaryDirectory() as folder:
            path = Path(folder, "failed.jsonl")
            report = self._store.ingest(replace(self._load, rows=rows, dead_letters=path), options=self._options)
            letters = tuple(read_dead_letters(path)) if path.exists() else ()
        return BatchReport(
            counts={name: getattr(report, name) for name in SUMMED},
            unread=sum(isinstance(row, RefusedRow) for row in rows),
            letters=letters,
            stopped=report.stopped,
            unknown=report.unknown,
            without_vector=report.without_vector,
        )

    def _row(self, values: Mapping[str, Any]) -> SourceRow | RefusedRow:
        place = str(values.get(self._columns.id))
        if values.get(self._columns.id) is None:
            reason = f"no id in column {self._columns.id!r}: rows of a dataset have no places to get ids by"
            return RefusedRow(place=f"a row without {self._columns.id!r}", reason=reason)
        try:
            return SourceRow(place=place, document=document_of(values, self._columns))
        except (IndexSchemaError, ValueError) as error:
            return RefusedRow(place=place, reason=str(error))


def read_row(row: Mapping[str, Any]) -> BatchReport:
    """Return the report of a row that `BatchWriter` made, or raise the error."""
    if row[ERROR]:
        error: NeuralSparseError = pickle.loads(row[ERROR])  # noqa: S301  made by our own worker
        raise error
    return BatchReport.from_json(row[REPORT])

"""A run of a load: which rows are to be written, and what the server said of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import fields, replace
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from threading import RLock
from time import monotonic
from typing import Any, TypeVar

from opensearch_neural_sparse.errors import IndexSchemaError
from opensearch_neural_sparse.index.bulk.report import NOT_SENT, BulkFailure, BulkReport, EncodingFailure
from opensearch_neural_sparse.index.documents.document import SparseDocument
from opensearch_neural_sparse.ingestion.content_hash import content_hashes
from opensearch_neural_sparse.ingestion.dead_letters import DeadLetter, DeadLetterFile, Stage
from opensearch_neural_sparse.ingestion.journal import Gone, Journal, JournalEntry, LoadTarget
from opensearch_neural_sparse.ingestion.load import Load, LoadedRow
from opensearch_neural_sparse.ingestion.report import FIRST_LETTERS, LoadProgress, LoadReport
from opensearch_neural_sparse.ingestion.source_rows import RefusedRow, SourceRow
from opensearch_neural_sparse.ingestion.sqlite_journal import SqliteJournal

ID_BYTES = 16
Progress = Callable[[LoadProgress], None]
Row = TypeVar("Row")


class LoadRun:
    """Reads the rows of a load, leaves out those that the index holds, and records those that it takes.

    Rows are read in one thread and answers of the server arrive in another.

    Args:
        load: The load.
        target: What its journal belongs to.
        progress: Called after each answer of the server, and after rows that are unchanged.
        rows_at_once: How many rows are read, and looked up in the journal, together.
        routing: What the shards of documents without a routing of their own are chosen by; None leaves it to the ids.
    """

    def __init__(
        self,
        load: Load,
        target: LoadTarget,
        progress: Progress | None = None,
        *,
        rows_at_once: int = 200,
        routing: str | None = None,
    ) -> None:
        self._load, self._target, self._progress = load, target, progress
        self._rows_at_once, self._routing = rows_at_once, routing
        self._journal = _journal_of(load)
        self._letters = None if load.dead_letters is None else DeadLetterFile(Path(load.dead_letters))
        self._pending: dict[str, list[tuple[JournalEntry, SparseDocument | None]]] = {}
        self._counts: Counter[str] = Counter()
        self._first: list[DeadLetter] = []
        self._stopped: str | None = None
        self._not_deleted: str | None = None
        self._lock, self._started = RLock(), monotonic()
        self._run, self._unread = 0, 0

    def begin(self) -> None:
        """Open the journal and the file of dead letters.

        Raises:
            JournalError: The journal cannot be used, or another program uses it.
            JournalMismatchError: The journal belongs to another source, index or model.
        """
        if self._journal is not None:
            self._run = self._journal.begin(self._target, restart=self._load.restart)
        if self._letters is not None:
            self._letters.begin()

    def close(self) -> None:
        """Close the journal and the file of dead letters; what is recorded stays."""
        if self._journal is not None:
            self._journal.close()
        if self._letters is not None:
            self._letters.close()

    def documents(self) -> Iterator[SparseDocument]:
        """Yield the documents that are to be written; end early after too many errors."""
        rows = enumerate(self._load.rows, start=1)
        for part in _parts(rows, self._rows_at_once):
            yield from self._changed([self._read(row, number) for number, row in part])
            if self._stopped is not None:
                return
        if self._journal is not None:
            self._journal.finish()

    def acknowledge(self, ids: Sequence[str], report: BulkReport) -> None:
        """Record the outcome of a bulk request, or of documents that were not sent.

        Args:
            ids: The ids of the request.
            report: Its report.
        """
        failed, unknown = {failure.id: failure for failure in report.failed}, frozenset(report.unknown)
        with self._lock:
            taken, refused = [], []
            for name in [*ids, *(failed.keys() - set(ids))]:
                entry, document = self._take(name)
                failure = failed.pop(name, None)
                if failure is not None and failure.error_type != NOT_SENT:
                    refused.append(name)
                    self._refuse(name, entry.place if entry else name, _stage(failure), _reason(failure), document)
                elif failure is not None or name in unknown:
                    self._counts["left"] += 1
                elif entry is not None:
                    taken.append(entry)
            if self._journal is not None:
                self._journal.commit([entry for entry in taken if entry.content])
                self._journal.mark_read(refused)  # so that what the index holds of such rows is not taken for gone
            self._counts["written"] += len(taken)
        self._show()

    def gone(self) -> Iterator[list[Gone]]:
        """Yield the documents of rows that are gone, where they may be deleted."""
        if self._journal is None or not self._load.sync:
            return
        if self._stopped or self._counts["left"]:
            self._not_deleted = "No document was deleted, since the load ended early."
        elif self._unread:
            self._not_deleted = f"No document was deleted, since {self._unread} rows could not be read."
        else:
            yield from self._journal.gone()

    def forget(self, gone: Sequence[Gone], *, deleted: int) -> None:
        """Record that documents were deleted.

        Args:
            gone: The documents.
            deleted: How many of them the index held.
        """
        if self._journal is not None:
            self._journal.forget([name for name, _ in gone])
        self._counts["deleted"] += deleted

    def report(self, written: BulkReport) -> LoadReport:
        """Return the report of the run.

        Args:
            written: The report of all its bulk requests.
        """
        with self._lock:
            self._counts["left"] += sum(map(len, self._pending.values()))
            self._pending.clear()
            return LoadReport(
                **self._counts,
                seconds=monotonic() - self._started,
                letters=tuple(self._first),
                stopped=self._stopped or written.stopped,
                not_deleted=self._not_deleted,
                unknown=written.unknown,
                without_vector=written.without_vector,
            )

    def _read(self, row: LoadedRow, number: int) -> SourceRow | RefusedRow:
        if isinstance(row, SourceRow | RefusedRow):
            return row
        place = f"row {number}"
        try:
            return SourceRow(place=place, document=SparseDocument.of(row))
        except IndexSchemaError as error:
            return RefusedRow(place=place, reason=str(error))

    def _changed(self, rows: Sequence[SourceRow | RefusedRow]) -> Sequence[SparseDocument]:
        """Return the documents of rows that the index does not hold as they are."""
        read = list(self._readable(rows))
        changed = [(row, b"") for row in read] if self._journal is None else self._compared(self._journal, read)
        documents = [self._to_write(row, content) for row, content in changed]
        return documents if self._load.embed is None or not documents else self._load.embed(documents)

    def _readable(self, rows: Iterable[SourceRow | RefusedRow]) -> Iterator[SourceRow]:
        for row in rows:
            if not self._load.includes(row.place):
                continue
            self._counts["read"] += row.rows if isinstance(row, RefusedRow) else 1
            if isinstance(row, RefusedRow):
                self._unread += row.rows
                self._refuse(None, row.place, "read", row.reason, None, rows=row.rows)
            else:
                yield self._with_id(row)

    def _compared(self, journal: Journal, rows: Sequence[SourceRow]) -> list[tuple[SourceRow, bytes]]:
        """Return the rows that the journal does not hold as they are, with the hashes of their contents."""
        contents = content_hashes([row.document for row in rows])
        entries = journal.entries([str(row.document.id) for row in rows])
        changed, unchanged, refused = [], [], []
        for row, content in zip(rows, contents, strict=True):
            name = str(row.document.id)
            with self._lock:
                known = self._pending[name][0][0] if name in self._pending else entries.get(name)
            if known is not None and (reason := self._conflict(row, content, known)) is not None:
                refused.append(name)
                self._refuse(name, row.place, "read", reason, row.document)
            elif known is not None and known.content == content:
                unchanged.append(name)
                entries[name] = known._replace(run=self._run)
            else:
                entries[name] = self._entry(row, content)
                changed.append((row, content or b""))
        journal.mark_read([*unchanged, *refused])
        if unchanged:
            self._counts["unchanged"] += len(unchanged)
            self._show()
        return changed

    def _conflict(self, row: SourceRow, content: bytes | None, known: JournalEntry) -> str | None:
        """Return why a row cannot be written beside what is known of its id, or None."""
        if known.run == self._run and known.content != content:
            return f"its id {known.id!r} is that of {known.place}, too; ids are unique in a load"
        if known.routing != (routing := self._routing_of(row)):
            return (
                f"its routing was {known.routing!r} when it was written, and is {routing!r} now: the index would "
                "hold it twice. Delete the former document, or give this one another id"
            )
        return None

    def _with_id(self, row: SourceRow) -> SourceRow:
        if row.document.id is not None:
            return row
        if self._journal is None:
            return replace(row, document=row.document.with_id())
        name = blake2b(f"{self._load.source}\0{row.place}".encode(), digest_size=ID_BYTES).hexdigest()
        return replace(row, document=replace(row.document, id=name))

    def _to_write(self, row: SourceRow, content: bytes) -> SparseDocument:
        entry = self._entry(row, content)
        with self._lock:
            self._pending.setdefault(entry.id, []).append((entry, row.document if self._load.keep_rows else None))
        return row.document

    def _entry(self, row: SourceRow, content: bytes | None) -> JournalEntry:
        return JournalEntry(str(row.document.id), content or b"", row.place, self._run, self._routing_of(row))

    def _routing_of(self, row: SourceRow) -> str | None:
        return self._routing if row.document.routing is None else row.document.routing

    def _take(self, name: str) -> tuple[JournalEntry | None, SparseDocument | None]:
        """Return the next pending row of an id, and its document where that is kept."""
        if name not in self._pending:
            return None, None
        first, *rest = self._pending.pop(name)
        if rest:
            self._pending[name] = rest
        return first

    def _refuse(
        self,
        name: str | None,
        place: str,
        stage: Stage,
        reason: str,
        document: SparseDocument | None,
        *,
        rows: int = 1,
    ) -> None:
        kept = None if document is None or not self._load.keep_rows else _row(document)
        letter = DeadLetter(id=name, place=place, stage=stage, reason=reason, row=kept, rows=rows)
        with self._lock:
            if self._letters is not None:
                self._letters.write(letter)
            if len(self._first) < FIRST_LETTERS:
                self._first.append(replace(letter, row=None))
            self._counts["refused"] += rows
            most = self._load.max_errors
            if most is not None and self._counts["refused"] > most and self._stopped is None:
                self._stopped = f"More than {most} rows failed (max_errors, --max-errors); repeat the load to go on."

    def _show(self) -> None:
        if self._progress is not None:
            counts = {name: self._counts[name] for name in ("read", "unchanged", "written", "refused")}
            self._progress(LoadProgress(**counts, seconds=monotonic() - self._started))


def _parts(rows: Iterable[Row], size: int) -> Iterator[list[Row]]:
    """Yield rows in batches; an error of the source comes after the rows before it."""
    iterator, error = iter(rows), None
    while error is None:
        part: list[Row] = []
        try:
            for row in islice(iterator, size):
                part.append(row)  # noqa: PERF402  what was read before an error is kept
        except Exception as raised:  # noqa: BLE001  raised again below
            error = raised
        if part:
            yield part
        elif error is None:
            return
    raise error


def _journal_of(load: Load) -> Journal | None:
    return SqliteJournal(load.journal) if isinstance(load.journal, str | Path) else load.journal


def _stage(failure: BulkFailure) -> Stage:
    if isinstance(failure, EncodingFailure):
        return "encode"
    return "prepare" if failure.status is None else "write"


def _reason(failure: BulkFailure) -> str:
    return f"{failure.error_type}: {failure.reason}"


def _row(document: SparseDocument) -> dict[str, Any]:
    given: Iterable[tuple[str, Any]] = ((each.name, getattr(document, each.name)) for each in fields(document))
    return {name: _plain(value) for name, value in given if value is not None and value != {}}


def _plain(value: Any) -> Any:
    if hasattr(value, "to_dict"):
        return value.to_dict()
    return dict(value) if hasattr(value, "items") else value

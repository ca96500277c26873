"""A run of a load: which rows are to be written, and what the server said of them."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from hashlib import blake2b
from itertools import chain
from pathlib import Path
from threading import RLock
from time import monotonic

from opensearch_neural_sparse.encode.engines.batching import bounded_batches
from opensearch_neural_sparse.error_reasons import first_of
from opensearch_neural_sparse.errors import IndexSchemaError
from opensearch_neural_sparse.index.bulk.report import NOT_SENT, NOT_WRITTEN, BulkFailure, BulkReport, EncodingFailure
from opensearch_neural_sparse.index.documents.document import SparseDocument, size_of
from opensearch_neural_sparse.ingestion.comparison import Comparison, compare
from opensearch_neural_sparse.ingestion.dead_letters import DeadLetter, Stage
from opensearch_neural_sparse.ingestion.journals.journal import Gone, Journal, JournalEntry, LoadTarget
from opensearch_neural_sparse.ingestion.journals.sqlite_journal import SqliteJournal
from opensearch_neural_sparse.ingestion.kept_rows import row_of_document
from opensearch_neural_sparse.ingestion.load import Load, LoadedRow
from opensearch_neural_sparse.ingestion.refusals import Refusals
from opensearch_neural_sparse.ingestion.report import LoadProgress, LoadReport
from opensearch_neural_sparse.ingestion.rows_under_way import RowsUnderWay, RowUnderWay
from opensearch_neural_sparse.ingestion.source_rows import RefusedRow, SourceRow

ID_BYTES = 16
Progress = Callable[[LoadProgress], None]
_logger = logging.getLogger(__name__)


class LoadRun:
    """Reads the rows of a load, leaves out those that the index holds, and records those that it takes.

    Rows are read in one thread and answers of the server arrive in another.

    Args:
        load: The load.
        target: What its journal belongs to.
        progress: Called after each answer of the server, and after rows that are unchanged.
        rows_at_once: How many rows are read, and looked up in the journal, together.
        characters_at_once: How many characters of text these rows have at most; a longer row is read alone.
        routing: What the shards of documents without a routing of their own are chosen by; None leaves it to the ids.
    """

    def __init__(
        self,
        load: Load,
        target: LoadTarget,
        progress: Progress | None = None,
        *,
        rows_at_once: int = 200,
        characters_at_once: int = 8 * 1024 * 1024,
        routing: str | None = None,
    ) -> None:
        self._load, self._target, self._progress = load, target, progress
        self._rows_at_once, self._characters_at_once, self._routing = rows_at_once, characters_at_once, routing
        self._journal = _journal_of(load)
        self._refusals, self._under_way = Refusals(load.dead_letters, load.max_errors), RowsUnderWay()
        self._counts: Counter[str] = Counter()
        self._not_deleted: str | None = None
        self._lock, self._started = RLock(), monotonic()
        self._run, self._unread, self._reported = 0, 0, False

    def begin(self) -> None:
        """Open the journal and the file of dead letters.

        Raises:
            JournalError: The journal cannot be used, or another program uses it.
            JournalMismatchError: The journal belongs to another source, index or model.
        """
        if self._journal is not None:
            self._run = self._journal.begin(self._target, restart=self._load.restart)
        self._refusals.begin()
        by = "no journal" if self._journal is None else f"journal {self._journal.name}, run {self._run}"
        _logger.info("Load of %r into %r begins: %s.", self._target.source, self._target.index, by)

    def close(self) -> None:
        """Close the journal and the file of dead letters; what is recorded stays."""
        if not self._reported:
            self._log_end("was interrupted", f"{self._counts['read']} read, {self._counts['written']} written.")
        self._refusals.close()
        if self._journal is not None:
            self._journal.close()

    def documents(self) -> Iterator[SparseDocument]:
        """Yield the documents that are to be written; end early after too many errors."""
        rows = (self._read(row, number) for number, row in enumerate(self._load.rows, start=1))
        for part in bounded_batches(rows, _size_of, count=self._rows_at_once, size=self._characters_at_once):
            yield from self._changed(part)
            if self._refusals.too_many is not None:
                return
        if self._journal is not None:
            self._journal.flush()
            self._journal.finish()

    def acknowledge(self, ids: Sequence[str], report: BulkReport) -> None:
        """Record the outcome of a bulk request, or of documents that were not sent.

        Args:
            ids: The ids of the request.
            report: Its report.
        """
        failed, unknown = {failure.id: failure for failure in report.failed}, frozenset(report.unknown)
        with self._lock:
            taken: list[JournalEntry] = []
            others: list[JournalEntry] = []
            for name in [*ids, *(failed.keys() - set(ids))]:
                row, failure = self._under_way.take(name), failed.pop(name, None)
                if failure is not None:
                    if failure.error_type in (NOT_SENT, NOT_WRITTEN):
                        others += [] if row is None or row.former is None else [row.former]
                        self._counts["left"] += 1
                    else:
                        others += [] if row is None or row.former is None else [row.former._replace(run=self._run)]
                        place, document = (name, None) if row is None else (row.entry.place, row.document)
                        self._refuse(name, place, _stage(failure), _reason(failure), document)
                elif name in unknown:
                    self._counts["left"] += 1  # the index holds one content or the other
                    others += [] if row is None else [row.entry._replace(content=b"")]
                elif row is not None:
                    taken.append(row.entry)
            if self._journal is not None:
                self._journal.commit([*(entry for entry in taken if entry.content), *others])
            self._counts["written"] += len(taken)
        self._show()

    def gone(self) -> Iterator[list[Gone]]:
        """Yield the documents of rows that are gone, where they may be deleted."""
        if self._journal is None or not self._load.sync:
            return
        self._journal.flush()
        ended_early = bool(self._refusals.too_many or self._counts["left"])
        self._not_deleted = reason_to_keep(ended_early=ended_early, unread=self._unread)
        parts = self._journal.gone()
        while self._not_deleted is None and (part := next(parts, None)) is not None:
            if chosen := [each for each in part if self._load.deletes(each.place)]:
                yield chosen

    def forget(self, gone: Sequence[Gone], report: BulkReport) -> None:
        """Record that documents were deleted; no others are, where some could not be.

        Args:
            gone: The documents.
            report: The report of their deletion.
        """
        kept = {failure.id for failure in report.failed} | set(report.unknown)
        if self._journal is not None:
            self._journal.forget([each.id for each in gone if each.id not in kept])
        self._counts["deleted"] += report.written
        if not report.complete:
            self._not_deleted = f"Not every document of a row that is gone was deleted: {_why(report)}"

    def report(self, written: BulkReport) -> LoadReport:
        """Return the report of the run.

        Args:
            written: The report of all its bulk requests.
        """
        with self._lock:
            self._counts["left"] += self._under_way.clear()
            report = LoadReport(
                **self._counts,
                refused=self._refusals.rows,
                seconds=monotonic() - self._started,
                letters=tuple(self._refusals.first),
                stopped=self._refusals.too_many or written.stopped,
                not_deleted=self._not_deleted,
                unknown=written.unknown,
                without_vector=written.without_vector,
            )
        self._reported = True
        self._log_end("ended early" if report.stopped or report.left else "ended", report)
        return report

    def _log_end(self, how: str, counts: LoadReport | str) -> None:
        _logger.info("Load of %r into %r %s: %s", self._target.source, self._target.index, how, counts)

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
        journal = self._journal
        documents: Sequence[SparseDocument]
        if journal is None:
            documents = [self._to_write(row, self._entry(row), None) for row in read]
        else:
            documents = self._compared(journal, read)
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

    def _compared(self, journal: Journal, rows: Sequence[SourceRow]) -> Sequence[SparseDocument]:
        """Return the documents of rows that the journal does not hold as they are."""
        names = [str(row.document.id) for row in rows]
        with self._lock:  # before the journal, which has those that are acknowledged in between
            under_way = self._under_way.entries(names)
        known = journal.entries(names)
        found = compare(rows, known | under_way, self._entry)
        for row, reason in found.conflicts:
            self._refuse(row.document.id, row.place, "read", reason, row.document)
        journal.commit(self._read_again(found, known, under_way))
        if found.unchanged:
            self._counts["unchanged"] += len(found.unchanged)
            self._show()
        entries = (entry for _, entry in found.changed)
        self._intend(journal, [entry for entry in entries if self._load.sync or entry.id in known])
        return [self._to_write(row, entry, known.get(entry.id)) for row, entry in found.changed]

    def _read_again(
        self, found: Comparison, known: Mapping[str, JournalEntry], under_way: Mapping[str, JournalEntry]
    ) -> list[JournalEntry]:
        """Return the entries of rows that are not written, as read by this run: their documents are not gone."""
        names = dict.fromkeys([*found.unchanged, *(str(row.document.id) for row, _ in found.conflicts)])
        if not names:
            return []
        for name in chain(under_way, (entry.id for _, entry in found.changed)):
            names.pop(name, None)  # recorded when the server has taken them
        return [known[name]._replace(run=self._run) for name in names if name in known and known[name].run != self._run]

    def _intend(self, journal: Journal, entries: Sequence[JournalEntry]) -> None:
        """Record that rows are about to be written: after a sudden end, the index may hold them, or the former ones.

        Without it, a source that goes back to the former content would be taken for unchanged, and a new row that goes
        would not be taken for gone.
        """
        if entries:
            journal.commit([entry._replace(content=b"") for entry in entries])
            journal.flush()

    def _with_id(self, row: SourceRow) -> SourceRow:
        if row.document.id is not None:
            return row
        if self._journal is None:
            return replace(row, document=row.document.with_id())
        name = blake2b(f"{self._load.source}\0{row.place}".encode(), digest_size=ID_BYTES).hexdigest()
        return replace(row, document=replace(row.document, id=name))

    def _to_write(self, row: SourceRow, entry: JournalEntry, former: JournalEntry | None) -> SparseDocument:
        with self._lock:
            self._under_way.add(RowUnderWay(entry, row.document if self._load.keep_rows else None, former))
        return row.document

    def _entry(self, row: SourceRow, content: bytes | None = None) -> JournalEntry:
        return JournalEntry(str(row.document.id), content or b"", row.place, self._run, self._routing_of(row))

    def _routing_of(self, row: SourceRow) -> str | None:
        return self._routing if row.document.routing is None else row.document.routing

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
        kept = None if document is None or not self._load.keep_rows else row_of_document(document)
        self._refusals.add(DeadLetter(id=name, place=place, stage=stage, reason=reason, row=kept, rows=rows))

    def _show(self) -> None:
        if self._progress is not None:
            counts = {name: self._counts[name] for name in ("read", "unchanged", "written")}
            self._progress(LoadProgress(**counts, refused=self._refusals.rows, seconds=monotonic() - self._started))


def reason_to_keep(*, ended_early: bool, unread: int) -> str | None:
    """Return why documents of rows that are gone cannot be deleted, or None.

    Args:
        ended_early: Whether rows were left.
        unread: How many rows could not be read.
    """
    if ended_early:
        return "No document was deleted, since the load ended early."
    return f"No document was deleted, since {unread} rows could not be read." if unread else None


def _size_of(row: SourceRow | RefusedRow) -> int:
    return size_of(row.document) if isinstance(row, SourceRow) else 0


def _journal_of(load: Load) -> Journal | None:
    return SqliteJournal(load.journal) if isinstance(load.journal, str | Path) else load.journal


def _stage(failure: BulkFailure) -> Stage:
    if isinstance(failure, EncodingFailure):
        return "encode"
    return "prepare" if failure.status is None else "write"


def _reason(failure: BulkFailure) -> str:
    return f"{failure.error_type}: {failure.reason}"


def _why(report: BulkReport) -> str:
    return report.stopped or first_of(map(str, report.failed), 1)

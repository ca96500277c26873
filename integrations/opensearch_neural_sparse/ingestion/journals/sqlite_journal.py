"""Journals in a SQLite file."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from threading import RLock

from opensearch_neural_sparse.arguments import check_path
from opensearch_neural_sparse.errors import JournalError
from opensearch_neural_sparse.index.documents.serializer import to_exact_line
from opensearch_neural_sparse.ingestion.journals.entry_columns import from_columns, to_columns
from opensearch_neural_sparse.ingestion.journals.journal import Gone, JournalEntry, JournalStatus, LoadTarget
from opensearch_neural_sparse.ingestion.journals.journal_rows import ROWS_TABLE, JournalRows
from opensearch_neural_sparse.sqlite_files import prepare

FORMAT = 2
"""Version of the file format, stored as SQLite's `user_version`."""
_RUN, _FINISHED = "run", "finished"
_TABLES = (
    "CREATE TABLE load (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE log (number INTEGER PRIMARY KEY, entries BLOB NOT NULL)",
    ROWS_TABLE,
)


class SqliteJournal:
    """A journal in a SQLite file; another program that opens it for a load meanwhile is refused.

    What is committed survives the end of the program, whatever ends it. After a loss of power the last commits may be
    missing: their rows are then written again, by the same ids.

    Entries go to a log, a group of them at once, and many groups later to the table of the rows.

    Args:
        path: The file; it is made when first needed. A second one beside it, `<path>-lock`, holds the lock.
    """

    def __init__(self, path: str | Path) -> None:
        check_path(path=path)
        self._path = Path(path).expanduser()
        self._lock = RLock()
        self._database: sqlite3.Connection | None = None
        self._rows: JournalRows | None = None
        self._held: sqlite3.Connection | None = None
        self._run = 0

    @property
    def name(self) -> str:
        """The path of the file."""
        return str(self._path)

    def begin(self, target: LoadTarget, *, restart: bool) -> int:
        """Open the journal for a run, and return the run's number, counted from 1.

        Args:
            target: What is loaded, and where to.
            restart: Whether to drop what is recorded.

        Raises:
            JournalError: The file is damaged or of another kind, cannot be opened, or another program uses it.
            JournalMismatchError: It belongs to another source, index or model.
        """
        with self._errors():
            try:
                self._hold()
                self._database = _open(self._path)
                self._begin(self._database, target, restart=restart)
                self._rows = read_rows(self._database, self._lock)
            except BaseException:
                self.close()
                raise
        return self._run

    def entries(self, ids: Sequence[str]) -> dict[str, JournalEntry]:
        """Return the entries of ids, by id.

        Args:
            ids: The ids.
        """
        with self._errors():
            database, rows = self._opened_rows()
            if rows.full:  # here, as `commit` may be called in an event loop
                _store(database, rows, self._lock)
            return rows.entries(ids)

    def commit(self, entries: Sequence[JournalEntry]) -> None:
        """Record rows that the server has taken, or that this run has read and found there.

        Args:
            entries: The rows.
        """
        if not entries:
            return
        log = to_exact_line(to_columns(entries))
        with self._opened() as (database, rows):
            with database:
                database.execute("INSERT INTO log (entries) VALUES (?)", (log,))
            rows.add(entries)

    def flush(self) -> None:
        """Do nothing, since `commit` records at once."""

    def gone(self) -> Iterator[list[Gone]]:
        """Yield, in batches, the documents of rows that this run has not read."""
        with self._opened() as (database, rows):
            _store(database, rows, self._lock)
            pages = rows.gone(self._run)
        while True:
            with self._opened():
                page = next(pages, None)
            if page is None:
                return
            yield page

    def forget(self, ids: Iterable[str]) -> None:
        """Drop the entries of documents that are deleted.

        Args:
            ids: Their ids.
        """
        with self._opened() as (database, rows):
            _store(database, rows, self._lock)
            with database:
                rows.drop(ids)

    def finish(self) -> None:
        """Record that this run has read its source to the end."""
        with self._opened() as (database, _), database:
            _set(database, {_FINISHED: str(self._run)})

    def close(self) -> None:
        """Close the file; what is committed stays."""
        with self._lock:
            for connection in (self._database, self._held):
                if connection is not None:
                    connection.close()
            self._database = self._rows = self._held = None

    def status(self) -> JournalStatus:
        """Return what the journal holds; a load may be under way.

        Raises:
            JournalError: There is no such file, it is damaged or of another kind.
        """
        if not self._path.exists():
            raise JournalError(
                f"Journal {self.name} does not exist. A load creates it: ingest(Load(..., journal=...))."
            )
        with self._errors(), closing(_open(self._path)) as database:
            values, runs = _values(database), _last_run(database)
            rows, last = read_rows(database, self._lock).counts(runs)
        names = LoadTarget.__dataclass_fields__
        target = LoadTarget(**{name: values[name] for name in names}) if names.keys() <= values.keys() else None
        finished = runs > 0 and values.get(_FINISHED) == str(runs)
        return JournalStatus(target=target, rows=rows, runs=runs, finished=finished, last=last)

    def _begin(self, database: sqlite3.Connection, target: LoadTarget, *, restart: bool) -> None:
        with database:
            if restart:
                for deletion in ("DELETE FROM rows", "DELETE FROM log", "DELETE FROM load"):
                    database.execute(deletion)
            target.ensure_same(_values(database), self.name)
            self._run = _last_run(database) + 1
            _set(database, {**vars(target), _RUN: str(self._run)})

    def _hold(self) -> None:
        """Take the lock, which ends with the process at the latest."""
        self._held = sqlite3.connect(f"{self._path}-lock", timeout=0, isolation_level=None, check_same_thread=False)
        try:
            self._held.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise
            raise JournalError(
                f"Another program loads with journal {self.name}. Wait until it ends, or give another journal."
            ) from None

    @contextmanager
    def _opened(self) -> Iterator[tuple[sqlite3.Connection, JournalRows]]:
        with self._lock, self._errors():
            yield self._opened_rows()

    def _opened_rows(self) -> tuple[sqlite3.Connection, JournalRows]:
        if self._database is None or self._rows is None:
            raise JournalError(f"Journal {self.name} is closed.")
        return self._database, self._rows

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise JournalError(
                f"{self.name} cannot be used as a journal: {error}. Free the disk, repair the rights, or give another "
                "path; a damaged journal is deleted, and the next load writes all documents again."
            ) from error


def _open(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, timeout=60, check_same_thread=False)
    try:
        _ensure_format(database, path)
        database.execute("PRAGMA synchronous = NORMAL")
    except BaseException:
        database.close()
        raise
    return database


def _ensure_format(database: sqlite3.Connection, path: Path) -> None:
    if not prepare(database, FORMAT, _TABLES):
        raise JournalError(f"{path} is a database of another kind or version. Give another path.")


def read_rows(database: sqlite3.Connection, lock: RLock) -> JournalRows:
    """Return the rows of a journal, those of its log in memory.

    Args:
        database: The open file.
        lock: Held while the file is used.
    """
    rows = JournalRows(database, lock)
    for (entries,) in database.execute("SELECT entries FROM log ORDER BY number"):
        rows.add(from_columns(json.loads(entries)))
    return rows


def _store(database: sqlite3.Connection, rows: JournalRows, lock: RLock) -> None:
    """Move the entries of the log to the table."""
    with lock:
        (last,) = database.execute("SELECT max(number) FROM log").fetchone()
    rows.store()
    with lock, database:
        database.execute("DELETE FROM log WHERE number <= ?", (last,))


def _values(database: sqlite3.Connection) -> dict[str, str]:
    return dict(database.execute("SELECT key, value FROM load"))


def _set(database: sqlite3.Connection, values: dict[str, str]) -> None:
    database.executemany("INSERT OR REPLACE INTO load VALUES (?, ?)", values.items())


def _last_run(database: sqlite3.Connection) -> int:
    return int(_values(database).get(_RUN, 0))

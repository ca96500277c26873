"""Journals in a file: what is in its log, and what in its table."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from opensearch_neural_sparse import JournalError, SqliteJournal
from opensearch_neural_sparse.ingestion.journals import journal_rows
from opensearch_neural_sparse.ingestion.journals.journal import JournalEntry, LoadTarget

TARGET = LoadTarget(source="articles", index="articles-1", uuid="u", model="")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "articles.journal"


@pytest.fixture
def journal(path: Path) -> Iterator[SqliteJournal]:
    journal = SqliteJournal(path)
    yield journal
    journal.close()


def entries(*names: str, run: int = 1, content: bytes = b"x") -> list[JournalEntry]:
    return [JournalEntry(name, content, f"place of {name}", run) for name in names]


def stored(path: Path) -> tuple[int, int]:
    """Return how many groups the log holds, and how many rows the table."""
    with closing(sqlite3.connect(path)) as database:
        ((groups,), (rows,)) = (database.execute(f"SELECT count(*) FROM {name}").fetchone() for name in ("log", "rows"))
    return groups, rows


def test_rows_of_the_log_are_found_when_it_is_opened_again(journal: SqliteJournal, path: Path) -> None:
    journal.begin(TARGET, restart=False)
    journal.commit(entries("a", "b"))
    journal.commit(entries("b", content=b"later"))
    assert stored(path) == (2, 0)
    assert (journal.status().rows, journal.status().last) == (2, 2)
    journal.close()
    assert journal.begin(TARGET, restart=False) == 2
    assert journal.entries(["a", "b", "c"]) == {"a": entries("a")[0], "b": entries("b", content=b"later")[0]}


def test_many_rows_move_to_the_table(journal: SqliteJournal, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_rows, "MANY", 10)
    journal.begin(TARGET, restart=False)
    names = [str(number) for number in range(12)]
    journal.commit(entries(*names))
    assert stored(path) == (1, 0)
    assert set(journal.entries(names)) == {*names}
    assert stored(path) == (0, 12)
    journal.commit(entries("1", "new", run=2))
    assert {entry.run for entry in journal.entries(["1", "new"]).values()} == {2}
    status = journal.status()
    assert (status.rows, status.last) == (13, 11)
    journal.close()
    journal.begin(TARGET, restart=False)
    assert set(journal.entries([*names, "new"])) == {*names, "new"}


def test_rows_that_a_run_has_not_read_are_gone_until_they_are_forgotten(journal: SqliteJournal, path: Path) -> None:
    journal.begin(TARGET, restart=False)
    journal.commit(entries("a", "b", "c"))
    journal.close()
    run = journal.begin(TARGET, restart=False)
    journal.commit(entries("b", run=run))
    assert [each.id for page in journal.gone() for each in page] == ["a", "c"]
    assert stored(path) == (0, 3)
    journal.forget(["a"])
    assert [each.id for page in journal.gone() for each in page] == ["c"]
    journal.close()
    assert journal.status().rows == 2


def test_restart_drops_log_and_table(journal: SqliteJournal, path: Path) -> None:
    journal.begin(TARGET, restart=False)
    journal.commit(entries("a"))
    list(journal.gone())
    journal.commit(entries("b"))
    journal.close()
    assert journal.begin(TARGET, restart=True) == 1
    assert journal.entries(["a", "b"]) == {}
    assert stored(path) == (0, 0)


def test_file_of_another_version_is_refused(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA user_version = 1")
    with pytest.raises(JournalError, match="of another kind or version"):
        SqliteJournal(path).begin(TARGET, restart=False)

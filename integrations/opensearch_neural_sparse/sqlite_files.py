"""SQLite files of one format: their tables, made at the first use, and rows by key."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from itertools import chain, islice
from typing import Any

KEYS_PER_QUERY = 500
ROWS_PER_STATEMENT = 100


def prepare(database: sqlite3.Connection, version: int, tables: Sequence[str]) -> bool:
    """Make the tables of a new file; return whether the file is of this format, new or not.

    Args:
        database: An open file.
        version: Version of the format, stored as SQLite's `user_version`.
        tables: The statements that make the tables.
    """
    if _version(database) == version:
        return True
    database.execute("BEGIN IMMEDIATE")
    (found,) = database.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if _version(database) != version:  # else another process made it meanwhile
        if found or _version(database):
            return False
        for table in tables:
            database.execute(table)
        database.execute(f"PRAGMA user_version = {version}")
    database.commit()
    database.execute("PRAGMA journal_mode = WAL")
    return True


def select_by_keys(database: sqlite3.Connection, selection: str, keys: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Return the rows of keys by some hundreds of keys a query.

    Args:
        database: An open file.
        selection: The query up to the column of the keys, such as `SELECT * FROM rows WHERE id`.
        keys: The keys.
    """
    rows: list[tuple[Any, ...]] = []
    for start in range(0, len(keys), KEYS_PER_QUERY):
        part = keys[start : start + KEYS_PER_QUERY]
        rows += database.execute(f"{selection} IN ({','.join('?' * len(part))})", part)
    return rows


def insert_rows(database: sqlite3.Connection, insertion: str, rows: Iterable[Sequence[Any]]) -> None:
    """Insert rows by a hundred a statement.

    A statement lets other threads run while it is carried out, and waits for them at its end: one a row would wait as
    often as there are rows.

    Args:
        database: An open file.
        insertion: The statement up to the values, such as `INSERT INTO rows`.
        rows: The rows, of equally many values each.
    """
    rest = iter(rows)
    while part := [*islice(rest, ROWS_PER_STATEMENT)]:
        row = f"({','.join('?' * len(part[0]))})"
        database.execute(f"{insertion} VALUES {','.join([row] * len(part))}", [*chain.from_iterable(part)])


def _version(database: sqlite3.Connection) -> int:
    (version,) = database.execute("PRAGMA user_version").fetchone()
    return int(version)

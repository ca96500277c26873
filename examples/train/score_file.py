"""Scores of pairs in a file, so that each is computed once."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path


class ScoreFile:
    """A table of SQLite: the hash of a teacher, a query and a text -> the score."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._table = sqlite3.connect(path)
        try:
            self._table.execute("CREATE TABLE IF NOT EXISTS scores (pair BLOB PRIMARY KEY, score REAL) WITHOUT ROWID")
        except sqlite3.DatabaseError as error:
            raise SystemExit(f"{path} cannot keep scores ({error}). Name another file by --teacher-scores.") from error

    def read(self, teacher: str, pairs: Sequence[tuple[str, str]]) -> dict[tuple[str, str], float]:
        """Return the scores of those pairs that are in the file."""
        rows = (
            (pair, self._table.execute("SELECT score FROM scores WHERE pair = ?", (_key(teacher, pair),)).fetchone())
            for pair in pairs
        )
        return {pair: row[0] for pair, row in rows if row is not None}

    def write(self, teacher: str, scores: Mapping[tuple[str, str], float]) -> None:
        """Keep scores, all of them or none."""
        with self._table:
            self._table.executemany(
                "INSERT OR REPLACE INTO scores VALUES (?, ?)",
                [(_key(teacher, pair), score) for pair, score in scores.items()],
            )


def _key(teacher: str, pair: tuple[str, str]) -> bytes:
    return sha256(json.dumps([teacher, *pair]).encode()).digest()

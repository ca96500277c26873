"""SQLite cache of vectors, keyed by content hash."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from zlib import crc32

from opensearch_neural_sparse.arguments import check_path
from opensearch_neural_sparse.errors import VectorCacheError
from opensearch_neural_sparse.sqlite_files import prepare, select_by_keys

FORMAT = 1
"""Version of the file format, stored as SQLite's `user_version`."""
_TABLE = "CREATE TABLE vectors (key BLOB PRIMARY KEY, vector BLOB NOT NULL) WITHOUT ROWID"
TEXTS_PER_COMMIT = 512
"""Number of new texts per commit; an interrupted run loses at most these."""


class VectorFile:
    """A SQLite file of checksummed vectors, safe for concurrent threads and processes.

    Args:
        path: The file; it is made when first needed.
    """

    def __init__(self, path: str | Path) -> None:
        check_path(path=path)
        self.path = Path(path).expanduser()

    def read(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """Read the cached contents of keys.

        Raises:
            VectorCacheError: The file or a vector is damaged, it is no such file, or it cannot be opened.
        """
        found: dict[bytes, bytes] = {}
        with self._database() as database:
            rows = select_by_keys(database, "SELECT key, vector FROM vectors WHERE key", keys)
            found.update((key, self._checked(value)) for key, value in rows)
        return found

    def write(self, contents: Mapping[bytes, bytes]) -> None:
        """Write contents by key.

        Raises:
            VectorCacheError: The file is damaged, is no such file, or cannot be opened.
        """
        rows = [(key, crc32(content).to_bytes(4, "little") + content) for key, content in contents.items()]
        with self._database() as database, database:
            database.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?)", rows)

    def fill(
        self,
        texts: Mapping[bytes, str],
        encode: Callable[[list[str]], Iterable[bytes]],
        *,
        tell_missing: Callable[[int], None],
    ) -> dict[bytes, bytes]:
        """Return the contents of texts by key; encode and store the missing ones in batches.

        Args:
            texts: Key -> text.
            encode: Returns the contents of texts, in their order.
            tell_missing: Called with the number of missing texts, before the first of them is encoded.

        Raises:
            VectorCacheError: As `read` and `write` raise it.
        """
        contents = self.read([*texts])
        tell_missing(len(texts) - len(contents))
        missing = iter([(key, text) for key, text in texts.items() if key not in contents])
        while part := dict(islice(missing, TEXTS_PER_COMMIT)):
            made = dict(zip(part, encode([*part.values()]), strict=True))
            self.write(made)
            contents |= made
        return contents

    def _checked(self, value: bytes) -> bytes:
        checksum, content = value[:4], value[4:]
        if crc32(content).to_bytes(4, "little") != checksum:
            raise VectorCacheError(
                f"{self.path} holds a damaged vector. Delete the file; the next run writes a new one."
            )
        return content

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        # A connection for each operation: SQLite's own locks then serve threads and processes alike.
        try:
            with closing(sqlite3.connect(self.path, timeout=60)) as database:
                if not prepare(database, FORMAT, [_TABLE]):
                    raise VectorCacheError(f"{self.path} is a database of another kind or version. Give another path.")
                yield database
        except sqlite3.DatabaseError as error:
            raise VectorCacheError(
                f"{self.path} cannot be used as a vector cache ({error}). "
                "Delete the file if it is one, or give another path."
            ) from error

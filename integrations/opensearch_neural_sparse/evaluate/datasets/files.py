"""Find and read the files of judged collections."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from opensearch_neural_sparse.ingestion.source_rows import RefusedRow
from opensearch_neural_sparse.readers.formats import read_rows


def find_files(folder: Path, *patterns: str) -> list[Path]:
    """Find the files of the first pattern that matches any, sorted by name.

    Raises:
        FileNotFoundError: No pattern matches.
    """
    for pattern in patterns:
        if found := sorted(folder.glob(pattern)):
            return found
    raise FileNotFoundError(f"{folder} has no {' or '.join(patterns)}.")


def read_objects(paths: Sequence[Path], *keys: str) -> Iterator[Mapping[str, Any]]:
    """Read the rows of JSON lines or Parquet files, compressed or not.

    Args:
        paths: The files.
        keys: Keys that each row must have.

    Raises:
        ValueError: A row cannot be read, or lacks a key; names file and line.
        MissingDependencyError: A file is Parquet, and pyarrow is not installed.
    """
    for path in paths:
        for row in read_rows(path):
            if isinstance(row, RefusedRow):
                raise ValueError(f"{row.place}: {row.reason}")  # noqa: TRY004  it is the file that is wrong
            if not row.values.keys() >= set(keys):
                raise ValueError(f"{row.place}: it needs the keys {', '.join(map(repr, keys))}")
            yield row.values

"""Files of judged collections: found by their names, read a row at a time, the first that is wrong named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from opensearch_neural_sparse.readers.formats import RefusedRow, read_rows


def find_files(folder: Path, *patterns: str) -> list[Path]:
    """Return the files of the first pattern that has any, in the order of their names.

    Raises:
        FileNotFoundError: None has.
    """
    for pattern in patterns:
        if found := sorted(folder.glob(pattern)):
            return found
    raise FileNotFoundError(f"{folder} has no {' or '.join(patterns)}.")


def read_objects(paths: Sequence[Path], *keys: str) -> Iterator[Mapping[str, Any]]:
    """Yield the rows of files of JSON lines or Parquet, compressed or not.

    Args:
        paths: The files.
        keys: What each row has.

    Raises:
        ValueError: A row cannot be read, or lacks a key; names file and line.
        MissingDependencyError: A Parquet file, and pyarrow is not installed.
    """
    for path in paths:
        for row in read_rows(path):
            if isinstance(row, RefusedRow):
                raise ValueError(f"{row.place}: {row.reason}")  # noqa: TRY004  it is the file that is wrong
            if not row.values.keys() >= set(keys):
                raise ValueError(f"{row.place}: it needs the keys {', '.join(map(repr, keys))}")
            yield row.values

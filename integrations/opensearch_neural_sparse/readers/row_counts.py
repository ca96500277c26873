"""Numbers of rows of files, where they are known before the rows are read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from opensearch_neural_sparse.errors import MissingDependencyError
from opensearch_neural_sparse.readers.dataset_rows import is_saved_dataset, saved_splits
from opensearch_neural_sparse.readers.documents import STANDARD_INPUT, is_readable, walk
from opensearch_neural_sparse.readers.formats import TEXT_ENDINGS, UNREADABLE, ending_of, is_compressed


def row_count(paths: Iterable[Path]) -> int | None:
    """Return the number of rows of files and folders; None where a file does not say it.

    CSV files, compressed ones and standard input do not: a row of CSV may have several lines.

    Args:
        paths: Files, folders, or `-`.
    """
    counts = [_in_path(path) for path in paths]
    return None if None in counts else sum(count for count in counts if count is not None)


def _in_path(path: Path) -> int | None:
    if path == STANDARD_INPUT:
        return None
    if path.is_dir() and is_saved_dataset(path):
        return _known(_saved_rows, path)
    if path.is_dir():
        return row_count(filter(is_readable, walk(path)))
    count = COUNTS.get(ending_of(path)) if path.is_file() and not is_compressed(path) else None
    return None if count is None else _known(count, path)


def _known(count: Callable[[Path], int], path: Path) -> int | None:
    try:
        return count(path)
    except (*UNREADABLE, MissingDependencyError):  # reading it says what is wrong
        return None


def _saved_rows(folder: Path) -> int:
    return sum(split.rows.num_rows for split in saved_splits(folder))


def _lines(path: Path) -> int:
    with path.open("rb") as lines:
        return sum(not line.isspace() for line in lines)


def _parquet_rows(path: Path) -> int:
    try:
        from pyarrow.parquet import read_metadata
    except ImportError:
        raise MissingDependencyError("pyarrow", "parquet", f"Reading {path.name!r}") from None
    rows: int = read_metadata(path).num_rows
    return rows


def _one(path: Path) -> int:  # noqa: ARG001  a text is a row, whatever is in it
    return 1


COUNTS: Mapping[str, Callable[[Path], int]] = {
    ".jsonl": _lines,
    ".ndjson": _lines,
    ".parquet": _parquet_rows,
    **dict.fromkeys(TEXT_ENDINGS, _one),
}
"""File ending -> how its rows are counted."""

"""Rows of files, read one by one; a read error is a row as well."""

from __future__ import annotations

import csv
import gzip
import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from opensearch_neural_sparse.ingestion.source_rows import RefusedRow
from opensearch_neural_sparse.readers.csv_rows import csv_rows
from opensearch_neural_sparse.readers.parquet_rows import parquet_rows
from opensearch_neural_sparse.readers.row import Row, too_long, twice

LONGEST_ROW = 64 * 1024 * 1024
"""Bytes of a row above which it is refused, unpacked: a file of a few kilobytes may hold one of gigabytes."""
UNREADABLE = (OSError, EOFError, ValueError, csv.Error, zlib.error)
"""Errors of an unreadable file: permissions, a truncated archive, wrong encoding, a damaged Parquet file."""


def read_rows(path: Path, *, longest: int = LONGEST_ROW) -> Iterator[Row | RefusedRow]:
    """Read the rows of a file; a read error ends it with a refused row.

    Args:
        path: The file.
        longest: Most bytes of a row, unpacked.

    Raises:
        MissingDependencyError: A Parquet file, and pyarrow is not installed.
    """
    try:
        yield from FORMATS[ending_of(path)](path, longest)
    except UNREADABLE as error:
        reason = getattr(error, "strerror", None) or str(error)
        yield RefusedRow(place=str(path), reason=f"it cannot be read, or not to its end: {reason}")


def ending_of(path: Path) -> str:
    """Return the ending of a file's format, such as `.jsonl`, without a final `.gz`."""
    return Path(path.stem if is_compressed(path) else path.name).suffix.lower()


def is_compressed(path: Path) -> bool:
    """Return whether a file is gzip-compressed, by its name."""
    return path.suffix.lower() == ".gz"


def read_lines(lines: IO[bytes], name: str, *, longest: int = LONGEST_ROW) -> Iterator[Row | RefusedRow]:
    """Read JSON lines; empty lines are skipped, and one that is too long ends the reading.

    Args:
        lines: A binary stream.
        name: What it is called in places.
        longest: Most bytes of a line.
    """
    number = 0
    while line := lines.readline(longest + 1):
        number += 1
        if len(line) > longest:
            yield RefusedRow(place=f"{name}:{number}", reason=f"{too_long(longest)}; it and what follows are not read")
            return
        if line.strip():
            yield _json_row(line, f"{name}:{number}")


def _json_row(line: bytes, place: str) -> Row | RefusedRow:
    try:
        values = json.loads(line, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        return RefusedRow(place=place, reason=f"it is not JSON: {error}")
    if not isinstance(values, dict):
        return RefusedRow(place=place, reason=f"it is a JSON {type(values).__name__}, not an object")
    return Row(place=place, values=values)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object of JSON, in which a key that occurs twice would lose the first of its values."""
    held = dict(pairs)
    if len(held) < len(pairs):
        raise ValueError(f"the key {twice(key for key, _ in pairs)!r} occurs twice")
    return held


def _read_csv(path: Path, longest: int) -> Iterator[Row | RefusedRow]:
    delimiter = "\t" if ending_of(path) == ".tsv" else ","
    with _open(path) as file:
        yield from csv_rows(file, str(path), delimiter=delimiter, longest=longest)


def _read_json_lines(path: Path, longest: int) -> Iterator[Row | RefusedRow]:
    with _open(path) as file:
        yield from read_lines(file, str(path), longest=longest)


def _read_parquet(path: Path, longest: int) -> Iterator[Row | RefusedRow]:
    yield from parquet_rows(path, longest=longest)


def _read_text(path: Path, longest: int) -> Iterator[Row | RefusedRow]:
    with _open(path) as file:
        content = file.read(longest + 1)
    if len(content) > longest:
        yield RefusedRow(place=str(path), reason=too_long(longest))
        return
    text = content.decode("utf-8-sig")
    yield Row(place=str(path), values={"id": path.as_posix(), "text": text})


def _open(path: Path) -> IO[bytes]:
    return gzip.open(path) if is_compressed(path) else path.open("rb")  # type: ignore[return-value]


FORMATS: Mapping[str, Callable[[Path, int], Iterator[Row | RefusedRow]]] = {
    ".jsonl": _read_json_lines,
    ".ndjson": _read_json_lines,
    ".csv": _read_csv,
    ".tsv": _read_csv,
    ".parquet": _read_parquet,
    ".txt": _read_text,
    ".md": _read_text,
    ".rst": _read_text,
}
"""File ending -> reader of its rows."""
TEXT_ENDINGS = frozenset(ending for ending, read in FORMATS.items() if read is _read_text)
"""Endings of files with one document each."""

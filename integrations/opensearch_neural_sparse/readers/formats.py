"""Rows of files, read one by one; a read error is a row as well."""

from __future__ import annotations

import csv
import gzip
import json
import sys
import zlib
from codecs import iterdecode
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from io import BufferedIOBase
from itertools import chain
from pathlib import Path
from typing import Any

from opensearch_neural_sparse.errors import MissingDependencyError
from opensearch_neural_sparse.ingestion.source_rows import RefusedRow

LONGEST_CELL = min(sys.maxsize, 2**31 - 1)
PARQUET_ROWS = 200
"""Number of a Parquet file's rows in memory."""
UNREADABLE = (OSError, EOFError, ValueError, csv.Error, zlib.error)
"""Errors of an unreadable file: permissions, a truncated archive, wrong encoding, a damaged Parquet file."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row of a file.

    Attributes:
        place: The file, and the line or number of the row in it.
        values: Its columns by name.
    """

    place: str
    values: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class RowWithoutText(RefusedRow):
    """A row without the text column.

    Attributes:
        columns: Those that it has.
    """

    columns: tuple[str, ...]


def read_rows(path: Path) -> Iterator[Row | RefusedRow]:
    """Read the rows of a file; a read error ends it with a refused row.

    Raises:
        MissingDependencyError: A Parquet file, and pyarrow is not installed.
    """
    try:
        yield from FORMATS[ending_of(path)](path)
    except UNREADABLE as error:
        reason = getattr(error, "strerror", None) or str(error)
        yield RefusedRow(place=str(path), reason=f"it cannot be read, or not to its end: {reason}")


def ending_of(path: Path) -> str:
    """Return the ending of a file's format, such as `.jsonl`, without a final `.gz`."""
    return Path(path.stem if is_compressed(path) else path.name).suffix.lower()


def is_compressed(path: Path) -> bool:
    """Return whether a file is gzip-compressed, by its name."""
    return path.suffix.lower() == ".gz"


def read_lines(lines: Iterable[bytes], name: str) -> Iterator[Row | RefusedRow]:
    """Read JSON lines; empty lines are skipped."""
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield _json_row(line, f"{name}:{number}")


def _json_row(line: bytes, place: str) -> Row | RefusedRow:
    try:
        values = json.loads(line)
    except (ValueError, RecursionError) as error:
        return RefusedRow(place=place, reason=f"it is not JSON: {error}")
    if not isinstance(values, dict):
        return RefusedRow(place=place, reason=f"it is a JSON {type(values).__name__}, not an object")
    return Row(place=place, values=values)


def _read_json_lines(path: Path) -> Iterator[Row | RefusedRow]:
    with _open(path) as file:
        yield from read_lines(file, str(path))


def _read_csv(path: Path) -> Iterator[Row | RefusedRow]:
    csv.field_size_limit(LONGEST_CELL)
    delimiter = "\t" if ending_of(path) == ".tsv" else ","
    with _open(path) as file:
        reader = csv.DictReader(iterdecode(file, "utf-8-sig"), delimiter=delimiter)
        for row in reader:
            place = f"{path}:{reader.line_num}"
            if None in row:
                yield RefusedRow(place=place, reason="it has more cells than the first line has names")
            else:
                yield Row(place=place, values={name: cell for name, cell in row.items() if cell})


def _read_parquet(path: Path) -> Iterator[Row | RefusedRow]:
    try:
        from pyarrow.parquet import ParquetFile
    except ImportError:
        raise MissingDependencyError("pyarrow", "parquet", f"Reading {path.name!r}") from None
    with ParquetFile(path) as file:
        batches = file.iter_batches(batch_size=PARQUET_ROWS)
        rows = chain.from_iterable(batch.to_pylist() for batch in batches)
        for number, values in enumerate(rows, start=1):
            yield Row(place=f"{path}:{number}", values=values)


def _read_text(path: Path) -> Iterator[Row | RefusedRow]:
    with _open(path) as file:
        text = file.read().decode("utf-8-sig")
    yield Row(place=str(path), values={"id": path.as_posix(), "text": text})


def _open(path: Path) -> BufferedIOBase:
    return gzip.open(path) if is_compressed(path) else path.open("rb")


FORMATS: Mapping[str, Callable[[Path], Iterator[Row | RefusedRow]]] = {
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

"""Documents from files and folders: id and text by column, the other columns as metadata."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from pathlib import Path
from typing import IO, Any

from opensearch_neural_sparse.errors import IndexSchemaError
from opensearch_neural_sparse.index.documents.document import SparseDocument
from opensearch_neural_sparse.index.metadata.values import plain_scalar
from opensearch_neural_sparse.ingestion.source_rows import RefusedRow, SourceRow
from opensearch_neural_sparse.readers.csv_cells import check_type, typed
from opensearch_neural_sparse.readers.dataset_rows import is_saved_dataset, rows_of_split, saved_splits
from opensearch_neural_sparse.readers.formats import (
    FORMATS,
    LONGEST_ROW,
    TEXT_ENDINGS,
    UNREADABLE,
    ending_of,
    is_compressed,
    read_lines,
    read_rows,
)
from opensearch_neural_sparse.readers.row import Row, RowWithoutText

STANDARD_INPUT = Path("-")
_SHOWN_COLUMNS = 8


class MissingTextError(IndexSchemaError):
    """A row without the text column."""


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Columns of the id and the text, and types of the others.

    Attributes:
        id: Column of the id; a row without one is given a random id when it is written.
        text: Column of the text.
        types: Column -> type of the values that its texts stand for, one of `CELL_TYPES`; by default they stay texts.

    Raises:
        ValueError: An unknown type, or a type for the text or the id.
    """

    id: str = "id"
    text: str = "text"
    types: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for column, kind in self.types.items():
            check_type(kind)
            if column in (self.id, self.text):
                what = "id" if column == self.id else "text"
                raise ValueError(f"Column {column!r} is the {what}, which stays a text.")


def read_documents(
    paths: Iterable[Path], columns: Columns, standard_input: IO[bytes]
) -> Iterator[SparseDocument | RefusedRow]:
    """Read the documents of files and folders one by one, in the order of their names.

    Args:
        paths: Files, folders, folders of `datasets`, or `-` for JSON lines on standard input.
        columns: Which columns of a row are what; a text file is a document by itself, its path the id.
        standard_input: What `-` stands for.

    Raises:
        MissingDependencyError: A Parquet file or a dataset, and pyarrow or `datasets` is not installed.
    """
    for row in read_source(paths, columns, standard_input):
        yield row.document if isinstance(row, SourceRow) else row


def read_source(
    paths: Iterable[Path], columns: Columns, standard_input: IO[bytes], *, longest: int = LONGEST_ROW
) -> Iterator[SourceRow | RefusedRow]:
    """Read the documents of files and folders as `read_documents` does, with their places.

    Args:
        paths: Files, folders, folders of `datasets`, or `-` for JSON lines on standard input.
        columns: Which columns of a row are what.
        standard_input: What `-` stands for.
        longest: Most bytes of a row, unpacked.
    """
    for path in paths:
        if path == STANDARD_INPUT:
            lines = read_lines(standard_input, "standard input", longest=longest)
            yield from documents_of(lines, "standard input", columns)
        elif path.is_dir() and is_saved_dataset(path):
            yield from _read_saved(path, columns)
        elif path.is_dir():
            yield from _read_folder(path, columns, longest)
        else:
            yield from _read_file(path, columns, longest)


def check_paths(paths: Iterable[Path]) -> None:
    """Check that each file exists and has a known format.

    Raises:
        ValueError: One is not.
    """
    for path in paths:
        if path == STANDARD_INPUT or path.is_dir():
            continue
        if not path.exists():
            raise ValueError(f"{str(path)!r} does not exist.")
        if not is_readable(path):
            raise ValueError(f"{str(path)!r} is of no known format; names end in {known_endings()}.")


def is_readable(path: Path) -> bool:
    """Return whether a file's ending is of a known format."""
    return ending_of(path) in FORMATS and not (is_compressed(path) and ending_of(path) == ".parquet")


def known_endings() -> str:
    """Return the known endings of files as text."""
    return f"{', '.join(FORMATS)}, and .gz after any but .parquet"


def skipped_files(paths: Iterable[Path]) -> int:
    """Count the files of unknown format in folders, without hidden ones."""
    folders = (path for path in paths if path.is_dir() and not is_saved_dataset(path))
    return sum(not is_readable(file) for folder in folders for file in walk(folder))


def documents_of(rows: Iterable[Row | RefusedRow], place: str, columns: Columns) -> Iterator[SourceRow | RefusedRow]:
    """Make documents of rows.

    Args:
        rows: The rows of one file or split.
        place: Its name, for a refusal of all its rows.
        columns: Which columns of a row are what.
    """
    return _merge_refusals((_document(row, columns) for row in rows), place, columns)


def _read_saved(folder: Path, columns: Columns) -> Iterator[SourceRow | RefusedRow]:
    try:
        splits = saved_splits(folder)
    except UNREADABLE as error:
        yield RefusedRow(place=str(folder), reason=f"it cannot be read as a dataset: {error}")
        return
    for split in splits:
        yield from documents_of(rows_of_split(split), split.place, columns)


def _read_folder(folder: Path, columns: Columns, longest: int) -> Iterator[SourceRow | RefusedRow]:
    empty = True
    for path in filter(is_readable, walk(folder)):
        empty = False
        if path.is_file():
            yield from _read_file(path, columns, longest)
        else:
            yield RefusedRow(place=str(path), reason="it is no regular file, or a link to none")
    if empty:
        yield RefusedRow(place=str(folder), reason=f"no file in it ends in {known_endings()}")


def walk(folder: Path) -> Iterator[Path]:
    """Yield the files of a folder and its subfolders by name, without hidden ones."""
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(root, name) for name in sorted(files) if not name.startswith("."))


def _read_file(path: Path, columns: Columns, longest: int) -> Iterator[SourceRow | RefusedRow]:
    if ending_of(path) in TEXT_ENDINGS:
        columns = Columns()
    return documents_of(read_rows(path, longest=longest), str(path), columns)


def _merge_refusals(
    found: Iterable[SourceRow | RefusedRow], place: str, columns: Columns
) -> Iterator[SourceRow | RefusedRow]:
    """Merge the refusals of a file in which no row has the text column."""
    rows = iter(found)
    without: list[RowWithoutText] = []
    for row in rows:
        if isinstance(row, RowWithoutText):
            without.append(row)
        elif isinstance(row, RefusedRow):
            yield row
        else:
            yield from without
            yield row
            yield from rows
            return
    if len(without) > 1:
        reason = f"none of its {len(without):,} rows has a text: {_without_text(columns, without[0].columns)}"
        yield RefusedRow(place=place, reason=reason, rows=len(without))
    else:
        yield from without


def _document(row: Row | RefusedRow, columns: Columns) -> SourceRow | RefusedRow:
    if isinstance(row, RefusedRow):
        return row
    try:
        return SourceRow(place=row.place, document=document_of(row.values, columns))
    except MissingTextError as error:
        return RowWithoutText(place=row.place, reason=str(error), columns=tuple(map(str, row.values)))
    except (IndexSchemaError, ValueError) as error:
        return RefusedRow(place=row.place, reason=str(error))


def _without_text(columns: Columns, there: Sequence[str]) -> str:
    """Describe the missing text column and the existing columns, the most similar first."""

    def unlikeness(name: str) -> tuple[float, str]:
        return -SequenceMatcher(None, columns.text.lower(), name.lower()).ratio(), name

    shown = sorted(there, key=unlikeness)[:_SHOWN_COLUMNS]
    return f"no column {columns.text!r} among {', '.join(shown) or 'none'}; --text-field names it"


def document_of(values: Mapping[str, Any], columns: Columns) -> SparseDocument:
    """Make a document from a row; a mapping in the column `metadata` is metadata like the other columns.

    Raises:
        IndexSchemaError: It has no text, or an id or metadata key that no index can take.
        ValueError: A value is not of its column's type.
    """
    text, name = values.get(columns.text), values.get(columns.id)
    if text is None:
        raise MissingTextError(f"no text: {_without_text(columns, tuple(map(str, values)))}")
    if not isinstance(text, str):
        raise IndexSchemaError(f"the text, column {columns.text!r}, is of type {type(text).__name__}")
    others = (column for column in values if column not in (columns.id, columns.text))
    rest = {column: typed(column, values[column], columns.types.get(column)) for column in others}
    if isinstance(nested := rest.get("metadata"), Mapping):
        rest = {key: value for key, value in rest.items() if key != "metadata"} | dict(nested)
    metadata = {key: plain_scalar(value) for key, value in rest.items() if value is not None}
    whole_number = isinstance(name, int) and not isinstance(name, bool)
    return SparseDocument(id=str(name) if whole_number else name, text=text, metadata=metadata)

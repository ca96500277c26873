"""Rows of CSV files."""

from __future__ import annotations

import csv
from codecs import iterdecode
from collections.abc import Iterable, Iterator, Sequence
from typing import IO

from opensearch_neural_sparse.ingestion.source_rows import RefusedRow
from opensearch_neural_sparse.readers.row import Row, twice

LARGEST_LIMIT = 2**31 - 1


def csv_rows(file: IO[bytes], name: str, *, delimiter: str, longest: int) -> Iterator[Row | RefusedRow]:
    """Read the rows of a CSV file; one that breaks the format ends the reading, as nobody knows where the next begins.

    Args:
        file: A binary stream of UTF-8.
        name: What it is called in places.
        delimiter: What separates cells.
        longest: Most characters of a cell.
    """
    csv.field_size_limit(min(longest, LARGEST_LIMIT))
    reader = csv.reader(iterdecode(file, "utf-8-sig"), delimiter=delimiter, strict=True)
    names: list[str] | None = None
    begins = 1
    try:
        for cells in reader:
            place, begins = f"{name}:{reader.line_num}", reader.line_num + 1
            if names is None:
                if (refused := _refused_names(cells, place)) is not None:
                    yield refused
                    return
                names = cells
            elif cells:
                yield _row(names, cells, place)
    except csv.Error as error:
        reason = _reason(error, longest)
        yield RefusedRow(place=f"{name}:{begins}", reason=f"{reason}; it and what follows are not read")


def _row(names: Sequence[str], cells: Sequence[str], place: str) -> Row | RefusedRow:
    if len(cells) > len(names):
        return RefusedRow(place=place, reason="it has more cells than the first line has names")
    values = [(name, cell) for name, cell in zip(names, cells, strict=False) if cell]
    if not all(name for name, _ in values):
        return RefusedRow(place=place, reason="it has a cell in a column without a name; name it in the first line")
    return Row(place=place, values=dict(values))


def _refused_names(cells: Iterable[str], place: str) -> RefusedRow | None:
    doubled = twice(filter(None, cells))
    if doubled is None:
        return None
    return RefusedRow(place=place, reason=f"the first line names the column {doubled!r} twice; rename one")


def _reason(error: csv.Error, longest: int) -> str:
    text = str(error)
    if "field larger" in text:
        return f"a cell has more than {longest:,} characters: a quote is not closed, or --max-row-bytes is too low"
    if "unexpected end of data" in text:
        return "a quote is not closed to the end of the file"
    return f"it is no CSV: {text}; a quote within a cell is doubled, and the cell quoted"

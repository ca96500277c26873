"""Rows of Parquet files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from opensearch_neural_sparse.errors import MissingDependencyError
from opensearch_neural_sparse.ingestion.source_rows import RefusedRow
from opensearch_neural_sparse.readers.row import Row, too_long, twice

MOST_ROWS = 200
"""Most rows that are unpacked at once."""
MOST_BYTES = 64 * 1024 * 1024
"""Bytes of these rows, on the average of the row group where a row is largest."""
_LARGE_DICTIONARY = 2 * 1024 * 1024
"""Bytes of a dictionary on disk above which its values are unpacked one by one; writers end one at 1 MB by default."""
_LARGE_RATIO = 100
"""Bytes unpacked for one packed, above which values are unpacked one by one; real texts have 2 to 10."""


def parquet_rows(path: Path, *, longest: int) -> Iterator[Row | RefusedRow]:
    """Read the rows of a Parquet file.

    A column may name one value of a dictionary for each row, so that a file of a few kilobytes holds gigabytes. Values
    of such a column are unpacked row by row.

    Args:
        path: The file.
        longest: Most bytes of a row: on the average of a row group, and of its texts.

    Raises:
        MissingDependencyError: pyarrow is not installed.
    """
    try:
        from pyarrow.parquet import ParquetFile
    except ImportError:
        raise MissingDependencyError("pyarrow", "parquet", f"Reading {path.name!r}") from None
    with ParquetFile(path) as file:
        metadata, names = file.metadata, file.schema_arrow.names
        if (name := twice(names)) is not None:
            yield RefusedRow(place=str(path), reason=f"it has two columns {name!r}; rename one")
            return
        if (size := _largest_row(metadata)) > longest:
            yield RefusedRow(place=str(path), reason=f"a row has some {size:,} bytes: {too_long(longest)}")
            return
        amplified = _amplified_columns(metadata)
    with ParquetFile(path, read_dictionary=amplified) as file:
        at_once = max(1, min(MOST_ROWS, MOST_BYTES // max(1, size)))
        number = 0
        for batch in file.iter_batches(batch_size=at_once):
            for values in batch_rows(batch):
                number += 1
                place = f"{path}:{number}"
                if amplified and _characters(values) > longest:
                    yield RefusedRow(place=place, reason=too_long(longest))
                else:
                    yield Row(place=place, values=values)


def batch_rows(batch: Any) -> Iterator[dict[str, Any]]:
    """Yield the rows of an Arrow batch or table: one by one where a column is a dictionary or the whole is large.

    Args:
        batch: A `pyarrow.RecordBatch` or `Table`.
    """
    if batch.nbytes <= MOST_BYTES and not any("dictionary" in str(kind) for kind in batch.schema.types):
        yield from batch.to_pylist()
        return
    names, columns = batch.schema.names, batch.columns
    for number in range(batch.num_rows):
        yield {name: column[number].as_py() for name, column in zip(names, columns, strict=True)}


def _largest_row(metadata: Any) -> int:
    """Return the bytes of a row of a Parquet file, unpacked, on the average of the row group where it is largest."""
    groups = (metadata.row_group(number) for number in range(metadata.num_row_groups))
    return max((group.total_byte_size // max(1, group.num_rows) for group in groups), default=0)


def _amplified_columns(metadata: Any) -> list[str]:
    """Return the columns with values that may be many times larger than what the file holds of them."""
    groups = (metadata.row_group(number) for number in range(metadata.num_row_groups))
    chunks = (group.column(number) for group in groups for number in range(group.num_columns))
    return sorted({chunk.path_in_schema for chunk in chunks if _is_amplified(chunk)})


def _is_amplified(chunk: Any) -> bool:
    if chunk.physical_type != "BYTE_ARRAY" or not chunk.has_dictionary_page:
        return False
    dictionary = chunk.data_page_offset - (chunk.dictionary_page_offset or chunk.data_page_offset)
    packed = max(1, chunk.total_compressed_size)
    return bool(dictionary > _LARGE_DICTIONARY or chunk.total_uncompressed_size > _LARGE_RATIO * packed)


def _characters(values: Mapping[str, Any]) -> int:
    return sum(len(value) for value in values.values() if isinstance(value, str | bytes))

"""Rows of Hugging Face `datasets`, a batch of them in memory."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from opensearch_neural_sparse.errors import MissingDependencyError
from opensearch_neural_sparse.ingestion.source_rows import RefusedRow
from opensearch_neural_sparse.readers.formats import UNREADABLE
from opensearch_neural_sparse.readers.parquet_rows import batch_rows
from opensearch_neural_sparse.readers.row import Row

ROWS_AT_ONCE = 200
"""Number of rows in memory."""
_SPLITS, _STATE, _INFO = "dataset_dict.json", "state.json", "dataset_info.json"
"""Files that `save_to_disk` makes: the first in a folder of several splits, the others in that of one."""
_NO_METADATA = ("binary", "duration")
"""Arrow types, as parts of their names, that metadata has none for."""
Plain = Callable[[Any], Any]


@dataclass(frozen=True, kw_only=True)
class Split:
    """A split of a dataset.

    Attributes:
        place: Name of the dataset, with the split in brackets where it has one.
        rows: A `datasets.Dataset` or `IterableDataset`.
    """

    place: str
    rows: Any = field(repr=False)


def splits_of(dataset: Any, name: str | None) -> list[Split]:
    """Return the splits of a dataset.

    Args:
        dataset: A dataset, or a mapping of splits by name.
        name: Its name in places; by default its own, or `dataset`.

    Raises:
        TypeError: It is none of `datasets`.
    """
    if isinstance(dataset, Mapping):
        return [_split(rows, name, key) for key, rows in dataset.items()]
    return [_split(dataset, name, getattr(dataset, "split", None))]


def is_saved_dataset(folder: Path) -> bool:
    """Return whether `save_to_disk` has made a folder."""
    return (folder / _SPLITS).is_file() or ((folder / _STATE).is_file() and (folder / _INFO).is_file())


def saved_splits(folder: Path) -> list[Split]:
    """Return the splits of a dataset in a folder, without empty ones; their rows stay on disk.

    Raises:
        MissingDependencyError: `datasets` is not installed.
        OSError: The folder is damaged.
        ValueError: The folder is damaged.
    """
    try:
        from datasets import load_from_disk
    except ImportError:
        raise MissingDependencyError("datasets", "datasets", f"Reading {folder.name!r}") from None
    names = _saved_value(folder / _SPLITS, "splits") if (folder / _SPLITS).is_file() else [None]
    folders = {name: folder if name is None else folder / name for name in names}
    loaded = {  # an empty one, which load_from_disk fails on, has no files
        name: load_from_disk(str(part)) for name, part in folders.items() if _saved_value(part / _STATE, "_data_files")
    }
    return [_split(rows, str(folder), name or rows.split) for name, rows in loaded.items()]


def _saved_value(path: Path, key: str) -> list[Any]:
    values = json.loads(path.read_bytes())
    if not isinstance(values, dict) or not isinstance(found := values.get(key), list):
        raise ValueError(f"{path.name} has no list {key!r}")  # noqa: TRY004  of a damaged file
    return found


def rows_of_split(split: Split) -> Iterator[Row | RefusedRow]:
    """Read the rows of a split; labels are read as their names.

    A split whose columns metadata cannot hold is a refused row, and a read error ends it with one.
    """
    features = split.rows.features
    if unfit := _unfit(features):
        reason = f"metadata cannot hold its columns {', '.join(unfit)}; leave them out by remove_columns()"
        yield RefusedRow(place=split.place, reason=reason, rows=max(1, getattr(split.rows, "num_rows", 1)))
        return
    converters = {name: plain for name, kind in (features or {}).items() if (plain := _converter(kind)) is not None}
    number = 0
    try:
        for table in split.rows.with_format("arrow").iter(batch_size=ROWS_AT_ONCE):
            for values in batch_rows(table):
                number += 1
                converted = {name: convert(values[name]) for name, convert in converters.items()}
                yield Row(place=f"{split.place}:{number}", values=values | converted)
    except UNREADABLE as error:
        yield RefusedRow(place=split.place, reason=f"it cannot be read, or not to its end: {error}")


def _split(rows: Any, name: str | None, key: object) -> Split:
    if not (hasattr(rows, "with_format") and hasattr(rows, "iter")):
        raise TypeError(
            f"A dataset is one of Hugging Face's datasets, got {type(rows).__name__}. Other rows go into a load as "
            "they are: Load(rows)."
        )
    info = rows.info
    base = name or info.dataset_name or info.builder_name or "dataset"
    return Split(place=base if key is None else f"{base}[{key}]", rows=rows)


def _unfit(features: Any) -> list[str]:
    if features is None:  # of a stream that has not begun
        return []
    kinds = {column.name: str(column.type) for column in features.arrow_schema}
    return [name for name, kind in kinds.items() if any(part in kind for part in _NO_METADATA)]


def _converter(feature: Any) -> Plain | None:
    """Return what makes plain values of a feature's, or None where they are plain already."""
    if hasattr(feature, "int2str"):
        return lambda label: None if label is None or label < 0 else feature.int2str(label)
    if isinstance(feature, Mapping):
        parts = {name: plain for name, inner in feature.items() if (plain := _converter(inner)) is not None}
        return _of_parts(parts) if parts else None
    element = _converter(feature.feature) if hasattr(feature, "feature") else None
    return None if element is None else _of_list(element)


def _of_parts(parts: Mapping[str, Plain]) -> Plain:
    def convert(value: Any) -> Any:
        return None if value is None else value | {name: plain(value[name]) for name, plain in parts.items()}

    return convert


def _of_list(element: Plain) -> Plain:
    def convert(values: Any) -> Any:
        return None if values is None else list(map(element, values))

    return convert

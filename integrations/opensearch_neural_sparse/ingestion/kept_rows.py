"""Documents as JSON values, for dead letters that hold them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from opensearch_neural_sparse.index.documents.chunks import DocumentChunk
from opensearch_neural_sparse.index.documents.document import SparseDocument
from opensearch_neural_sparse.index.documents.vector_fields import FieldVector
from opensearch_neural_sparse.index.metadata.values import plain_scalar

_MAPPINGS = frozenset({"metadata", "more_vectors", "extra_fields"})


def row_of_document(document: SparseDocument) -> dict[str, Any] | None:
    """Return a document as JSON values, or None where it holds a value that JSON has no type for.

    Dates, UUIDs, decimals and values of NumPy are as they are stored: texts and numbers.

    Args:
        document: The document.
    """
    given = {name: value for name, value in _parts(document).items() if value or name not in _MAPPINGS}
    try:
        return {name: _plain(value) for name, value in given.items() if value is not None}
    except TypeError:
        return None


def document_of_row(row: Mapping[str, Any]) -> SparseDocument:
    """Return the document of a row that `row_of_document` made.

    Args:
        row: The row.

    Raises:
        IndexSchemaError: A key, an id, a chunk or a metadata key that no index can take.
        TypeError: Values of other types than a document has.
    """
    parts = dict(row)
    if parts.get("chunks") is not None:
        parts["chunks"] = tuple(map(DocumentChunk.of, parts["chunks"]))
    if parts.get("more_vectors"):
        parts["more_vectors"] = {name: FieldVector(**held) for name, held in parts["more_vectors"].items()}
    return SparseDocument.of(parts)


def _parts(value: Any) -> dict[str, Any]:
    return {each.name: getattr(value, each.name) for each in fields(value)}


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if is_dataclass(value):
        return _plain(_parts(value))
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if (plain := plain_scalar(value)) is not value:
        return _plain(plain)
    raise TypeError(f"JSON has no type for a {type(value).__name__}.")

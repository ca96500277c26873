"""Documents that were written without a vector: one warning a write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from opensearch_neural_sparse.error_reasons import first_of
from opensearch_neural_sparse.errors import MissingVectorWarning
from opensearch_neural_sparse.index.bulk.report import BulkReport
from opensearch_neural_sparse.index.schema import IndexSchema
from opensearch_neural_sparse.short_repr import short_repr
from opensearch_neural_sparse.telemetry.caller import warn_caller

_NAMED = 5
"""Ids that are named in a warning; it holds all of them as `missing`."""

NEEDS_TEXT = "A document needs a text with a token that the model knows."


@dataclass(frozen=True, kw_only=True)
class VectorRemedies:
    """Ways out for documents without vectors, in the words of a layer.

    Attributes:
        sparse: For the sparse field of the index.
        further: For an additional sparse field.
        dense: For the dense field.
    """

    sparse: str = "A document needs a text with a token that the model knows, or a vector."
    further: str = "A document needs a text with a token that the field's model knows, or a vector in more_vectors."
    dense: str = "A document needs an embedding."

    __repr__ = short_repr

    def of(self, field: str, schema: IndexSchema) -> str:
        """Return the way out for a field.

        Args:
            field: Name of a vector field.
            schema: Names of the fields.
        """
        if field in schema.additional_fields:
            return self.further
        return self.dense if field == schema.embedding_field else self.sparse


IN_THE_CORE = VectorRemedies()


def warn_of_missing_vectors(
    index: str, report: BulkReport, schema: IndexSchema, remedies: VectorRemedies = IN_THE_CORE
) -> None:
    """Warn, once a write, of documents that were written without a vector.

    Args:
        index: Name of the index.
        report: What was written.
        schema: Names of the fields.
        remedies: Ways out.
    """
    if report.without_vector and schema.semantic is None:
        rows = [_row(name, ids, remedies.of(name, schema)) for name, ids in report.without_vector.items()]
        message = f"Of {report.written} documents written to index {index!r}, {' '.join(rows)}"
        warn_caller(MissingVectorWarning(message, report.without_vector))


def warn_of_unencoded(index: str, missing: Mapping[str, tuple[str, ...]], remedy: str) -> None:
    """Warn, once, of documents that got no vector when an index was encoded.

    Args:
        index: Name of the index.
        missing: Field -> the ids of these documents; nothing is said where there are none.
        remedy: The way out.
    """
    for name, ids in missing.items():
        if ids:
            message = f"Of the documents of index {index!r}, {_row(name, ids, remedy)}"
            warn_caller(MissingVectorWarning(message, {name: ids}))


def _row(field: str, ids: tuple[str, ...], remedy: str) -> str:
    named = first_of(map(repr, ids), _NAMED)
    return f"{len(ids)} have no vector in {field!r} and are not found by it: {named}. {remedy}"

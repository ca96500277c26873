"""SEISMIC parameters: the approximate index of a `sparse_vector` field."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from numbers import Real
from typing import Any

from opensearch_neural_sparse.error_reasons import shown_value
from opensearch_neural_sparse.errors import IndexSchemaError
from opensearch_neural_sparse.short_repr import short_repr

SPARSE_VECTOR_SINCE = (3, 3, 0)


@dataclass(frozen=True, kw_only=True)
class SeismicParameters:
    """SEISMIC index parameters of a `sparse_vector` field; None leaves one to the server.

    Attributes:
        n_postings: Most documents kept for a token; the server's own is 0.05 % of a segment's, at least 160.
        cluster_ratio: Clusters of a token's documents as a share of them, above 0 and below 1; the server's own is 0.1.
        summary_prune_ratio: Share of a cluster's weight that its summary keeps, above 0, at most 1; the server's own
            is 0.4.
        approximate_threshold: Documents of a segment from which on it is searched approximately, and exactly below; the
            server's own is 1,000,000.
        quantization_ceiling_ingest: Largest weight of a document that differs from larger ones; the server's own
            is 3.0.
        quantization_ceiling_search: The same of a query; the server's own is 16.0, which suits doc-only models. 3.0
            suits bi-encoders.

    Raises:
        IndexSchemaError: A value that the server does not take.
    """

    n_postings: int | None = None
    cluster_ratio: float | None = None
    summary_prune_ratio: float | None = None
    approximate_threshold: int | None = None
    quantization_ceiling_ingest: float | None = None
    quantization_ceiling_search: float | None = None

    __repr__ = short_repr

    def __post_init__(self) -> None:
        for name, value in ((each.name, getattr(self, each.name)) for each in fields(self)):
            if value is not None and (
                isinstance(value, bool) or not isinstance(value, int if name in _WHOLE else Real)
            ):
                kind = "a whole number" if name in _WHOLE else "a number"
                raise IndexSchemaError(f"{name} is {kind}, got {shown_value(value)}.")
        self._require("n_postings", "at least 1", lambda value: 1 <= value <= _LARGEST_INTEGER)
        self._require("approximate_threshold", "at least 0", lambda value: 0 <= value <= _LARGEST_INTEGER)
        self._require("cluster_ratio", "above 0 and below 1", lambda value: 0 < value < 1)
        self._require("summary_prune_ratio", "above 0 and at most 1", lambda value: 0 < value <= 1)
        for name in ("quantization_ceiling_ingest", "quantization_ceiling_search"):
            self._require(name, "above 0 and finite", lambda value: 0 < value < float("inf"))

    def to_dict(self) -> dict[str, Any]:
        """Return the given parameters under the server's names."""
        return {field.name: value for field in fields(self) if (value := getattr(self, field.name)) is not None}

    def _require(self, name: str, limits: str, allowed: Callable[[float], bool]) -> None:
        value = getattr(self, name)
        if value is not None and not allowed(value):
            raise IndexSchemaError(f"{name} is {limits}, got {shown_value(value)}.")


_WHOLE = ("n_postings", "approximate_threshold")
_LARGEST_INTEGER = 2**31 - 1

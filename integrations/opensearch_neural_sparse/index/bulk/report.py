"""Report of a bulk write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from opensearch_neural_sparse.arguments import check_count, check_list, check_mapping, check_text
from opensearch_neural_sparse.error_reasons import first_of, shown_value
from opensearch_neural_sparse.errors import BulkWriteError

NOT_SENT = "not_sent"
"""Error type of a document that was kept back, since the write had stopped."""
NOT_WRITTEN = "not_written"
"""Error type of a document that the index lacks after a request without an answer."""
_SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class BulkFailure:
    """A document that was not written, with the reason.

    Attributes:
        id: Its id.
        status: HTTP status of the item; None where it was refused before it was sent.
        error_type: The server's name of the error, or the name of this package's exception.
        reason: What was wrong; quoted field values are taken out.
    """

    id: str
    status: int | None
    error_type: str
    reason: str

    def __str__(self) -> str:
        return f"{shown_value(self.id)}: {self.error_type}: {self.reason}"


class EncodingFailure(BulkFailure):
    """A document with a text that could not be encoded."""


@dataclass(frozen=True, kw_only=True)
class BulkReport:
    """Report of a bulk write.

    Attributes:
        written: How many the server took.
        failed: Those it did not take, with reasons.
        unknown: Ids that were sent without an answer, and of which the index does not show whether they were written.
        stopped: Why the write ended early, or None; documents after that were not sent.
        without_vector: Vector field -> ids of documents that were written without a vector in it, so that no search by
            that field finds them; fields that no document lacks are left out.
    """

    written: int = 0
    failed: tuple[BulkFailure, ...] = ()
    unknown: tuple[str, ...] = ()
    stopped: str | None = None
    without_vector: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_count(0, written=self.written)
        check_list(BulkFailure, failed=self.failed)
        check_list(unknown=self.unknown)
        object.__setattr__(self, "failed", tuple(self.failed))
        object.__setattr__(self, "unknown", tuple(self.unknown))
        check_text(optional=True, stopped=self.stopped)
        check_mapping(without_vector=self.without_vector)
        for ids in self.without_vector.values():
            check_list(without_vector=ids)

    @property
    def complete(self) -> bool:
        """Whether every document was written."""
        return not (self.failed or self.unknown or self.stopped)

    def raise_if_incomplete(self) -> None:
        """Raise BulkWriteError unless every document was written."""
        if not self.complete:
            raise BulkWriteError(self)

    @classmethod
    def total(cls, reports: Sequence[BulkReport]) -> BulkReport:
        """Merge several reports, in their order.

        Args:
            reports: Reports of the parts of one write.
        """
        return cls(
            written=sum(report.written for report in reports),
            failed=tuple(failure for report in reports for failure in report.failed),
            unknown=tuple(name for report in reports for name in report.unknown),
            stopped=next((report.stopped for report in reports if report.stopped), None),
            without_vector={
                name: tuple(key for report in reports for key in report.without_vector.get(name, ()))
                for name in dict.fromkeys(name for report in reports for name in report.without_vector)
            },
        )

    def __add__(self, other: BulkReport) -> BulkReport:
        return BulkReport.total((self, other))

    def __str__(self) -> str:
        parts = [f"{self.written} written, {len(self.failed)} failed, {len(self.unknown)} of unknown outcome."]
        if self.failed:
            parts.append(f"Failed: {first_of(map(str, self.failed), _SHOWN, '; ').rstrip('.')}.")
        if self.unknown:
            unknown = first_of(map(shown_value, self.unknown), _SHOWN, "; ")
            parts.append(f"Unknown: {unknown}; writing them again by these ids is safe.")
        for name, ids in self.without_vector.items():
            parts.append(f"Without a vector in {name!r}: {first_of(map(shown_value, ids), _SHOWN)}.")
        if self.stopped:
            parts.append(f"Stopped: {self.stopped}")
        return " ".join(parts)

    __repr__ = __str__

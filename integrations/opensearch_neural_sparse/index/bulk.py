"""Documents as lines of a bulk request, and what became of each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from opensearch_neural_sparse.errors import BulkWriteError, IndexSchemaError, InvalidVectorError
from opensearch_neural_sparse.index.document import SparseDocument, check_id, to_source
from opensearch_neural_sparse.index.fields import IndexSchema
from opensearch_neural_sparse.index.reasons import first_of, short_reason
from opensearch_neural_sparse.index.serializer import to_json

RETRIED_STATUSES = frozenset({429, 503})
"""Statuses of an item that the server had no room for: the same item may pass later."""
_SHOWN = 5


class BulkOperation(StrEnum):
    """What is done with a document.

    `INDEX` replaces a document of the same id, `CREATE` fails on one, `DELETE` removes it.
    """

    INDEX = "index"
    CREATE = "create"
    DELETE = "delete"


@dataclass(frozen=True, kw_only=True, slots=True)
class BulkAction:
    """One operation of a bulk request, serialised.

    Attributes:
        id: The document's id.
        body: Its lines, each ended by a newline.
    """

    id: str
    body: bytes = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class BulkFailure:
    """A document that was not written, and why.

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
        return f"{self.id!r}: {self.error_type}: {self.reason}"


@dataclass(frozen=True, kw_only=True)
class BulkReport:
    """What became of the documents of a write.

    Attributes:
        written: How many the server took.
        failed: Those it did not take, with reasons.
        unknown: Ids that were sent without an answer: written or not.
        stopped: Why the write ended early, or None; documents after that were not sent.
    """

    written: int = 0
    failed: tuple[BulkFailure, ...] = ()
    unknown: tuple[str, ...] = ()
    stopped: str | None = None

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
        """Return what several reports say together, in their order.

        Args:
            reports: Reports of the parts of one write.
        """
        return cls(
            written=sum(report.written for report in reports),
            failed=tuple(failure for report in reports for failure in report.failed),
            unknown=tuple(name for report in reports for name in report.unknown),
            stopped=next((report.stopped for report in reports if report.stopped), None),
        )

    def __add__(self, other: BulkReport) -> BulkReport:
        return BulkReport.total((self, other))

    def __str__(self) -> str:
        parts = [f"{self.written} written, {len(self.failed)} failed, {len(self.unknown)} of unknown outcome."]
        if self.failed:
            parts.append(f"Failed: {first_of(map(str, self.failed), _SHOWN, '; ')}.")
        if self.unknown:
            parts.append(f"Unknown: {first_of(map(repr, self.unknown), _SHOWN, '; ')}; writing them again is safe.")
        if self.stopped:
            parts.append(f"Stopped: {self.stopped}")
        return " ".join(parts)

    __repr__ = __str__


def bulk_actions(
    documents: Iterable[SparseDocument],
    schema: IndexSchema,
    *,
    operation: BulkOperation = BulkOperation.INDEX,
    exact_weights: bool = False,
) -> Iterator[BulkAction | BulkFailure]:
    """Yield the action of each document, or why it cannot be sent."""
    for document in documents:
        yield bulk_action(document, schema, operation=operation, exact_weights=exact_weights)


def bulk_action(
    document: SparseDocument,
    schema: IndexSchema,
    *,
    operation: BulkOperation = BulkOperation.INDEX,
    exact_weights: bool = False,
    routing: str | None = None,
    fields: Mapping[str, Any] | None = None,
) -> BulkAction | BulkFailure:
    """Return the action of a document that has an id, or why it cannot be sent.

    Args:
        document: The document.
        schema: Names of the fields.
        operation: What is done with it.
        exact_weights: Whether to keep weights whole.
        routing: What its shard is chosen by, in place of its id.
        fields: Further top-level fields of its `_source`.
    """
    document_id = check_id(document.id)
    header = _header(document_id, routing)
    return action_of(
        operation, header, lambda: to_source(document, schema) | dict(fields or {}), exact_weights=exact_weights
    )


def action_of(
    operation: str,
    header: Mapping[str, Any],
    make_body: Callable[[], Mapping[str, Any]],
    *,
    exact_weights: bool = False,
) -> BulkAction | BulkFailure:
    """Return the action of a header, which holds an id, and of what makes its second line, or why there is none."""
    document_id = header["_id"]
    try:
        body = _line({str(operation): header}) + _line(make_body(), exact_weights=exact_weights)
    except (IndexSchemaError, InvalidVectorError, ValueError, TypeError) as error:
        reason = str(error.__cause__ or error)  # orjson's word for an error in a vector is that its type has no JSON
        return BulkFailure(id=document_id, status=None, error_type=type(error).__name__, reason=reason)
    return BulkAction(id=document_id, body=body)


def update_action(
    document_id: str,
    fields: Mapping[str, Any],
    *,
    routing: str | None = None,
    seq_no: int,
    primary_term: int,
    exact_weights: bool = False,
) -> BulkAction:
    """Return the action that sets top-level fields of a document, if it is still the one of this sequence number."""
    unchanged = {"if_seq_no": seq_no, "if_primary_term": primary_term}
    header = _line({"update": _header(check_id(document_id), routing) | unchanged})
    return BulkAction(id=document_id, body=header + _line({"doc": fields}, exact_weights=exact_weights))


def delete_action(document_id: str, *, routing: str | None = None) -> BulkAction:
    """Return the action that deletes a document; `routing` is what its shard was chosen by, in place of its id."""
    header = _header(check_id(document_id), routing)
    return BulkAction(id=document_id, body=_line({"delete": header}))


def read_items(
    actions: Sequence[BulkAction], response: Mapping[str, Any]
) -> tuple[BulkReport, list[tuple[BulkAction, BulkFailure]]]:
    """Return what became of the actions of a bulk request, and those the server had no room for."""
    written = 0
    failed: list[BulkFailure] = []
    crowded_out: list[tuple[BulkAction, BulkFailure]] = []
    for action, item in zip(actions, response["items"], strict=True):
        result = next(iter(item.values()))
        error = result.get("error")
        if error is None:
            written += result["status"] < 300  # a delete of a document that is not there has no error and status 404
            continue
        failure = _failure(action.id, result["status"], error)
        if failure.status in RETRIED_STATUSES:
            crowded_out.append((action, failure))
        else:
            failed.append(failure)
    return BulkReport(written=written, failed=tuple(failed)), crowded_out


def _failure(document_id: str, status: int, error: Mapping[str, Any] | str) -> BulkFailure:
    details = error if isinstance(error, Mapping) else {"type": "unknown", "reason": error}
    return BulkFailure(id=document_id, status=status, error_type=str(details.get("type")), reason=short_reason(details))


def _header(document_id: str, routing: str | None) -> dict[str, Any]:
    return {"_id": document_id} if routing is None else {"_id": document_id, "routing": routing}


def _line(value: Mapping[str, Any], *, exact_weights: bool = False) -> bytes:
    return to_json(value, exact_weights=exact_weights) + b"\n"

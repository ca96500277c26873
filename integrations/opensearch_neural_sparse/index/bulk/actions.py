"""Bulk actions: request lines and response items."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Any, Literal, NamedTuple

from opensearch_neural_sparse.encode.sparse_vector import SparseVector
from opensearch_neural_sparse.error_reasons import short_reason
from opensearch_neural_sparse.errors import Choice, IndexSchemaError, InvalidVectorError
from opensearch_neural_sparse.index.bulk.report import BulkFailure, BulkReport
from opensearch_neural_sparse.index.documents.document import SparseDocument, check_id, to_source
from opensearch_neural_sparse.index.documents.lone_surrogates import unwritable
from opensearch_neural_sparse.index.documents.serializer import to_json, to_lines
from opensearch_neural_sparse.index.schema import IndexSchema

RETRIED_STATUSES = frozenset({429, 503})
"""Item statuses of an overloaded server, after which the item is sent again."""
_BUSY_ENCODER = re.compile(
    "Acquire operation took longer than the configured maximum time"
    "|Error communicating with remote model: Connection re(fused|set)|Model not ready yet"
)
"""Reasons of items after which they are sent again: the encoder of the server starts or has no connection free.

One that answers with an error of its own (`Error from remote service`, status 500) or not in time is not asked again.
"""
_TOGETHER = 50
"""Number of operations serialised together: enough to share the overhead, few enough for the processor's cache."""


class BulkOperation(Choice):
    """Operation of a bulk action.

    `INDEX` replaces a document of the same id, `CREATE` fails on one, `DELETE` removes it.
    """

    INDEX = "index"
    CREATE = "create"
    DELETE = "delete"


BulkOperationLike = BulkOperation | Literal["index", "create", "delete"]
"""A `BulkOperation`, or its value as text."""


class BulkAction(NamedTuple):
    """A serialised bulk action.

    Attributes:
        id: The document's id.
        body: Its lines, each ended by a newline.
        lacks: Vector fields that the document is written without.
    """

    id: str
    body: bytes
    lacks: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"BulkAction(id={self.id!r})"


class PendingAction(NamedTuple):
    """A bulk action before serialisation.

    Attributes:
        operation: Its name in the request.
        header: Its parameters, among them `_id`.
        body: Its second line, vectors in place, or why there is none.
        lacks: Vector fields that the document is written without.
    """

    operation: str
    header: Mapping[str, Any]
    body: Mapping[str, Any] | Exception
    lacks: tuple[str, ...] = ()


def pending_action(
    operation: str, header: Mapping[str, Any], make_body: Callable[[], Mapping[str, Any]], vectors: Sequence[str] = ()
) -> PendingAction:
    """Make a pending action; an error of its body takes the body's place.

    Args:
        operation: Its name in the request.
        header: Its parameters.
        make_body: Returns the second line, or raises why there is none.
        vectors: Vector fields that a document of this body should have.
    """
    try:
        body = make_body()
        return PendingAction(operation, header, body, tuple(name for name in vectors if name not in body))
    except (IndexSchemaError, InvalidVectorError, ValueError, TypeError) as error:
        return PendingAction(operation, header, error)


def write_draft(
    document: SparseDocument,
    schema: IndexSchema,
    *,
    operation: BulkOperationLike = BulkOperation.INDEX,
) -> PendingAction:
    """Make the pending action that writes a document with an id.

    Args:
        document: The document.
        schema: Names of the fields.
        operation: What is done with it.
    """
    header = action_header(check_id(document.id), document.routing)
    return pending_action(str(operation), header, partial(to_source, document, schema), schema.searched_vectors)


def action_header(document_id: str, routing: str | None) -> dict[str, Any]:
    """Return the header of a bulk action; `routing` selects its shard in place of the id."""
    return {"_id": document_id} if routing is None else {"_id": document_id, "routing": routing}


def serialize_actions(
    drafts: Iterable[PendingAction], *, exact_weights: bool = False
) -> Iterator[BulkAction | BulkFailure]:
    """Serialise pending actions in batches; yield each action or its error.

    Args:
        drafts: The drafts.
        exact_weights: Whether to keep weights whole.
    """
    rest = iter(drafts)
    while part := [*islice(rest, _TOGETHER)]:
        rows = [({name: header}, body) for name, header, body, _ in part if not isinstance(body, Exception)]
        lines = iter(to_lines(rows, exact_weights=exact_weights))
        for _, header, body, lacks in part:
            written = body if isinstance(body, Exception) else next(lines)
            if isinstance(written, bytes):
                yield BulkAction(header["_id"], written, lacks)
            else:
                yield _refused(header["_id"], written, None if isinstance(body, Exception) else body)


def bulk_actions(
    documents: Iterable[SparseDocument], schema: IndexSchema, *, exact_weights: bool = False
) -> Iterator[BulkAction | BulkFailure]:
    """Yield the bulk action of each document, or its error."""
    return serialize_actions((write_draft(document, schema) for document in documents), exact_weights=exact_weights)


def update_draft(
    document_id: str,
    fields: Mapping[str, Any],
    *,
    vector: str,
    routing: str | None = None,
    seq_no: int,
    primary_term: int,
) -> PendingAction:
    """Make a pending partial update of top-level fields, conditional on the sequence number.

    Args:
        document_id: Its id.
        fields: The fields.
        vector: The vector field that is filled, if the document has a vector for it.
        routing: What its shard was chosen by, in place of its id.
        seq_no: Its sequence number.
        primary_term: Its primary term.
    """
    unchanged = {"if_seq_no": seq_no, "if_primary_term": primary_term}
    header = action_header(check_id(document_id), routing) | unchanged
    return PendingAction("update", header, {"doc": fields}, () if vector in fields else (vector,))


def delete_action(document_id: str, *, routing: str | None = None) -> BulkAction:
    """Make the delete action of a document; `routing` selects its shard in place of its id."""
    header = action_header(check_id(document_id), routing)
    return BulkAction(id=document_id, body=to_json({"delete": header}) + b"\n")


def read_items(
    actions: Sequence[BulkAction], response: Mapping[str, Any]
) -> tuple[BulkReport, list[tuple[BulkAction, BulkFailure]]]:
    """Read a bulk response: the report, and the actions to send again."""
    written = 0
    failed: list[BulkFailure] = []
    lacking: dict[str, list[str]] = {}
    crowded_out: list[tuple[BulkAction, BulkFailure]] = []
    for action, item in zip(actions, response["items"], strict=True):
        result = next(iter(item.values()))
        error = result.get("error")
        if error is None:
            written += result["status"] < 300  # a delete of a document that is not there has no error and status 404
            for name in action.lacks:
                lacking.setdefault(name, []).append(action.id)
            continue
        failure = _failure(action.id, result["status"], error)
        if is_retried(result["status"], failure.reason):
            crowded_out.append((action, failure))
        else:
            failed.append(failure)
    without_vector = {name: tuple(ids) for name, ids in lacking.items()}
    return BulkReport(written=written, failed=tuple(failed), without_vector=without_vector), crowded_out


def is_retried(status: int, reason: str) -> bool:
    """Return whether a document, or a text, that was refused so is sent again.

    Args:
        status: HTTP status of the item, or of the request.
        reason: Why it was refused.
    """
    return status in RETRIED_STATUSES or _BUSY_ENCODER.search(reason) is not None


def _failure(document_id: str, status: int, error: Mapping[str, Any] | str) -> BulkFailure:
    details = error if isinstance(error, Mapping) else {"type": "unknown", "reason": error}
    return BulkFailure(id=document_id, status=status, error_type=str(details.get("type")), reason=short_reason(details))


def _refused(document_id: str, error: Exception, body: object) -> BulkFailure:
    named = None if body is None else unwritable(body, _plain_vector)
    reason = named or str(error.__cause__ or error)  # orjson's word for an error in a vector is that its type has none
    return BulkFailure(id=document_id, status=None, error_type=type(error).__name__, reason=reason)


def _plain_vector(value: object) -> None:
    if not isinstance(value, SparseVector):
        raise TypeError

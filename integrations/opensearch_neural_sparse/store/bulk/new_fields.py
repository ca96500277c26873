"""Declare new metadata fields before the documents that bring them are sent; no network."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from opensearch_neural_sparse.errors import (
    IndexSchemaError,
    NeuralSparseError,
    ServerConnectionError,
    ServerRequestError,
)
from opensearch_neural_sparse.index.bulk.actions import BulkAction
from opensearch_neural_sparse.index.bulk.report import BulkFailure
from opensearch_neural_sparse.index.bulk.updates import written_metadata
from opensearch_neural_sparse.index.index_info import IndexInfo
from opensearch_neural_sparse.index.metadata.field_types import MetadataTypes
from opensearch_neural_sparse.store.bulk.retry import RETRIED_REFUSALS, Answer, Misfit, Skipped

BAD_REQUEST = 400
_ATTEMPTS = 3
"""Most declarations that the server refuses: it answers with a conflict before it shows the mapping that conflicts."""


@dataclass(frozen=True)
class Call:
    """A request of a bulk write.

    Attributes:
        name: Its name in opensearch-py, such as `bulk`.
        send: Client, blocking or asynchronous -> the response, or an awaitable of it.
        size: How many documents it holds.
    """

    name: str
    send: Callable[[Any], Any]
    size: int = 1


Calls = Generator[Call, Any, NeuralSparseError | None]
"""Requests, answered with the response or the error; the result is the error after which nothing can be sent."""


class NewFields:
    """Declares the fields that a write brings, so that no other writer makes them of another type meanwhile.

    Documents whose values do not fit what another writer declared first are refused. Where nothing is new, nothing is
    asked.

    Args:
        index: Index or alias that is written to.
        target: What requests name.
        info: The index when documents were encoded for it, or None.
    """

    def __init__(self, index: str, target: str, info: IndexInfo | None) -> None:
        self._index, self._target = index, target
        self._schema = None if info is None else info.schema
        self._types = None if self._schema is None else self._schema.metadata_types
        self._conflicts = 0 if self._types is None else self._types.conflicts

    def is_due(self) -> bool:
        """Return whether a batch needs `declare` before it is sent."""
        return self._types is not None and (self._types.declarations.is_due or self._types.conflicts != self._conflicts)

    def declare(self, batch: Sequence[BulkAction]) -> Generator[Call, Any, Answer]:
        """Declare fields, and return what answers the batch in place of the server; None where it can be sent.

        Args:
            batch: The actions that are about to be sent.
        """
        if self._types is None:
            return None
        error = yield from declare_fields(self._index, self._target, self._types)
        if isinstance(error, ServerConnectionError):
            return Skipped(str(error))
        return error or self._misfit(batch, self._types)

    def _misfit(self, batch: Sequence[BulkAction], types: MetadataTypes) -> Misfit | None:
        if types.conflicts == self._conflicts:
            return None
        failed, fitting = list[BulkFailure](), list[BulkAction]()
        for action in batch:
            if (reason := self._reason(action, types)) is None:
                fitting.append(action)
            else:
                error_type = IndexSchemaError.__name__
                failed.append(BulkFailure(id=action.id, status=None, error_type=error_type, reason=reason))
        return Misfit(tuple(failed), tuple(fitting)) if failed else None

    def _reason(self, action: BulkAction, types: MetadataTypes) -> str | None:
        if self._schema is None:
            return None
        try:
            types.check(written_metadata(action, self._schema), action.id)
        except IndexSchemaError as error:
            return str(error)
        return None


def declare_fields(index: str, target: str, types: MetadataTypes) -> Calls:
    """Declare the fields that are pending, and return the error after which the request may be sent again.

    The mapping is read before: another writer may have declared them, or the index may map no new fields any more. What
    the server refuses (no right to do so, too many fields) is left to its dynamic mapping.

    Args:
        index: Index or alias that is written to.
        target: What requests name.
        types: Kinds of values in its metadata.
    """
    declarations, attempts = types.declarations, _ATTEMPTS
    while declarations.is_due:
        answer = yield Call("indices.get", partial(_get, index))
        if not isinstance(answer, NeuralSparseError):
            types.read_again([body["mappings"] for body in answer.values()])
            if not (fields := declarations.pending):
                return None
            answer = yield Call("indices.put_mapping", partial(_put, target, declarations.body(fields)))
            if isinstance(answer, ServerRequestError) and answer.status == BAD_REQUEST:
                attempts -= 1
                if not attempts:
                    declarations.leave_to_server(fields)
                continue
        if _is_passing(answer):
            return answer  # type: ignore[no-any-return]
        if isinstance(answer, NeuralSparseError):
            declarations.leave_all_to_server()
        else:
            declarations.finish(fields)
    return None


def _is_passing(answer: object) -> bool:
    if isinstance(answer, ServerRequestError):
        return answer.status in RETRIED_REFUSALS
    return isinstance(answer, ServerConnectionError)


def _put(target: str, body: Mapping[str, Any], client: Any) -> Any:
    return client.indices.put_mapping(index=target, body=body, params={"write_index_only": "true"})


def _get(index: str, client: Any) -> Any:
    return client.indices.get(index=index, params={"filter_path": "*.mappings"})

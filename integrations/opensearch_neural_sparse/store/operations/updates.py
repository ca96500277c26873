"""How documents that are there are changed or deleted in numbers: what both stores share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from opensearch_neural_sparse.errors import BulkWriteError, FilterSyntaxError, IndexSchemaError
from opensearch_neural_sparse.index.bulk.actions import BulkAction, serialize_actions
from opensearch_neural_sparse.index.bulk.report import BulkFailure, BulkReport
from opensearch_neural_sparse.index.bulk.updates import metadata_draft
from opensearch_neural_sparse.index.documents.document import SparseDocument
from opensearch_neural_sparse.index.schema import IndexSchema
from opensearch_neural_sparse.search.filters.filter_clauses import Filter, filter_clauses
from opensearch_neural_sparse.store.steps import Steps

_ROUNDS = 3
"""How often documents are looked for again that were changed while they were to be deleted."""


def metadata_changes(
    updates: Mapping[str, Mapping[str, Any]], schema: IndexSchema, *, replace: bool
) -> Iterator[BulkAction | BulkFailure]:
    """Return the actions that change the metadata of documents.

    Raises:
        TypeError: Something else than id -> metadata.
    """
    if not (isinstance(updates, Mapping) and all(isinstance(metadata, Mapping) for metadata in updates.values())):
        raise TypeError("update_metadata() takes a mapping of id to metadata, as {'id': {'year': 2026}}.")
    drafts = (metadata_draft(name, metadata, schema, replace=replace) for name, metadata in updates.items())
    return serialize_actions(drafts)


def text_changes(texts: Mapping[str, str]) -> list[SparseDocument]:
    """Return documents of new texts, which are yet to be encoded.

    Raises:
        IndexSchemaError: An id that no index can take, or a text that is none.
        TypeError: Something else than id -> text.
    """
    if not isinstance(texts, Mapping):
        raise TypeError("update_text() takes a mapping of id to text, as {'id': 'A new text.'}.")
    if wrong := next((name for name, text in texts.items() if not isinstance(text, str)), None):
        raise IndexSchemaError(f"Document {wrong!r}: its new text is of type {type(texts[wrong]).__name__}.")
    return [SparseDocument(id=name, text=text) for name, text in texts.items()]


def delete_matching(
    index: str,
    filter: Filter,  # noqa: A002
    *,
    refresh: bool,
    routing: str | None,
    timeout: float,
) -> Steps[int]:
    """Delete what a filter lets through, and return how many documents that were.

    Raises:
        BulkWriteError: Some were changed by others each time.
        FilterSyntaxError: No filter.
    """
    clauses = filter_clauses(filter)
    if not clauses:
        raise FilterSyntaxError("delete_matching() takes a filter; {'match_all': {}} deletes every document.")
    body = {"query": {"bool": {"filter": clauses}}}
    parameters: dict[str, Any] = {"conflicts": "proceed", "refresh": str(refresh).lower(), "request_timeout": timeout}
    if routing is not None:
        parameters["routing"] = routing
    deleted: int = 0
    for _ in range(_ROUNDS):
        response = yield lambda client: client.delete_by_query(index=index, body=body, params=dict(parameters))
        deleted += response["deleted"]
        conflicts = response["version_conflicts"]
        if not conflicts:
            return deleted
        yield lambda client: client.indices.refresh(index=index)  # those that changed are found as they are now
    reason = f"{conflicts} documents were changed by others each time they were to be deleted"
    raise BulkWriteError(BulkReport(written=deleted, stopped=reason))

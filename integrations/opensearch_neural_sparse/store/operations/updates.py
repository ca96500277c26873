"""Update documents in place, and delete all that match a filter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from opensearch_neural_sparse.arguments import check_flag, check_mapping, check_number, check_type
from opensearch_neural_sparse.errors import (
    BulkWriteError,
    FilterSyntaxError,
    IndexSchemaError,
    NeuralSparseError,
    ServerConnectionError,
    ServerRequestError,
)
from opensearch_neural_sparse.index.bulk.actions import BulkAction, serialize_actions
from opensearch_neural_sparse.index.bulk.report import BulkFailure, BulkReport
from opensearch_neural_sparse.index.bulk.updates import metadata_draft, text_draft
from opensearch_neural_sparse.index.documents.document import SparseDocument
from opensearch_neural_sparse.index.metadata.nesting import refuse_deep_metadata
from opensearch_neural_sparse.index.schema import IndexSchema
from opensearch_neural_sparse.search.filters.filter_clauses import Filter, filter_clauses
from opensearch_neural_sparse.search.options.request_options import RequestOptions
from opensearch_neural_sparse.store.bulk.new_fields import Calls, declare_fields
from opensearch_neural_sparse.store.context import StoreContext
from opensearch_neural_sparse.store.operations.by_server.model_check import ensure_server_encodes
from opensearch_neural_sparse.store.operations.by_server.prediction import encode_by_server
from opensearch_neural_sparse.store.operations.documents import send_actions, send_documents
from opensearch_neural_sparse.store.operations.lifecycle import check_filter, open_index, open_to_write
from opensearch_neural_sparse.store.steps import Request, Steps
from opensearch_neural_sparse.store.write_options import WriteOptions

_ROUNDS = 3
"""Most rounds of a deletion while others change the documents."""


def update_metadata(
    context: StoreContext, updates: Mapping[str, Mapping[str, Any]], *, replace: bool, options: WriteOptions
) -> Steps[BulkReport]:
    """Update the metadata of existing documents; texts and vectors stay."""
    check_flag(replace=replace)
    info = yield from open_to_write(context)
    actions = _metadata_actions(updates, info.schema, replace=replace)
    return (yield from send_actions(context, info, actions, options, name="update"))


def update_text(context: StoreContext, texts: Mapping[str, str], options: WriteOptions) -> Steps[BulkReport]:
    """Replace the texts of existing documents, and encode them; metadata and dense vectors stay."""
    check_type(WriteOptions, options=options)
    info = yield from open_to_write(context)
    context.refuse_semantic("Changing texts alone")
    documents, make = _documents_of(texts), partial(text_draft, schema=info.schema)
    binding = context.server_binding(info)
    if options.encode and binding is not None and binding.server is not None:
        yield from ensure_server_encodes(context, info, binding)
        # updates run no pipeline
        documents = yield from encode_by_server(info, binding, binding.server, documents, options)
    return (yield from send_documents(context, info, documents, options, make, name="update"))


def declare_metadata(context: StoreContext, metadata: Mapping[str, Any]) -> Steps[None]:
    """Declare the fields of metadata, so that no other writer makes them of another type meanwhile.

    Raises:
        IndexSchemaError: A field holds values of another kind, or numbers that cannot be this one.
    """
    check_mapping(metadata=metadata)
    refuse_deep_metadata(metadata)
    info = yield from open_index(context)
    if (types := info.schema.metadata_types) is None:
        return
    types.check(metadata, None)
    error = yield from _answered(declare_fields(context.index, info.write_index or context.index, types))
    if error is not None:
        raise error
    types.check(metadata, None)


def delete_matching(
    context: StoreContext,
    filter: Filter,  # noqa: A002
    *,
    refresh: bool,
    routing: str | None,
    timeout: float,
) -> Steps[int]:
    """Delete the documents that a filter lets through, and return how many there were.

    Raises:
        BulkWriteError: Others changed some of them each time.
        FilterSyntaxError: No filter.
    """
    check_flag(refresh=refresh)
    check_number(timeout=timeout)
    yield from open_index(context)
    clauses = filter_clauses(filter)
    yield from check_filter(context, clauses)
    if not clauses:
        raise FilterSyntaxError("delete_matching() takes a filter; {'match_all': {}} deletes every document.")
    body = {"query": {"bool": {"filter": clauses}}}
    parameters: dict[str, Any] = {"conflicts": "proceed", "refresh": str(refresh).lower(), "request_timeout": timeout}
    parameters |= RequestOptions(routing=routing).target
    deleted: int = 0
    for _ in range(_ROUNDS):
        response = yield Request("delete_by_query", partial(_delete_by_query, context.index, body, parameters))
        deleted += response["deleted"]
        conflicts = response["version_conflicts"]
        if not conflicts:
            return deleted
        yield Request(
            "indices.refresh", lambda client: client.indices.refresh(index=context.index), confirmed_by="_shards"
        )  # so that changes are seen
    reason = f"{conflicts} documents were changed by others each time they were to be deleted"
    raise BulkWriteError(BulkReport(written=deleted, stopped=reason))


def _answered(calls: Calls) -> Steps[NeuralSparseError | None]:
    """Perform requests that are answered with the response or the error, and return their result."""
    answer: Any = None
    while True:
        try:
            call = calls.send(answer)
        except StopIteration as finished:
            result: NeuralSparseError | None = finished.value
            return result
        try:
            answer = yield Request(call.name, call.send)
        except (ServerConnectionError, ServerRequestError) as error:
            answer = error


def _delete_by_query(index: str, body: Mapping[str, Any], parameters: Mapping[str, Any], client: Any) -> Any:
    return client.delete_by_query(index=index, body=body, params=dict(parameters))


def _metadata_actions(
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


def _documents_of(texts: Mapping[str, str]) -> list[SparseDocument]:
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

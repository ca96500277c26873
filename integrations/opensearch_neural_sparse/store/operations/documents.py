"""Write, read, count and delete documents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import Any

from opensearch_neural_sparse.arguments import check_type
from opensearch_neural_sparse.error_reasons import short_reason
from opensearch_neural_sparse.errors import ServerConnectionError, ServerRequestError
from opensearch_neural_sparse.index.binding.model_binding import ModelBinding
from opensearch_neural_sparse.index.bulk.actions import BulkAction, delete_action
from opensearch_neural_sparse.index.bulk.report import BulkFailure, BulkReport
from opensearch_neural_sparse.index.bulk.server_actions import ServerEncodedDrafts
from opensearch_neural_sparse.index.bulk.truncated_documents import TruncatedDocuments
from opensearch_neural_sparse.index.documents.document import SparseDocument, check_ids
from opensearch_neural_sparse.index.index_info import IndexInfo
from opensearch_neural_sparse.index.ingest_pipeline import NO_PIPELINE
from opensearch_neural_sparse.index.schema import IndexSchema
from opensearch_neural_sparse.search.filters.filter_clauses import Filter, filter_clauses
from opensearch_neural_sparse.search.options.request_options import RequestOptions
from opensearch_neural_sparse.search.requests.search_request import filter_body
from opensearch_neural_sparse.search.results.shard_failures import check_shards
from opensearch_neural_sparse.server_info import ServerInfo, Version
from opensearch_neural_sparse.store.bulk.missing_vectors import warn_of_missing_vectors
from opensearch_neural_sparse.store.bulk.prepare import Document, Make, prepare_actions
from opensearch_neural_sparse.store.bulk.scheduler import Observe
from opensearch_neural_sparse.store.context import StoreContext
from opensearch_neural_sparse.store.operations.bulk_write import bulk_write
from opensearch_neural_sparse.store.operations.by_server.lost_vectors import warn_of_lost_vectors
from opensearch_neural_sparse.store.operations.by_server.model_check import ensure_server_encodes
from opensearch_neural_sparse.store.operations.lifecycle import (
    check_filter,
    open_for_rows,
    open_index,
    open_to_write,
    read_server,
    send_and_read,
)
from opensearch_neural_sparse.store.operations.pagination import KEEP_ALIVE, page_body, read_page
from opensearch_neural_sparse.store.steps import BulkWrite, Compute, Emit, Request, Steps
from opensearch_neural_sparse.store.write_options import Refresh, WriteOptions
from opensearch_neural_sparse.transport.shards import NO_SHARD, NO_SHARD_STATUS

IDS_PER_REQUEST = 500
DELETIONS_PER_REQUEST = 5000
KEEPS_LISTS_SINCE: Version = (3, 6, 0)
"""Version from which pipelines are known to keep the order of lists in lists; those of 2.19.1 change it."""


def write_documents(
    context: StoreContext, documents: Iterable[Document], options: WriteOptions, info: IndexInfo | None = None
) -> Steps[BulkReport]:
    """Write documents, with vectors for those that have a text and none.

    Args:
        context: The store's context.
        documents: Documents, mappings or texts.
        options: How to write.
        info: The index as `open_to_write` returned it; by default it is opened here.
    """
    if info is None:
        info = yield from open_to_write(context)
    return (yield from send_documents(context, info, documents, options))


def get_documents(context: StoreContext, ids: Iterable[str], routing: str | None) -> Steps[list[SparseDocument]]:
    """Return the documents of these ids, in this order, without those that do not exist."""
    info = yield from open_index(context)
    target = RequestOptions(routing=routing).target
    remaining = iter(check_ids(ids))
    found: list[SparseDocument] = []
    while part := list(islice(remaining, IDS_PER_REQUEST)):
        request = Request("mget", partial(_mget, context.index, part, target))
        rows = yield from send_and_read(context, request, read_rows)
        info = yield from open_for_rows(context, info, rows)
        found += map(info.read_document, rows)
    return found


def scan_documents(
    context: StoreContext,
    filter: Filter | None,  # noqa: A002
    *,
    page_size: int,
    routing: str | None,
    preference: str | None,
) -> Steps[None]:
    """Emit every document that a filter lets through, a page at a time, by a point in time."""
    yield from check_filter(context, filter_clauses(filter))
    info = yield from open_index(context)
    target = RequestOptions(routing=routing, preference=preference).target
    opened = yield Request(
        "create_pit", lambda client: client.create_pit(index=context.index, params={**KEEP_ALIVE, **target})
    )
    point_in_time = opened["pit_id"]
    try:
        page = None
        while page is None or page.after is not None:
            body = page_body(filter, page, size=page_size, point_in_time=point_in_time)
            response = yield Request("search", partial(_search, body))
            info = yield from open_for_rows(context, info, response["hits"]["hits"])
            page = read_page(response, info, size=page_size)
            yield Emit(page.documents)
    finally:
        with suppress(ServerConnectionError, ServerRequestError):
            yield Request("delete_pit", lambda client: client.delete_pit(body={"pit_id": [point_in_time]}))


def delete_documents(context: StoreContext, ids: Iterable[str], *, refresh: Refresh, routing: str | None) -> Steps[int]:
    """Delete documents by id and return how many there were."""
    info = yield from open_to_write(context)
    options = WriteOptions(
        refresh=refresh, routing=routing, pipeline=None, batch_size=DELETIONS_PER_REQUEST, request_timeout=None
    )
    report = yield from send_actions(context, info, map(delete_action, check_ids(ids)), options, name="delete")
    return report.written


def count_documents(context: StoreContext, filter: Filter | None, routing: str | None) -> Steps[int]:  # noqa: A002
    """Return how many documents a filter lets through."""
    yield from open_index(context)
    yield from check_filter(context, filter_clauses(filter))
    body, params = filter_body(filter), RequestOptions(routing=routing).target
    response = yield Request("count", lambda client: client.count(index=context.index, body=body, params=params))
    check_shards(response)
    return int(response["count"])


def refresh_index(context: StoreContext) -> Steps[None]:
    """Make everything that was written searchable."""
    yield from open_index(context)
    yield Request("indices.refresh", lambda client: client.indices.refresh(index=context.index), confirmed_by="_shards")


def send_documents(
    context: StoreContext,
    info: IndexInfo,
    documents: Iterable[Document],
    options: WriteOptions,
    make: Make | None = None,
    *,
    observe: Observe | None = None,
    name: str = "write",
) -> Steps[BulkReport]:
    """Encode documents, send their actions, and warn of texts that were cut.

    Args:
        context: The store's context.
        info: The index that is written to.
        documents: Documents, mappings or texts.
        options: How to write.
        make: What drafts the action of a document; by default the one that writes it.
        observe: Called with the ids of a bulk request and its report; where it is given, a text that cannot be
            encoded is a failure of its document.
        name: What is done to them: `write` or `update`.

    Raises:
        BulkWriteError: Some actions were not carried out.
        IndexSchemaError: A list of documents holds one that no index can take; none was sent.
    """
    check_type(WriteOptions, options=options)
    cut, drafts, by_server = TruncatedDocuments(), None, frozenset[str]()
    if options.encode and (binding := context.server_binding(info)) is not None:
        yield from ensure_server_encodes(context, info, binding)
        by_server = frozenset({info.schema.sparse_field})
        if make is None:
            server = yield from read_server(context)
            drafts, options = server_drafts(info.schema, binding, options, server)
    prepared = partial(
        prepare_actions,
        documents,
        info.schema,
        options,
        encode=context.encode,
        cut=cut,
        make=make or drafts,
        isolate=observe is not None,
        by_server=by_server,
    )
    actions = yield Compute(prepared)
    try:
        return (yield from send_actions(context, info, actions, options, cut, observe=observe, name=name))
    finally:
        if drafts is not None:
            yield from warn_of_lost_vectors(context, info, drafts)


def server_drafts(
    schema: IndexSchema, binding: ModelBinding, options: WriteOptions, server: ServerInfo
) -> tuple[ServerEncodedDrafts, WriteOptions]:
    """Return what drafts the documents of an index that the server encodes, and the options of their write.

    A pipeline that the caller names is left to do what it does.

    Args:
        schema: Names of the fields.
        binding: The model of the index.
        options: The caller's options.
        server: Its version.
    """
    by_default = options.pipeline == NO_PIPELINE
    drafts = ServerEncodedDrafts(
        schema,
        binding,
        options.operation,
        keep_vectors=by_default,
        keeps_lists=server.at_least(KEEPS_LISTS_SINCE),
    )
    named = binding.server.pipeline if by_default and binding.server is not None else options.pipeline
    return drafts, replace(options, pipeline=named)


def send_actions(
    context: StoreContext,
    info: IndexInfo,
    actions: Iterable[BulkAction | BulkFailure],
    options: WriteOptions,
    cut: TruncatedDocuments | None = None,
    *,
    observe: Observe | None = None,
    name: str = "write",
) -> Steps[BulkReport]:
    """Send bulk actions, warn of documents without vectors, and return the report.

    Args:
        context: The store's context.
        info: The index when its documents were encoded.
        actions: Consumed once.
        options: How to write.
        cut: Holds the documents whose texts were cut, once the actions are made.
        observe: Called with the ids of a bulk request and its report.
        name: What is done to the documents: `write`, `update` or `delete`.

    Raises:
        BulkWriteError: Some actions were not carried out.
    """
    write = BulkWrite(index=context.index, actions=actions, options=options, info=info, observe=observe)
    report = yield from bulk_write(context, write, name)
    warn_of_missing_vectors(context.index, report, context.schema, context.vector_remedies)
    if cut is not None:
        cut.warn()
    report.raise_if_incomplete()
    return report


def read_rows(response: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Read the response of `_mget`; documents that do not exist are left out.

    Raises:
        ServerRequestError: One of them could not be read.
    """
    for row in response["docs"]:
        if error := row.get("error"):
            error_type = str(error.get("type"))
            status = NO_SHARD_STATUS if error_type == NO_SHARD else 400
            raise ServerRequestError(status, error_type, short_reason(error))
    return [row for row in response["docs"] if row.get("found")]


def _mget(index: str, ids: list[str], target: Mapping[str, str], client: Any) -> Any:
    return client.mget(body={"ids": ids}, index=index, params=target)


def _search(body: Mapping[str, Any], client: Any) -> Any:
    return client.search(body=body)

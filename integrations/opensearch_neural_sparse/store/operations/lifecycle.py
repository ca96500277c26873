"""Create, open and delete an index."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from opensearch_neural_sparse.errors import IndexNotFoundError, Remedy, ServerRequestError
from opensearch_neural_sparse.index.index_info import IndexInfo
from opensearch_neural_sparse.index.mapping import create_index_body, index_template_body
from opensearch_neural_sparse.index.missing_index import EXISTING_ONLY, error_of_list, is_list
from opensearch_neural_sparse.index.read_index import UUID_FILTER, uuids_of
from opensearch_neural_sparse.index.seismic import SPARSE_VECTOR_SINCE
from opensearch_neural_sparse.models.files.resolve import Side
from opensearch_neural_sparse.search.filters.clause_checks import compared_numbers
from opensearch_neural_sparse.search.options.legs import Leg
from opensearch_neural_sparse.search.results.hits import SearchHits
from opensearch_neural_sparse.server_info import NEURAL_SEARCH, ServerInfo
from opensearch_neural_sparse.store.context import StoreContext
from opensearch_neural_sparse.store.operations.unmapped_fields import (
    refuse_unmapped_legs,
    report_unmapped,
    unmapped_fields,
    unmapped_legs,
)
from opensearch_neural_sparse.store.steps import Compute, Exclusive, Request, Result, Steps
from opensearch_neural_sparse.transport.errors import REFUSALS, server_of
from opensearch_neural_sparse.transport.server_cache import known_server, remember_server
from opensearch_neural_sparse.transport.shards import lacks_shards, wait_for_shards

FORBIDDEN = 403


def create_index(
    context: StoreContext, *, exist_ok: bool = False, settings: Mapping[str, Any] | None = None
) -> Steps[None]:
    """Create the index, bound to the model.

    Raises:
        IndexNotBoundError: No model was named.
        ServerRequestError: The index exists, or its settings are refused.
    """
    context.ensure_named()
    server = yield from read_server(context)
    body = yield Compute(partial(_index_body, context, server, settings))
    try:
        yield Request(lambda client: client.indices.create(index=context.index, body=body))
    except ServerRequestError as error:
        _raise_unless_exists(error, exist_ok=exist_ok)
    context.forget()
    yield from open_index(context)


def create_template(
    context: StoreContext,
    name: str,
    index_patterns: Iterable[str],
    *,
    settings: Mapping[str, Any] | None,
    priority: int,
) -> Steps[None]:
    """Create an index template, so that indices which the server creates are bound to the model.

    Raises:
        IndexNotBoundError: No model was named.
        ServerRequestError: Another template of this priority matches the same names, or settings are refused.
    """
    context.ensure_named()
    server = yield from read_server(context)
    body = yield Compute(partial(_index_body, context, server, settings))
    template = index_template_body(index_patterns, body, priority=priority)
    yield Request(lambda client: client.indices.put_index_template(name=name, body=template))


def delete_index(context: StoreContext) -> Steps[None]:
    """Delete the index and its documents.

    Raises:
        IndexNotFoundError: There is no such index.
    """
    yield Request(lambda client: client.indices.delete(index=context.index))
    context.forget()


def open_index(context: StoreContext) -> Steps[IndexInfo]:
    """Return the metadata of the index, read and checked once.

    Raises:
        IndexNotFoundError: There is no such index.
        IndexNotBoundError: The index carries no model and none was named.
        ModelMismatchError: The index belongs to another model.
        IndexSchemaError: The index is not of this layout.
    """
    if (info := context.info) is None:
        info = yield Exclusive(partial(_open_index, context))
    return info


def open_to_write(context: StoreContext) -> Steps[IndexInfo]:
    """Return the metadata of the index for a write; read it again if the name has another target.

    Raises:
        IndexSchemaError: The name has several targets.
        ModelMismatchError: They belong to several models.
    """
    known = context.info
    info = yield from open_index(context)
    if info is known and not (yield from is_same_target(context, info)):
        context.forget()
        info = yield from open_index(context)
    info.ensure_writable(context.index, context.schema)
    return info


def open_for_rows(context: StoreContext, info: IndexInfo, rows: Iterable[Mapping[str, Any]]) -> Steps[IndexInfo]:
    """Return the metadata of the index; read it again if documents lie in an index that it does not know."""
    if info.holds(rows):
        return info
    context.forget()
    return (yield from open_index(context))


def read_index(context: StoreContext) -> Steps[IndexInfo]:
    """Read the metadata of the index.

    Raises:
        IndexNotFoundError: There is no such index.
        ServerRequestError: The server refuses to show it, and no model was named.
    """
    try:
        response = yield Request(lambda client: client.indices.get(index=context.index))
    except ServerRequestError as error:
        if error.status != FORBIDDEN or not context.encoders.named:
            raise
        return context.unchecked_index()
    except IndexNotFoundError as error:
        if not is_list(context.index):
            raise
        params = dict(EXISTING_ONLY)
        existing = yield Request(lambda client: client.indices.get(index=context.index, params=params))
        raise error_of_list(context.index, existing) or error from None
    info: IndexInfo = yield Compute(partial(context.read_index, response))
    return info


def send_and_read(context: StoreContext, send: Callable[[Any], Any], read: Callable[[Any], Result]) -> Steps[Result]:
    """Return what is read of a response with parts that fail alone; ask again where a part lacks its shards.

    Drivers repeat a request that fails as a whole.
    """
    response = yield Request(send)
    try:
        return read(response)
    except ServerRequestError as error:
        if not lacks_shards(error):
            raise
    yield Request(partial(wait_for_shards, index=context.index))
    return read((yield Request(send)))


def is_same_target(context: StoreContext, info: IndexInfo) -> Steps[bool]:
    """Return whether the name has the same indices behind it, by a request of some hundred bytes."""
    if not info.checked:
        return True
    response = yield Request(lambda client: client.indices.get(index=context.index, params=dict(UUID_FILTER)))
    return uuids_of(response) == info.uuids


def read_server(context: StoreContext) -> Steps[ServerInfo]:
    """Return version and plugins of the server, read once a client.

    Raises:
        UnsupportedServerError: Too old, or not OpenSearch.
    """
    if (server := context.server) is None:
        server = yield Exclusive(partial(_read_server, context))
    return server


def check_filter(context: StoreContext, clauses: Sequence[Mapping[str, Any]]) -> Steps[None]:
    """Check a filter against the fields of the index.

    Raises:
        FilterSyntaxError: A field rounds a number that it is compared with, or is written behind another's prefix.
    """
    yield from check_numbers(context, clauses)
    yield from check_fields(context, clauses)


def check_fields(
    context: StoreContext, clauses: Sequence[Mapping[str, Any]], found: Iterable[SearchHits] = ()
) -> Steps[None]:
    """Warn of filter clauses on fields that no index maps; the mapping is read again first, as a write may add fields.

    Raises:
        FilterSyntaxError: Such a field is one of the index behind the prefix that other libraries write.
    """
    if not clauses:
        return
    info = yield from open_index(context)
    if unmapped_fields(clauses, info, found):
        fresh = yield from read_index(context)
        context.refresh_index(info, fresh)
        report_unmapped(context.index, clauses, fresh)


def check_numbers(context: StoreContext, clauses: Sequence[Mapping[str, Any]]) -> Steps[None]:
    """Refuse a filter with a whole number that its field rounds.

    Raises:
        FilterSyntaxError: A field rounds a number that it is compared with.
    """
    if not clauses:
        return
    yield from open_index(context)
    if (types := context.schema.metadata_types) is not None:
        for field, number in (each for clause in clauses for each in compared_numbers(clause)):
            types.check_compared(field, number)


def check_legs(context: StoreContext, legs: Sequence[Leg]) -> Steps[None]:
    """Refuse legs on fields that no index maps; the mapping is read again first, as a write may add fields.

    Raises:
        IndexSchemaError: A leg searches a field that no index maps.
    """
    info = yield from open_index(context)
    if unmapped_legs(legs, info):
        fresh = yield from read_index(context)
        context.refresh_index(info, fresh)
        refuse_unmapped_legs(context.index, legs, fresh)


def _open_index(context: StoreContext) -> Steps[IndexInfo]:
    if context.info is None:
        context.info = yield from read_index(context)
    return context.info


def _read_server(context: StoreContext) -> Steps[ServerInfo]:
    if context.server is None:
        known = yield Request(known_server)
        context.server = known or (yield from _ask_server())
    return context.server


def _ask_server() -> Steps[ServerInfo]:
    info = yield from _unless_refused(Request(lambda client: client.info()))
    plugins = yield from _unless_refused(Request(lambda client: client.cat.plugins(format="json")))
    server = server_of(info, plugins)
    yield Request(lambda client: remember_server(client, server))
    return server


def _unless_refused(request: Request) -> Steps[Any]:
    """Return the response, or None where the server refuses it or has no such API."""
    try:
        return (yield request)
    except ServerRequestError as error:
        if error.status not in REFUSALS:
            raise
        return None


def _index_body(context: StoreContext, server: ServerInfo, settings: Mapping[str, Any] | None) -> dict[str, Any]:
    context.reset_for_creation()
    schema, encoders = context.schema, context.encoders
    binding = encoders.binding(schema)
    if schema.chunking is not None:
        encoders.ensure_fitting(schema.chunking)
    if schema.token_ids is not None:
        server.require(SPARSE_VECTOR_SINCE, "The field type sparse_vector")
        server.require_plugin(NEURAL_SEARCH, "The field type sparse_vector")
        schema.token_ids.ensure_told_apart()
    languages = encoders.files(Side.DOCUMENT).spec.languages
    return create_index_body(schema, {schema.sparse_field: binding}, settings, languages=languages)


def _raise_unless_exists(error: ServerRequestError, *, exist_ok: bool) -> None:
    """Raise the error of a creation, unless an index of that name exists and may."""
    if error.error_type != "resource_already_exists_exception":
        raise error
    if not exist_ok:
        raise error.with_remedy(Remedy.OPEN_EXISTING) from None

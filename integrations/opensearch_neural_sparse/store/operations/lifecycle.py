"""Create, open and delete an index."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from opensearch_neural_sparse.arguments import check_flag, check_mapping
from opensearch_neural_sparse.encode.pruning import PruneType
from opensearch_neural_sparse.errors import HiddenFieldError, IndexNotFoundError, Remedy, ServerRequestError
from opensearch_neural_sparse.index.binding.model_binding import ModelBinding
from opensearch_neural_sparse.index.index_info import IndexInfo
from opensearch_neural_sparse.index.mapping import create_index_body, index_template_body
from opensearch_neural_sparse.index.metadata.searched_types import SearchedBy
from opensearch_neural_sparse.index.missing_index import EXISTING_ONLY, error_of_list, is_list
from opensearch_neural_sparse.index.read_index import UUID_FILTER, uuids_of
from opensearch_neural_sparse.index.seismic import SPARSE_VECTOR_SINCE
from opensearch_neural_sparse.index.semantic_field import SEMANTIC_SINCE, SemanticField
from opensearch_neural_sparse.models.files.resolve import Side
from opensearch_neural_sparse.search.filters.clause_checks import compared_numbers
from opensearch_neural_sparse.search.options.legs import Leg
from opensearch_neural_sparse.search.options.refinements.aggregations import Aggregations, aggregated_fields
from opensearch_neural_sparse.search.options.refinements.boosts import Boost
from opensearch_neural_sparse.search.results.hits import SearchHits
from opensearch_neural_sparse.server_info import ML_COMMONS, NEURAL_SEARCH, ServerInfo
from opensearch_neural_sparse.store.context import StoreContext
from opensearch_neural_sparse.store.operations.by_server.model_check import bind_to_server
from opensearch_neural_sparse.store.operations.by_server.pipelines import restore_pipeline, with_pipeline
from opensearch_neural_sparse.store.operations.field_checks.boosted_fields import (
    refuse_unreadable_boosts,
    unreadable_boosts,
)
from opensearch_neural_sparse.store.operations.field_checks.searched_fields import searched_fields, unsearchable_fields
from opensearch_neural_sparse.store.operations.field_checks.unmapped_fields import (
    refuse_unmapped_group,
    refuse_unmapped_legs,
    report_unmapped,
    unmapped_fields,
    unmapped_legs,
)
from opensearch_neural_sparse.store.steps import Compute, Exclusive, Request, Result, Steps, WithClient
from opensearch_neural_sparse.transport.errors import REFUSALS, server_of
from opensearch_neural_sparse.transport.server_cache import known_server, remember_server
from opensearch_neural_sparse.transport.shards import WAITS, lacks_shards, wait_for_shards

FORBIDDEN = 403
_logger = logging.getLogger(__name__)
_BAD_REQUEST, _NOT_FOUND, _EXISTS = 400, 404, "resource_already_exists_exception"


def create_index(
    context: StoreContext, *, exist_ok: bool = False, settings: Mapping[str, Any] | None = None
) -> Steps[None]:
    """Create the index, bound to the model.

    Raises:
        IndexNotBoundError: No model was named.
        ServerRequestError: The index exists, or its settings are refused.
    """
    check_flag(exist_ok=exist_ok)
    check_mapping(optional=True, settings=settings)
    context.ensure_creatable()
    server = yield from read_server(context)
    if context.server_encoding is not None and (yield from _exists(context)):
        if not exist_ok:
            error = ServerRequestError(_BAD_REQUEST, _EXISTS, f"index [{context.index}] already exists")
            raise error.with_remedy(Remedy.OPEN_EXISTING)
        context.forget()
        info = yield from open_index(context)
        yield from restore_pipeline(context, info)
        return
    body, binding = yield from _index_body(context, server, settings, owner=context.index)
    yield from with_pipeline(context, binding, context.index, _send_creation(context, body, binding, exist_ok=exist_ok))
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
    context.ensure_creatable()
    server = yield from read_server(context)
    body, binding = yield from _index_body(context, server, settings, owner=name)
    template = index_template_body(index_patterns, body, priority=priority)
    yield from with_pipeline(context, binding, name, _send_template(name, template))


def delete_index(context: StoreContext) -> Steps[None]:
    """Delete the index and its documents.

    Raises:
        IndexNotFoundError: There is no such index.
    """
    yield Request(
        "indices.delete",
        lambda client: client.indices.delete(index=context.index, params={"ignore": _NOT_FOUND}),
        confirmed_by="acknowledged",
        expected=_NOT_FOUND,
    )
    context.forget()
    _logger.info("Deleted index %r.", context.index)


def open_index(context: StoreContext, *, unbound: bool = False) -> Steps[IndexInfo]:
    """Return the metadata of the index, read and checked once.

    Args:
        context: The store's context.
        unbound: Whether the index may carry no model.

    Raises:
        IndexNotFoundError: There is no such index.
        IndexNotBoundError: The index carries no model and none was named.
        ModelMismatchError: The index belongs to another model.
        IndexSchemaError: The index is not of this layout.
    """
    check_flag(unbound=unbound)
    if (info := context.info) is None:
        info = yield Exclusive(partial(_open_index, context, unbound=unbound))
    elif not unbound:
        context.ensure_bound(info)
    return info


def reopen_index(context: StoreContext) -> Steps[IndexInfo]:
    """Return the metadata of the index as the operation opened it."""
    return context.info or (yield from open_index(context))


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
    context.ensure_bound(info)
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
        response = yield Request("indices.get", partial(_get_index, context.index), expected=_NOT_FOUND)
    except ServerRequestError as error:
        if error.status != FORBIDDEN or not context.encoders.named:
            raise
        return context.unchecked_index()
    except IndexNotFoundError as error:
        if not is_list(context.index):
            raise
        params = dict(EXISTING_ONLY)
        existing = yield Request("indices.get", lambda client: client.indices.get(index=context.index, params=params))
        raise error_of_list(context.index, existing) or error from None
    info: IndexInfo = yield Compute(partial(context.read_index, response))
    return info


def send_and_read(
    context: StoreContext, request: Request, read: Callable[[Any], Result], *, name: str | None = None
) -> Steps[Result]:
    """Return what is read of a response with parts that fail alone; ask again where a part lacks its shards.

    Drivers repeat a request that fails as a whole.

    Args:
        context: The store's context.
        request: The request.
        read: Response -> what is read of it.
        name: What reading it is called in traces, where it is worth it.
    """
    for _ in range(WAITS):
        response = yield request
        try:
            result: Result = yield Compute(partial(read, response), cheap=True, name=name)
        except ServerRequestError as error:
            if not lacks_shards(error):
                raise
        else:
            return result
        yield Request("cluster.health", partial(wait_for_shards, index=context.index))
    response = yield request
    last: Result = yield Compute(partial(read, response), cheap=True, name=name)
    return last


def is_same_target(context: StoreContext, info: IndexInfo) -> Steps[bool]:
    """Return whether the name has the same indices behind it, by a request of some hundred bytes."""
    if not info.checked:
        return True
    response = yield Request(
        "indices.get", lambda client: client.indices.get(index=context.index, params=dict(UUID_FILTER))
    )
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
    yield from open_index(context)
    yield from check_numbers(context, clauses)
    yield from check_fields(context, clauses)


def check_aggregated(
    context: StoreContext, aggregations: Aggregations | None, found: Iterable[SearchHits]
) -> Steps[None]:
    """Warn of aggregations over fields that no index maps, which have no result.

    Raises:
        FilterSyntaxError: Such a field is one of the index behind the prefix that other libraries write.
    """
    clauses = [{"exists": {"field": field}} for field in aggregated_fields(aggregations)]
    yield from check_fields(context, clauses, found, part="aggregations")


def check_boosted(context: StoreContext, boosts: Sequence[Boost]) -> Steps[None]:
    """Refuse boosts by fields that no index maps, or by types that a boost does not read.

    The mapping is read again first, as a write may add fields.

    Raises:
        IndexSchemaError: No index maps a field, or it has no numbers or dates.
    """
    if not boosts:
        return
    info = yield from reopen_index(context)
    if unreadable_boosts(boosts, info):
        fresh = yield from read_index(context)
        context.refresh_index(info, fresh)
        refuse_unreadable_boosts(context.index, boosts, fresh)


def check_searched(context: StoreContext, fields: Sequence[str]) -> Steps[dict[str, SearchedBy]]:
    """Return fields of metadata with how each is searched; the mapping is read again first where it lacks one.

    Raises:
        IndexSchemaError: No index maps a field, or it is not searched by words.
    """
    info = yield from reopen_index(context)
    if unsearchable_fields(fields, info):
        fresh = yield from read_index(context)
        context.refresh_index(info, fresh)
        info = fresh
    return searched_fields(context.index, fields, info)


def check_fields(
    context: StoreContext,
    clauses: Sequence[Mapping[str, Any]],
    found: Iterable[SearchHits] = (),
    *,
    part: str = "filter",
) -> Steps[None]:
    """Warn of filter clauses on fields that no index maps; the mapping is read again first, as a write may add fields.

    Raises:
        FilterSyntaxError: Such a field is one of the index behind the prefix that other libraries write.
    """
    if not clauses:
        return
    info = yield from reopen_index(context)
    if unmapped_fields(clauses, info, found):
        fresh = yield from read_index(context)
        context.refresh_index(info, fresh)
        report_unmapped(context.index, clauses, fresh, part)


def check_numbers(context: StoreContext, clauses: Sequence[Mapping[str, Any]]) -> Steps[None]:
    """Refuse a filter with a whole number that its field rounds.

    Raises:
        FilterSyntaxError: A field rounds a number that it is compared with.
    """
    if not clauses:
        return
    yield from reopen_index(context)
    if (types := context.schema.metadata_types) is not None:
        for field, number in (each for clause in clauses for each in compared_numbers(clause)):
            types.check_compared(field, number)


def check_legs(context: StoreContext, legs: Sequence[Leg]) -> Steps[None]:
    """Refuse legs on fields that no index maps; the mapping is read again first, as a write may add fields.

    Raises:
        IndexSchemaError: A leg searches a field that no index maps.
    """
    info = yield from reopen_index(context)
    if unmapped_legs(legs, info):
        fresh = yield from read_index(context)
        context.refresh_index(info, fresh)
        refuse_unmapped_legs(context.index, legs, fresh)


def ensure_text_shown(context: StoreContext, use: str) -> Steps[None]:
    """Raise HiddenFieldError where the login may not see the texts of a stamped index.

    Args:
        context: The store's context.
        use: Who needs the texts, as a clause on their field.
    """
    info = yield from reopen_index(context)
    if (hidden := info.hidden_text) is not None:
        raise HiddenFieldError(context.index, hidden, use=use)


def check_grouped(context: StoreContext, field: str) -> Steps[None]:
    """Refuse groups by a field that no index maps; the mapping is read again first, as a write may add fields.

    Raises:
        IndexSchemaError: No index maps the field.
    """
    info, clauses = (yield from reopen_index(context)), [{"exists": {"field": field}}]
    if unmapped_fields(clauses, info):
        fresh = yield from read_index(context)
        context.refresh_index(info, fresh)
        refuse_unmapped_group(context.index, field, fresh)


def _open_index(context: StoreContext, *, unbound: bool) -> Steps[IndexInfo]:
    if context.info is None:
        info = yield from read_index(context)
        if not unbound:
            context.ensure_bound(info)
        context.warn_of_hidden_text(info)
        context.info = info
        _logger.info("Opened index %r (%s, shards %d, indices %d).", context.index, *_contents(info))
    return context.info


def _contents(info: IndexInfo) -> tuple[str, int, int]:
    """Return the models, the number of shards and of indices of an index, for a log."""
    bindings = [group.binding for group in info.groups or (info,)]
    models = dict.fromkeys(repr(binding.model) for binding in bindings if binding is not None)
    named = f"model {', '.join(models)}" if models else "no model"
    return named, info.shards, len(info.indices)


def _read_server(context: StoreContext) -> Steps[ServerInfo]:
    if context.server is None:
        known = yield WithClient(known_server)
        context.server = known or (yield from _ask_server())
    return context.server


def _ask_server() -> Steps[ServerInfo]:
    info = yield from _unless_refused(Request("info", lambda client: client.info(), confirmed_by="version"))
    plugins = yield from _unless_refused(Request("cat.plugins", lambda client: client.cat.plugins(format="json")))
    server = server_of(info, plugins)
    yield WithClient(lambda client: remember_server(client, server))
    return server


def _unless_refused(request: Request) -> Steps[Any]:
    """Return the response, or None where the server refuses it or has no such API."""
    try:
        return (yield request)
    except ServerRequestError as error:
        if error.status not in REFUSALS:
            raise
        return None


def _exists(context: StoreContext) -> Steps[bool]:
    params = {**EXISTING_ONLY, **UUID_FILTER}
    return bool((yield Request("indices.get", lambda client: client.indices.get(index=context.index, params=params))))


def _index_body(
    context: StoreContext, server: ServerInfo, settings: Mapping[str, Any] | None, *, owner: str
) -> Steps[tuple[dict[str, Any], ModelBinding | None]]:
    """Return the body of a new index, or of the template of this name, and its stamp, once the server was checked."""
    yield Compute(partial(_begin_creation, context, server))
    if (semantic := context.schema.semantic) is not None:
        body: dict[str, Any] = yield Compute(partial(_semantic_body, context, server, semantic, settings))
        return body, None
    given = context.server_encoding
    if given is None:
        binding: ModelBinding = yield Compute(partial(_client_binding, context))
    else:
        binding = yield from bind_to_server(context, given, owner)
    schema = context.schema
    languages = context.encoders.files(Side.DOCUMENT if given is None else Side.QUERY).spec.languages
    return create_index_body(schema, {schema.sparse_field: binding}, settings, languages=languages), binding


def _send_creation(
    context: StoreContext, body: Mapping[str, Any], binding: ModelBinding | None, *, exist_ok: bool
) -> Steps[None]:
    expected = _BAD_REQUEST if exist_ok else None
    params = {} if expected is None else {"ignore": expected}
    try:
        yield Request(
            "indices.create",
            lambda client: client.indices.create(index=context.index, body=body, params=dict(params)),
            confirmed_by="acknowledged",
            expected=expected,
        )
    except ServerRequestError as error:
        _raise_unless_exists(error, exist_ok=exist_ok)
    else:
        model = "no model" if binding is None else f"model {binding.model!r}"
        _logger.info("Created index %r for %s.", context.index, model)


def _send_template(name: str, body: Mapping[str, Any]) -> Steps[None]:
    yield Request(
        "indices.put_index_template",
        lambda client: client.indices.put_index_template(name=name, body=body),
        confirmed_by="acknowledged",
    )


def _get_index(index: str, client: Any) -> Any:
    return client.indices.get(index=index, params={"ignore": _NOT_FOUND})


def _begin_creation(context: StoreContext, server: ServerInfo) -> None:
    context.reset_for_creation()
    if (token_ids := context.schema.token_ids) is not None:
        server.require(SPARSE_VECTOR_SINCE, "The field type sparse_vector")
        server.require_plugin(NEURAL_SEARCH, "The field type sparse_vector")
        token_ids.ensure_told_apart()


def _client_binding(context: StoreContext) -> ModelBinding:
    context.refuse_passages("Creation without server_encoding")
    binding = context.encoders.binding(context.schema)
    if context.schema.chunking is not None:
        context.encoders.ensure_fitting(context.schema.chunking)
    return binding


def _semantic_body(
    context: StoreContext, server: ServerInfo, semantic: SemanticField, settings: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Return the body of an index that the server encodes by a semantic field; stamped where a model was named."""
    server.require(SEMANTIC_SINCE, "A field of type semantic")
    server.require_plugin(NEURAL_SEARCH, "A field of type semantic")
    server.require_plugin(ML_COMMONS, "A field of type semantic")
    schema, encoders = context.schema, context.encoders
    if not encoders.named:
        return create_index_body(schema, settings=settings)
    prune = None if semantic.prune.type is PruneType.NONE else semantic.prune.to_dict()
    binding = replace(encoders.binding(schema), prune=prune, server=semantic.server)
    languages = encoders.files(Side.DOCUMENT).spec.languages
    return create_index_body(schema, {schema.sparse_field: binding}, settings, languages=languages)


def _raise_unless_exists(error: ServerRequestError, *, exist_ok: bool) -> None:
    """Raise the error of a creation, unless an index of that name exists and may."""
    if error.error_type != _EXISTS:
        raise error
    if not exist_ok:
        raise error.with_remedy(Remedy.OPEN_EXISTING) from None

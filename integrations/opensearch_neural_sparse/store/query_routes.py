"""Routes of queries: encoded here, or by a model or an analyzer in the server."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from opensearch_neural_sparse.encode.sparse_vector import SparseVector
from opensearch_neural_sparse.errors import IndexSchemaError, ModelMismatchError, ServerRequestError
from opensearch_neural_sparse.index.index_info import IndexInfo
from opensearch_neural_sparse.index.schema import SparseField
from opensearch_neural_sparse.models.spec import Mode
from opensearch_neural_sparse.search.options.server_query import ServerQuery
from opensearch_neural_sparse.search.query.query_text import QueryText
from opensearch_neural_sparse.search.requests.multi_search import MultiSearch
from opensearch_neural_sparse.server_models.identity import ModelIdentity
from opensearch_neural_sparse.server_models.prediction import ML_ROOT, get_server_model, read_vectors
from opensearch_neural_sparse.server_models.registered_model import RegisteredModel
from opensearch_neural_sparse.store.context import StoreContext
from opensearch_neural_sparse.store.encoders import Encoders
from opensearch_neural_sparse.store.steps import Request, Steps

_ENRICHER = "neural_query_enricher"
_UNREADABLE = (403, 404)
"""Status of a model that may not be read, or that is not there: the search itself is answered so."""


def route_query(
    context: StoreContext, group: IndexInfo, field: SparseField, asked: ServerQuery | None, encoders: Encoders
) -> ServerQuery | None:
    """Return what in the server encodes queries for a sparse field; None encodes them here.

    What the caller asks for decides. Otherwise the server encodes queries of a field whose documents it encodes, where
    the caller named no model and no encoder, and the model is a bi-encoder or its query files are out of reach.

    Args:
        context: The store's context, with the defaults of search pipelines that `read_defaults` read.
        group: The indices that are searched, of one model.
        field: The sparse field.
        asked: What the caller asks for.
        encoders: Encoders of the field's model.

    Raises:
        IndexNotBoundError: The index carries no model, none was named and none asked for.
        IndexSchemaError: The index is to say what encodes queries, and does not.
    """
    if asked is not None:
        return _default(context, group, field) if asked.is_default else asked
    stamp = field.binding
    if encoders.named:
        return None
    if stamp is None and field.is_main and group.schema.semantic is not None:
        return _default(context, group, field)
    if stamp is None or stamp.server is None:
        context.ensure_bound(group)
        return None
    if stamp.mode == Mode.DOC_ONLY and encoders.can_encode_queries():
        return None
    return _default(context, group, field)


def read_defaults(context: StoreContext, info: IndexInfo, asked: Iterable[ServerQuery | None]) -> Steps[None]:
    """Read the search pipelines that say what encodes queries, where a search asks for it and no stamp says it."""
    if not any(query is not None and query.is_default for query in asked):
        return
    for group in info.groups or (info,):
        name = group.search_pipeline
        if name is not None and name not in context.query_defaults:
            response = yield Request("search_pipeline.get", partial(_get_pipeline, name))
            context.query_defaults[name] = _enricher(response.get(name, {}))


def check_query_models(context: StoreContext, info: IndexInfo, asked: Sequence[ServerQuery]) -> Steps[None]:
    """Check that the models in the server that a search names are those of the indices; each is looked up once.

    A model that a stamp names, that carries no fingerprints, or that may not be read, is taken as it is.

    Raises:
        ModelMismatchError: A model encodes queries in another way than any sparse field of the indices.
    """
    if not asked:
        return
    fields = [field for group in info.groups or (info,) for field in group.schema.sparse_fields.values()]
    bindings = [field.binding for field in fields if field.binding is not None]
    servers = [binding.server for binding in bindings if binding.server is not None]
    stamped = {each for server in servers for each in (server.model_id, server.query_model_id)}
    for model_id in {by.model_id for by in asked if by.model_id is not None} - context.query_models - stamped:
        identity = (yield from _identity_of(model_id)) if bindings else None
        if identity is not None and all(identity.query_sha256 != binding.query_sha256 for binding in bindings):
            raise ModelMismatchError(
                index=context.index,
                field=info.schema.sparse_field,
                bound=bindings[0].model,
                given=f"{identity.model} (server model {model_id})",
                reason="queries are encoded with another tokenizer or other weights",
                remedy="Name the server's model of the index: ServerQuery(model_id='...'), or leave server_query out.",
            )
        context.query_models.add(model_id)


def _identity_of(model_id: str) -> Steps[ModelIdentity | None]:
    try:
        response = yield Request("ml.get_model", partial(get_server_model, model_id, ignore=404), expected=404)
    except ServerRequestError as error:
        if error.status in _UNREADABLE:
            return None
        raise
    return RegisteredModel.read(model_id, response).identity


def fill_explained(search: MultiSearch) -> Steps[MultiSearch]:
    """Return a search with the token weights of texts that the server encodes and that are explained."""
    known = {}
    for text in search.explained_texts:
        known[text] = replace(text, vector=(yield from encode_by_server(text)))
    return search.explaining(known) if known else search


def encode_by_server(query: QueryText) -> Steps[SparseVector]:
    """Return the token weights of a text, as the server encodes it."""
    if query.by.analyzer is not None:
        response = yield Request("indices.analyze", partial(_analyze, query))
        return _read_analyzed(response)
    response = yield Request("ml.predict", partial(_predict, query))
    return read_vectors(response, 1)[0]


def _default(context: StoreContext, group: IndexInfo, field: SparseField) -> ServerQuery:
    """Return what the index says of the encoding of its queries."""
    server = None if field.binding is None else field.binding.server
    if server is not None and group.schema.semantic is None:
        return ServerQuery(model_id=server.query_model_id or server.model_id)
    semantic = group.schema.semantic if field.is_main else None
    if semantic is not None and semantic.search_analyzer is not None:
        return ServerQuery(analyzer=semantic.search_analyzer)
    if semantic is not None and semantic.model_id is not None:
        return ServerQuery(model_id=semantic.search_model_id or semantic.model_id)
    path = group.schema.sparse_path if field.is_main else field.name
    enricher = context.query_defaults.get(group.search_pipeline or "", {})
    found = enricher.get("neural_field_default_id", {}).get(path) or enricher.get("default_model_id")
    if found is None:
        raise IndexSchemaError(
            f"Index {', '.join(group.indices) or context.index!r} does not say what encodes queries for {path!r}: it "
            "has no stamp of a model in the server, no semantic field that names one, and no default search pipeline "
            f"with a {_ENRICHER}. Name it: ServerQuery(model_id='...')."
        )
    return ServerQuery(model_id=str(found))


def _enricher(pipeline: Mapping[str, Any]) -> Mapping[str, Any]:
    processors = pipeline.get("request_processors", [])
    found: Mapping[str, Any] = next((each[_ENRICHER] for each in processors if _ENRICHER in each), {})
    return found


def _get_pipeline(name: str, client: Any) -> Any:
    return client.transport.perform_request("GET", f"/_search/pipeline/{name}")


def _predict(query: QueryText, client: Any) -> Any:
    path = f"{ML_ROOT}/models/{query.by.model_id}/_predict"
    return client.transport.perform_request("POST", path, body={"text_docs": [query.text]})


def _analyze(query: QueryText, client: Any) -> Any:
    body = {"analyzer": query.by.analyzer, "text": query.text, "explain": True, "attributes": ["payload"]}
    return client.indices.analyze(body=body)


def _read_analyzed(response: Mapping[str, Any]) -> SparseVector:
    """Read the tokens of an analyzer; a token without a weight has the weight 1, as in a search."""
    tokens = response["detail"]["analyzer"]["tokens"]
    return SparseVector({each["token"]: _payload(each.get("payload")) for each in tokens})


def _payload(shown: str | None) -> float:
    """Read a weight from the bytes that the server shows, such as `[3f 80 0 0]`."""
    if shown is None:
        return 1.0
    (weight,) = struct.unpack(">f", bytes(int(byte, 16) for byte in shown.strip("[]").split()))
    return float(weight)

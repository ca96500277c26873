"""The ingest pipeline by which the server encodes an index: made, tried, restored, and removed where it is unused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from opensearch_neural_sparse.errors import (
    IndexSchemaError,
    NeuralSparseError,
    ServerConnectionError,
    ServerRequestError,
)
from opensearch_neural_sparse.index.binding.model_binding import ModelBinding
from opensearch_neural_sparse.index.binding.probe import PROBE
from opensearch_neural_sparse.index.binding.server_encoding import ServerEncoding
from opensearch_neural_sparse.index.documents.stored_text import passages_of
from opensearch_neural_sparse.index.index_info import IndexInfo
from opensearch_neural_sparse.index.ingest_pipeline import is_replaceable, pipeline_body, pipeline_difference
from opensearch_neural_sparse.store.context import StoreContext
from opensearch_neural_sparse.store.operations.by_server.prediction import predict_vectors
from opensearch_neural_sparse.store.steps import Request, Result, Steps

_BAD_REQUEST, _NOT_FOUND, _SERVER_ERROR = 400, 404, 500


def with_pipeline(context: StoreContext, binding: ModelBinding | None, owner: str, use: Steps[Result]) -> Steps[Result]:
    """Make the pipeline of an index, perform the steps that use it, and return their result.

    Where the pipeline does not work, or these steps fail, a pipeline that was made here is deleted again.

    Args:
        context: The store's context.
        binding: The stamp of the index; where it names no pipeline, the steps alone are performed.
        owner: Name of the index, or of the index template, that the pipeline is for.
        use: What the pipeline is for, such as the creation of the index.

    Raises:
        IndexSchemaError: The pipeline exists and is another one, or it does not give a text the vector of its model.
    """
    if binding is None or binding.server is None or binding.server.pipeline is None:
        return (yield from use)
    is_new = yield from _make(context, binding, binding.server, owner)
    try:
        yield from _try(context, binding, binding.server)
        return (yield from use)
    except NeuralSparseError as error:
        if is_new and _is_refusal(error):
            yield from _delete(binding.server.pipeline)
        raise


def restore_pipeline(context: StoreContext, info: IndexInfo) -> Steps[None]:
    """Make the pipeline of an index that the server encodes, if it is missing or an older one of that index.

    Raises:
        IndexSchemaError: The pipeline is another one.
    """
    if info.binding is not None and info.binding.server is not None and info.binding.server.pipeline is not None:
        yield from _make(context, info.binding, info.binding.server, context.index)


def get_pipeline(name: str) -> Steps[Mapping[str, Any] | None]:
    """Return a pipeline of the server, or None where there is none of this name."""
    response = yield Request(
        "ingest.get_pipeline", lambda client: client.ingest.get_pipeline(id=name, params={"ignore": [_NOT_FOUND]})
    )
    found: Mapping[str, Any] | None = response.get(name)
    return found


def _is_refusal(error: NeuralSparseError) -> bool:
    """Return whether an error says that nothing was made; after a broken connection, an index may be there."""
    if isinstance(error, ServerConnectionError):
        return False
    return not isinstance(error, ServerRequestError) or _BAD_REQUEST <= error.status < _SERVER_ERROR


def _delete(name: str) -> Steps[None]:
    with suppress(ServerConnectionError, ServerRequestError):  # the error that it follows is raised
        yield Request("ingest.delete_pipeline", lambda client: client.ingest.delete_pipeline(id=name))


def _make(context: StoreContext, binding: ModelBinding, encoding: ServerEncoding, owner: str) -> Steps[bool]:
    """Make a pipeline, unless there is such a one, and return whether there was none of its name."""
    name = str(encoding.pipeline)
    body = pipeline_body(encoding, context.schema, binding.prune, owner=owner)
    found = yield from get_pipeline(name)
    if found is not None:
        difference = pipeline_difference(found, encoding, context.schema, binding.prune)
        if difference is None:
            return False
        if not is_replaceable(found, body):
            raise IndexSchemaError(
                f"Pipeline {name!r} exists and is another one: {difference}. Delete it, or name another one: "
                "ServerEncoding(pipeline='...')."
            )
    yield Request(
        "ingest.put_pipeline",
        lambda client: client.ingest.put_pipeline(id=name, body=body),
        confirmed_by="acknowledged",
    )
    return found is None


def _try(context: StoreContext, binding: ModelBinding, encoding: ServerEncoding) -> Steps[None]:
    """Encode the probe by the pipeline, and compare it with the model's own vectors of its passages.

    Raises:
        IndexSchemaError: The pipeline fails, or gives other vectors.
    """
    schema, rule = context.schema, binding.prune_rule
    body = {"docs": [{"_source": {schema.text_field: PROBE}}]}
    answer = yield Request("ingest.simulate", lambda client: client.ingest.simulate(body=body, id=encoding.pipeline))
    result = answer["docs"][0]
    source = result.get("doc", {}).get("_source", {})
    passages = [PROBE] if encoding.chunking is None else passages_of(source, schema)
    made = _tokens(source.get(schema.vector_field), None if encoding.chunking is None else schema.weights_key)
    vectors = (yield from predict_vectors(encoding.model_id, passages)) if passages else []
    expected = [set(vector if rule is None else rule(vector)) for vector in vectors]
    if made != expected or not made:
        counts = [len(tokens) for tokens in made], [len(tokens) for tokens in expected]
        reason = result.get("error", {}).get("reason") or f"{counts[0]} tokens, not {counts[1]}"
        raise IndexSchemaError(
            f"Pipeline {encoding.pipeline!r} does not give a text the vector of its model: {reason}. "
            f"Does another processor of it change {schema.text_field!r} or {schema.vector_field!r}?"
        )


def _tokens(held: Any, key: str | None) -> list[set[str]]:
    """Return the tokens of each vector that a document holds."""
    rows: Sequence[Any] = held if isinstance(held, list) else [held] if held else []
    return [set(row if key is None else row.get(key, {})) for row in rows]

"""The model in the server that encodes an index: checked when the index is created, and before it is written to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from hashlib import sha256

from opensearch_neural_sparse.encode.sparse_vector import SparseVector
from opensearch_neural_sparse.errors import IndexSchemaError, ModelMismatchError, ServerRequestError
from opensearch_neural_sparse.index.binding.model_binding import ModelBinding
from opensearch_neural_sparse.index.binding.probe import PROBE, probe_difference, probe_of
from opensearch_neural_sparse.index.binding.server_encoding import ServerEncoding
from opensearch_neural_sparse.index.index_info import IndexInfo
from opensearch_neural_sparse.index.ingest_pipeline import pipeline_difference, pipeline_name
from opensearch_neural_sparse.models.files.resolve import Side
from opensearch_neural_sparse.server_models.prediction import get_server_model
from opensearch_neural_sparse.server_models.registered_model import RegisteredModel
from opensearch_neural_sparse.store.context import StoreContext
from opensearch_neural_sparse.store.operations.by_server.pipelines import get_pipeline
from opensearch_neural_sparse.store.operations.by_server.prediction import error_of_model, predict_vectors
from opensearch_neural_sparse.store.steps import Compute, Exclusive, Request, Steps

_NO_TOKENS = "The model in the server gives no token for a text that every sparse model knows; is it a sparse one?"


def bind_to_server(context: StoreContext, given: ServerEncoding, owner: str) -> Steps[ModelBinding]:
    """Check the model in the server, and return the stamp of an index that it shall encode.

    Args:
        context: The store's context.
        given: What the caller said of the model in the server.
        owner: Name of the index, or of the index template, that the pipeline is for.

    Raises:
        IndexSchemaError: An index with chunks that are cut here, or a model that is no sparse one.
        ModelMismatchError: The model in the server is another one than the store's.
        ServerRequestError: The model is not deployed.
    """
    if context.schema.chunking is not None:
        raise IndexSchemaError(
            "The schema has chunks that are cut here, and the server encodes documents. Let it cut them, too: "
            "ServerEncoding(chunking=ServerChunking(...)); or leave server_encoding out."
        )
    model, vector = yield from _look_at_model(given.model_id)
    if not vector:
        raise IndexSchemaError(f"{_NO_TOKENS} Its id is {given.model_id!r}.")
    encoding = replace(
        given,
        pipeline=given.pipeline or pipeline_name(owner),
        chunking=given.chunking or context.schema.server_chunking,
        model_name=model.name,
        content_sha256=model.content_sha256,
        probe=probe_of(vector),
    )
    weights = yield Compute(partial(_weights_of, context, model, vector))
    binding: ModelBinding = yield Compute(partial(context.encoders.server_binding, context.schema, encoding, weights))
    return binding


def ensure_server_encodes(context: StoreContext, info: IndexInfo, binding: ModelBinding) -> Steps[None]:
    """Check, once an opening, that model and pipeline are those that the index was created with.

    Raises:
        IndexSchemaError: The pipeline is missing, or encodes otherwise than the stamp says.
        ModelMismatchError: Another model answers to the id of the stamp.
        ServerRequestError: The model is not deployed.
    """
    if context.server_model is None and binding.server is not None:
        yield Exclusive(partial(_ensure_server_encodes, context, info, binding, binding.server))


def _look_at_model(model_id: str) -> Steps[tuple[RegisteredModel, SparseVector]]:
    """Return what the server knows of a model, and its vector of the probe."""
    try:
        response = yield Request("ml.get_model", partial(get_server_model, model_id))
    except ServerRequestError as error:
        raise error_of_model(error, model_id) from None
    (vector,) = yield from predict_vectors(model_id, [PROBE])
    return RegisteredModel.read(model_id, response), vector


def _weights_of(context: StoreContext, model: RegisteredModel, vector: SparseVector) -> str:
    """Return the hash of the weights of a model in the server.

    Its description names them where it was registered by this package. Else it is compared with the model's files,
    where these are here; where they are not, the hash of its archive or of its probe stands for them.

    Raises:
        ModelMismatchError: It is another model than the store's.
    """
    encoders = context.encoders
    if (identity := model.identity) is not None:
        if identity.query_sha256 != encoders.files(Side.QUERY).query_sha256:
            raise _other_model(context, model, f"it was registered as {identity.model!r}")
        return identity.weights_sha256
    vocabulary = encoders.vocabulary()
    if unknown := next((token for token in vector if token not in vocabulary), None):
        raise _other_model(context, model, f"it gives the token {unknown!r}, which the store's model does not have")
    if (own := encoders.probe(PROBE)) is not None:
        weights, expected = own
        if difference := probe_difference(probe_of(expected), vector):
            raise _other_model(context, model, f"unlike the store's model, {difference}")
        return weights
    return f"server:{model.content_sha256 or _hash_of(probe_of(vector))}"


def _hash_of(probe: Mapping[str, float]) -> str:
    return sha256(repr(sorted(probe.items())).encode()).hexdigest()


def _other_model(context: StoreContext, model: RegisteredModel, reason: str) -> ModelMismatchError:
    return ModelMismatchError(
        index=context.index,
        field=context.schema.sparse_field,
        bound=context.encoders.spec.id,
        given=f"server model {model.name or model.model_id}",
        reason=reason,
        remedy="Give the model that the server runs: model='...', or the id of another model of the server.",
    )


def _ensure_server_encodes(
    context: StoreContext, info: IndexInfo, binding: ModelBinding, encoding: ServerEncoding
) -> Steps[None]:
    if context.server_model is not None:
        return
    found = yield from get_pipeline(str(encoding.pipeline))
    missing = "it does not exist"
    reason = missing if found is None else pipeline_difference(found, encoding, info.schema, binding.prune)
    if reason is not None:
        raise IndexSchemaError(
            f"Pipeline {encoding.pipeline!r}, by which the server encodes the documents of index {context.index!r}, "
            f"cannot be used: {reason}. Restore it: create(exist_ok=True) of a store with "
            f"server_encoding=ServerEncoding(model_id={encoding.model_id!r}, pipeline={encoding.pipeline!r}) makes it."
        )
    model, vector = yield from _look_at_model(encoding.model_id)
    if difference := _model_difference(encoding, model, vector):
        raise ModelMismatchError(
            index=context.index,
            field=info.schema.sparse_field,
            bound=binding.model,
            given=f"server model {model.name or model.model_id}",
            reason=f"the id {encoding.model_id!r} is of another model than when the index was created: {difference}",
            remedy="Deploy the model of the index again, or write to a new index.",
        )
    context.server_model = model


def _model_difference(encoding: ServerEncoding, model: RegisteredModel, vector: SparseVector) -> str | None:
    if encoding.content_sha256 != model.content_sha256:
        before, now = (str(each)[:12] for each in (encoding.content_sha256, model.content_sha256))
        return f"the hash of its archive is {now}, it was {before}"
    return probe_difference(encoding.probe or {}, vector)

"""Bind an existing index to a model, after its vectors were checked against it."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from opensearch_neural_sparse.arguments import check_count, check_flag
from opensearch_neural_sparse.encode.truncation import collected_cuts
from opensearch_neural_sparse.error_reasons import first_of
from opensearch_neural_sparse.errors import IndexNotFoundError, IndexSchemaError, ModelMismatchError, Remedy
from opensearch_neural_sparse.index.binding.model_binding import (
    ModelBinding,
    read_bindings,
    unfit_tokens,
    write_bindings,
)
from opensearch_neural_sparse.index.documents.chunks import DocumentChunk
from opensearch_neural_sparse.index.documents.document import from_source
from opensearch_neural_sparse.index.mapping import DEFAULT_PIPELINE, marker_body, sparse_mapping
from opensearch_neural_sparse.index.metadata.field_names import maps_field
from opensearch_neural_sparse.index.read_index import ensure_fits, hidden_vectors
from opensearch_neural_sparse.index.schema import IndexSchema
from opensearch_neural_sparse.search.options.page import check_size
from opensearch_neural_sparse.search.results.shard_failures import check_shards
from opensearch_neural_sparse.store.context import StoreContext
from opensearch_neural_sparse.store.encoders import Encoders
from opensearch_neural_sparse.store.operations.by_server.model_check import bind_to_server
from opensearch_neural_sparse.store.operations.by_server.pipelines import with_pipeline
from opensearch_neural_sparse.store.steps import Compute, Request, Steps

LEAST_AGREEMENT = 0.99
"""Cosine of a stored vector and the model's own, over the stored tokens; 9 bits and pruning leave it above this."""
DRAWN_FOR_EACH = 1000
"""Most documents drawn for each one of the sample: no query finds documents with a vector alone."""
_PAGE = 1000
_SHOWN = 5


def bind_model(context: StoreContext, *, sample: int, verify: int, replace_stamp: bool) -> Steps[ModelBinding]:
    """Check a sample of the index's vectors against the model and write its stamp.

    Raises:
        IndexNotFoundError: There is no such index.
        IndexSchemaError: The name covers several indices, no vector was found, the stamp did not stay, or the pipeline
            of a store with `server_encoding` exists and is another one.
        ModelMismatchError: The vectors are not the model's, or the index carries another stamp.
        ServerRequestError: The model in the server is not deployed.
    """
    context.ensure_named()
    check_size(sample, name="sample")
    check_count(0, verify=verify)
    check_flag(replace=replace_stamp)
    schema, encoders = context.schema, context.encoders
    response = yield Request("indices.get", lambda client: client.indices.get(index=context.index))
    name = only_index(context.index, response)
    binding = yield from _binding_of(context)
    mappings = response[name]["mappings"]
    found = read_bindings(mappings).get(schema.sparse_field)
    if found is not None and not sparse_mapping(mappings, schema):
        raise hidden_vectors(name, schema)
    ensure_fits(name, mappings, schema, {})
    if found == binding and maps_field(mappings, schema.model_field):
        yield from with_pipeline(context, binding, context.index, _use_pipeline(name, binding))
        context.forget()
        return binding
    if found is not None and found != binding and not replace_stamp:
        raise _stamped_already(name, schema, found, binding)
    yield Request("indices.refresh", lambda client: client.indices.refresh(index=name), confirmed_by="_shards")
    sources = yield from _draw(name, schema, _sample_body(schema, sample, with_text=verify > 0))
    if not sources:
        yield from _ensure_shown(name, schema, mappings)
    yield Compute(partial(ensure_vocabulary, name, schema, encoders, sources))
    if verify:
        yield Compute(partial(ensure_weights, name, schema, encoders, sources, verify))
    yield from with_pipeline(context, binding, context.index, _use_pipeline(name, binding))
    now = yield Request("indices.get_mapping", lambda client: client.indices.get_mapping(index=name))
    body = _stamp_body(now[name]["mappings"], schema, binding)
    yield Request(
        "indices.put_mapping",
        lambda client: client.indices.put_mapping(index=name, body=body),
        confirmed_by="acknowledged",
    )
    after = yield Request("indices.get_mapping", lambda client: client.indices.get_mapping(index=name))
    if read_bindings(after[name]["mappings"]).get(schema.sparse_field) != binding:
        raise IndexSchemaError(f"Another program wrote _meta of index {name!r} at the same time; call it again.")
    context.forget()
    return binding


def _stamp_body(mappings: Mapping[str, Any], schema: IndexSchema, binding: ModelBinding) -> dict[str, Any]:
    """Return the mapping that stamps an index, with the marker where it has none."""
    meta = {"_meta": write_bindings({schema.sparse_field: binding}, mappings.get("_meta"))}
    marked = maps_field(mappings, schema.model_field)
    return meta if marked else meta | {"properties": marker_body(schema.model_field)}


def _use_pipeline(index: str, binding: ModelBinding) -> Steps[None]:
    """Encode the documents of an index by the pipeline of its stamp, if that names one."""
    if binding.server is not None:
        body = {DEFAULT_PIPELINE: binding.server.pipeline}
        yield Request(
            "indices.put_settings",
            lambda client: client.indices.put_settings(index=index, body=body),
            confirmed_by="acknowledged",
        )


def _binding_of(context: StoreContext) -> Steps[ModelBinding]:
    """Return the stamp of the store's model; where the server shall encode, its model is checked."""
    if context.server_encoding is not None:
        return (yield from bind_to_server(context, context.server_encoding, context.index))
    binding: ModelBinding = yield Compute(partial(context.encoders.binding, context.schema))
    return binding


def _draw(index: str, schema: IndexSchema, body: dict[str, Any]) -> Steps[list[Mapping[str, Any]]]:
    """Return documents with vectors: page after page of all, in a random order, until there are as many as the first.

    Raises:
        IndexSchemaError: None has a vector among as many as are drawn at most.
    """
    found: list[Mapping[str, Any]] = []
    wanted, drawn, most = body["size"], 0, body["size"] * DRAWN_FOR_EACH
    while len(found) < wanted and drawn < most:
        hits = yield from _search(index, body)
        found += [hit["_source"] for hit in hits if any(_vectors(hit["_source"], schema))]
        if len(hits) < body["size"]:
            return found
        drawn += len(hits)
        body = body | {"size": min(max(wanted, _PAGE), most - drawn), "search_after": hits[-1]["sort"]}
    if not found:
        raise IndexSchemaError(
            f"None of {drawn:,} documents of index {index!r}, drawn at random, has a vector in {schema.sparse_path!r}, "
            f"so the model cannot be verified. Give a larger sample: up to {DRAWN_FOR_EACH:,} are drawn for each."
        )
    return found


def _search(index: str, body: Mapping[str, Any]) -> Steps[Sequence[Mapping[str, Any]]]:
    answer = yield Request("search", lambda client: client.search(index=index, body=body))
    check_shards(answer)
    hits: Sequence[Mapping[str, Any]] = answer["hits"]["hits"]
    return hits


def _ensure_shown(index: str, schema: IndexSchema, mappings: Mapping[str, Any]) -> Steps[None]:
    """Raise IndexSchemaError where documents may have vectors that they do not show."""
    if mappings.get("_source") and (yield from _search(index, {"size": 1, "_source": False})):
        raise IndexSchemaError(
            f"No document of index {index!r} shows a vector in {schema.sparse_path!r}, and its mapping leaves fields "
            "out of _source, so the model cannot be verified. Leave it without a stamp, and name the model to open it."
        )


def only_index(index: str, response: Mapping[str, Any]) -> str:
    """Return the one concrete index behind a name.

    Raises:
        IndexNotFoundError: It leads to none.
        IndexSchemaError: It covers several.
    """
    if not response:
        raise IndexNotFoundError(index)
    if len(response) > 1:
        raise IndexSchemaError(f"Name {index!r} covers several indices, {', '.join(sorted(response))}; name one.")
    return next(iter(response))


def ensure_vocabulary(
    index: str, schema: IndexSchema, encoders: Encoders, sources: Sequence[Mapping[str, Any]]
) -> None:
    """Raise ModelMismatchError where sampled vectors hold tokens that the model does not have."""
    vectors = [vector for source in sources for vector in _vectors(source, schema)]
    if unfit := unfit_tokens(vectors, encoders.vocabulary()):
        shown = first_of(map(repr, unfit), _SHOWN)
        raise _refusal(index, schema, encoders, f"its documents hold tokens the model does not have: {shown}")


def ensure_weights(
    index: str, schema: IndexSchema, encoders: Encoders, sources: Sequence[Mapping[str, Any]], count: int
) -> None:
    """Raise ModelMismatchError where texts, encoded again, do not give the weights that are stored."""
    rows = [row for source in sources if (row := _checkable(source, schema)) is not None][:count]
    if not rows:
        raise IndexSchemaError(
            f"No document of the sample of index {index!r} has a text in {schema.text_field!r} and a vector, so its "
            "weights cannot be verified. Leave verify at 0, or give the text field: IndexSchema(text_field='...')."
        )
    with collected_cuts():  # what was cut when it was written is cut now
        encoded = encoders.encode_documents([text for text, _ in rows])
    lowest = min(agreement(held, vector) for (_, held), vector in zip(rows, encoded, strict=True))
    if lowest < LEAST_AGREEMENT:
        reason = f"a text encoded again agrees with its stored weights by {lowest:.3f}, not {LEAST_AGREEMENT} or more"
        raise _refusal(index, schema, encoders, reason)


def agreement(stored: Mapping[str, float], encoded: Mapping[str, float]) -> float:
    """Return the cosine of two vectors over the tokens of the first, which may have been pruned."""
    norms = math.hypot(*stored.values()) * math.hypot(*(encoded.get(token, 0.0) for token in stored))
    return sum(weight * encoded.get(token, 0.0) for token, weight in stored.items()) / norms if norms else 0.0


def _vectors(source: Mapping[str, Any], schema: IndexSchema) -> list[Mapping[str, float]]:
    document = from_source("", source, schema)
    chunks = [DocumentChunk.of(chunk).vector for chunk in document.chunks or ()]
    return chunks if document.vector is None else [document.vector]


def _checkable(source: Mapping[str, Any], schema: IndexSchema) -> tuple[str, Mapping[str, float]] | None:
    """Return a text of a document, or its first chunk's, with its vector."""
    document = from_source("", source, schema)
    if document.text is None:
        return None
    if document.chunks:
        chunk = DocumentChunk.of(document.chunks[0])
        return document.text[chunk.start : chunk.end], chunk.vector
    return (document.text, document.vector) if document.vector else None


def _sample_body(schema: IndexSchema, size: int, *, with_text: bool) -> dict[str, Any]:
    order = {"seed": random.randrange(2**31), "field": "_seq_no"}  # noqa: S311 (a sample, not a secret)
    query = {"function_score": {"query": {"match_all": {}}, "random_score": order, "boost_mode": "replace"}}
    fields = [schema.vector_field, *([schema.text_field, schema.passage_field] if with_text else [])]
    return {"size": size, "query": query, "sort": ["_score", "_seq_no"], "track_total_hits": False, "_source": fields}


def _refusal(index: str, schema: IndexSchema, encoders: Encoders, reason: str) -> ModelMismatchError:
    return ModelMismatchError(
        index=index,
        field=schema.sparse_field,
        bound=None,
        given=encoders.spec.id,
        reason=reason,
        remedy=Remedy.REINDEX,
    )


def _stamped_already(index: str, schema: IndexSchema, found: ModelBinding, given: ModelBinding) -> ModelMismatchError:
    other = [name for name in given.to_meta() if getattr(found, name) != getattr(given, name)]
    return ModelMismatchError(
        index=index,
        field=schema.sparse_field,
        bound=found.model,
        given=given.model,
        reason=f"the stamps differ in {', '.join(other)}",
        remedy=Remedy.REBIND,
    )

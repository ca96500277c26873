"""The ingest pipeline by which the server encodes the documents of an index."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opensearch_neural_sparse.index.binding.server_chunking import ServerChunking
from opensearch_neural_sparse.index.binding.server_encoding import ServerEncoding
from opensearch_neural_sparse.index.schema import IndexSchema

PROCESSOR, CHUNKING_PROCESSOR = "sparse_encoding", "text_chunking"
NO_PIPELINE = "_none"
"""The server's word for no pipeline, not even the index's default one."""
TEMPLATE = "${parameters."
"""Beginning of a parameter that a connector replaces, wherever in its request it stands: in a text, too."""


def pipeline_name(index: str) -> str:
    """Return the default name of the pipeline of an index, or of an index template."""
    return f"{index}-sparse-encoding"


def pipeline_body(
    encoding: ServerEncoding, schema: IndexSchema, prune: Mapping[str, Any] | None, *, owner: str
) -> dict[str, Any]:
    """Return the body of `PUT /_ingest/pipeline/<name>`.

    Args:
        encoding: The model in the server.
        schema: Names of the fields.
        prune: Pruning rule, as `Prune.to_dict` returns it; None keeps every token.
        owner: Name of the index, or of the index template, that it is made for.
    """
    chunking = encoding.chunking
    encoded = schema.text_field if chunking is None else schema.passage_field
    processor: dict[str, Any] = {
        "model_id": encoding.model_id,
        "field_map": {encoded: schema.vector_field},
        "batch_size": encoding.batch_size,
    }
    if prune is not None:
        processor |= {"prune_type": prune["type"]} | ({"prune_ratio": prune["ratio"]} if "ratio" in prune else {})
    description = f"opensearch-neural-sparse encodes {schema.text_field} of {owner} into {schema.sparse_field}"
    cutters = [] if chunking is None else [chunking_step(chunking, schema)]
    return {"description": description, "processors": [*cutters, {PROCESSOR: processor}]}


def chunking_step(chunking: ServerChunking, schema: IndexSchema) -> dict[str, Any]:
    """Return the processor that cuts texts into passages.

    Args:
        chunking: How they are cut.
        schema: Names of the fields.
    """
    parameters = {
        "algorithm": chunking.to_algorithm(),
        "field_map": {schema.text_field: schema.passage_field},
        "ignore_missing": True,
    }
    return {CHUNKING_PROCESSOR: parameters}


def is_replaceable(found: Mapping[str, Any], body: Mapping[str, Any]) -> bool:
    """Return whether a pipeline of another body was made for the same index, so that it may be replaced.

    Args:
        found: The pipeline that the server holds.
        body: The one that is wanted.
    """
    return bool(found.get("description") == body["description"])


def pipeline_difference(
    found: Mapping[str, Any], encoding: ServerEncoding, schema: IndexSchema, prune: Mapping[str, Any] | None
) -> str | None:
    """Return why a pipeline does not encode the documents of an index as its stamp says, or None where it does.

    Other processors, `on_failure` and the size of batches are left to whoever runs the server.

    Args:
        found: The pipeline that the server holds.
        encoding: The model in the server.
        schema: Names of the fields.
        prune: Pruning rule of the stamp.
    """
    for wanted in pipeline_body(encoding, schema, prune, owner="")["processors"]:
        ((processor, parameters),) = wanted.items()
        if difference := _step_difference(found, processor, parameters):
            return difference
    return None


def _step_difference(found: Mapping[str, Any], processor: str, wanted: Mapping[str, Any]) -> str | None:
    (filled,) = wanted["field_map"].values()
    steps = [step[processor] for step in found.get("processors", ()) if processor in step]
    filling = [step for step in steps if filled in step.get("field_map", {}).values()]
    if not filling:
        return f"it has no processor {processor!r} that fills field {filled!r}"
    for step in filling:
        for name in ("model_id", "algorithm", "field_map", "prune_type", "prune_ratio"):
            if step.get(name) != wanted.get(name):
                return f"its {name} is {step.get(name)!r}, not {wanted.get(name)!r}"
    return None

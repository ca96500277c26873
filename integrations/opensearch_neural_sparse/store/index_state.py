"""What an open index is: its model, the indices behind its name, their shards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from opensearch_neural_sparse.errors import IndexNotFoundError, IndexSchemaError, ModelMismatchError
from opensearch_neural_sparse.index.binding import ModelBinding, read_bindings
from opensearch_neural_sparse.index.fields import FieldType, IndexSchema


@dataclass(frozen=True, kw_only=True)
class IndexState:
    """What an open index is.

    Attributes:
        binding: The model its sparse field is bound to; None where it carries no stamp.
        indices: The concrete indices behind its name.
        shards: Number of their primary shards together.
    """

    binding: ModelBinding | None
    indices: tuple[str, ...]
    shards: int


def read_index(name: str, response: Mapping[str, Any], schema: IndexSchema) -> IndexState:
    """Read the response of `GET /<index>`.

    Raises:
        IndexNotFoundError: The name matches nothing.
        IndexSchemaError: The sparse field is missing or of another type, or the stamp names another text field.
        ModelMismatchError: Indices behind one name are bound to different models.
    """
    if not response:
        raise IndexNotFoundError(name)
    bindings = [_read_binding(index, body["mappings"], schema) for index, body in response.items()]
    for binding in bindings[1:]:
        if _identity(binding) != _identity(bindings[0]):
            raise _two_models(name, schema, bindings[0], binding)
    shards = [int(body["settings"]["index"]["number_of_shards"]) for body in response.values()]
    return IndexState(binding=bindings[0], indices=tuple(response), shards=sum(shards))


def _read_binding(index: str, mappings: Mapping[str, Any], schema: IndexSchema) -> ModelBinding | None:
    bindings = read_bindings(mappings)
    found = mappings.get("properties", {}).get(schema.sparse_field, {}).get("type")
    if found not in set(FieldType):
        known = f"It is stamped for {sorted(bindings)}. " if bindings else ""
        raise IndexSchemaError(
            f"Index {index!r} has no sparse field {schema.sparse_field!r} (found type {found!r}). {known}"
            "Name the field: schema=IndexSchema(sparse_field='...')."
        )
    if found != schema.field_type:
        raise IndexSchemaError(
            f"Field {schema.sparse_field!r} of index {index!r} is of type {found}, the schema says "
            f"{schema.field_type}. Give schema=IndexSchema(field_type={found!r})."
        )
    binding = bindings.get(schema.sparse_field)
    if binding is not None and binding.text_field != schema.text_field:
        raise IndexSchemaError(
            f"Index {index!r} holds its text in {binding.text_field!r}, the schema says {schema.text_field!r}. "
            f"Give schema=IndexSchema(text_field={binding.text_field!r})."
        )
    return binding


def _identity(binding: ModelBinding | None) -> Sequence[str] | None:
    return None if binding is None else (binding.query_sha256, binding.weights_sha256)


def _two_models(
    name: str, schema: IndexSchema, first: ModelBinding | None, second: ModelBinding | None
) -> ModelMismatchError:
    models = [binding.model if binding else "no model" for binding in (first, second)]
    return ModelMismatchError(
        index=name,
        field=schema.sparse_field,
        bound=models[0],
        given=models[1],
        reason="the indices behind this name belong to different models, and their scores cannot be compared",
        remedy="Search them one by one.",
    )

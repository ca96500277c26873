"""Field names and types of an index, read from its stamp."""

from collections.abc import Mapping
from typing import Any

from opensearch_neural_sparse.index.binding.model_binding import read_bindings
from opensearch_neural_sparse.index.schema import FieldType, IndexSchema


def stamped_schema(response: Mapping[str, Any]) -> IndexSchema:
    """Return the field names and types in the stamps of indices; the default is those of a new index.

    Args:
        response: The response of `GET /<index>`.
    """
    schema = IndexSchema()
    for body in response.values():
        mappings = body.get("mappings", {})
        bindings = read_bindings(mappings)
        if bindings:
            field = schema.sparse_field if schema.sparse_field in bindings else next(iter(bindings))
            text_field = bindings[field].text_field
            return IndexSchema(sparse_field=field, text_field=text_field, field_type=field_type(mappings, field))
    return schema


def field_type(mappings: Mapping[str, Any], field: str) -> FieldType:
    """Return the type of a sparse field; the default for a missing field, and for one in chunks."""
    found = mappings.get("properties", {}).get(field, {}).get("type")
    return FieldType.SPARSE_VECTOR if found == FieldType.SPARSE_VECTOR else FieldType.RANK_FEATURES

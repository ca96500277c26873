"""Read the response of `GET /<index>`: each concrete index once, then grouped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from opensearch_neural_sparse.encode.chunking import ChunkOptions
from opensearch_neural_sparse.errors import IndexNotBoundError, IndexNotFoundError, IndexSchemaError
from opensearch_neural_sparse.index.index_info import IndexInfo
from opensearch_neural_sparse.index.mapping import sparse_mapping
from opensearch_neural_sparse.index.metadata.field_types import MetadataTypes
from opensearch_neural_sparse.index.model_binding import ModelBinding, read_bindings
from opensearch_neural_sparse.index.schema import FieldType, IndexSchema

Stamps = Mapping[str, ModelBinding]
"""Sparse field -> the model that it is bound to, in one index."""

UUID_FILTER = MappingProxyType({"filter_path": "*.settings.index.uuid"})
"""`filter_path` that returns only index UUIDs."""


@dataclass(frozen=True, kw_only=True)
class ConcreteIndex:
    """One of the indices behind a name, as the server returned it.

    Attributes:
        name: Its own name.
        schema: Names and types of its fields, with what its stamps say.
        binding: The model its sparse field is bound to; None where it carries no stamp.
        mappings: Its mapping.
        uuid: Its UUID.
        shards: Number of its primary shards; 0 if unknown.
        is_write_index: Whether it is the write index of the alias that was asked for.
        is_routed: Whether that name is a data stream or an alias with routing, which routes writes itself.
    """

    name: str
    schema: IndexSchema
    binding: ModelBinding | None
    mappings: Mapping[str, Any] = field(repr=False)
    uuid: str
    shards: int
    is_write_index: bool
    is_routed: bool


def read_index(name: str, response: Mapping[str, Any], schema: IndexSchema, *, model_named: bool = False) -> IndexInfo:
    """Read the response of `GET /<index>`.

    Args:
        name: The name that was asked for.
        response: The response.
        schema: Names of the fields.
        model_named: Whether indices without a stamp are taken to be of a model that the caller named.

    Raises:
        IndexNotFoundError: The name matches nothing.
        IndexNotBoundError: An index carries no stamp, no model was named.
        IndexSchemaError: The sparse field is missing or of another type, or the stamp names another text field.
    """
    if not response:
        raise IndexNotFoundError(name)
    indices = _read_all(name, response, schema)
    models = {each.binding.identity: each.binding for each in reversed(indices) if each.binding is not None}
    unbound = [each.name for each in indices if each.binding is None]
    if unbound and (len(models) > 1 or not model_named):
        raise IndexNotBoundError(", ".join(unbound), schema.sparse_field)
    whole = _joined(name, indices, next(iter(models.values())) if len(models) == 1 else None)
    groups: dict[Any, list[ConcreteIndex]] = {}
    for each in indices:
        binding = each.binding or whole.binding
        identity = None if binding is None else binding.identity
        groups.setdefault((identity, each.schema.field_type, each.schema.chunking is not None), []).append(each)
    if len(groups) < 2:
        return whole
    return replace(whole, groups=tuple(_joined(name, members, models.get(key[0])) for key, members in groups.items()))


def read_concrete_index(
    name: str, index: str, body: Mapping[str, Any], schema: IndexSchema, stamps: Stamps | None = None
) -> ConcreteIndex:
    """Read one concrete index of the response of `GET /<index>`.

    Args:
        name: The name that was asked for.
        index: The index.
        body: Its part of the response.
        schema: Names of the fields.
        stamps: Its stamps; None reads them.

    Raises:
        IndexSchemaError: The sparse field is missing or of another type, or the stamp names another text field.
    """
    mappings, settings, alias = body["mappings"], body["settings"]["index"], body.get("aliases", {}).get(name, {})
    if stamps is None:
        stamps = read_bindings(mappings)
    schema = follow_stamps(schema, stamps)
    _ensure_fits(index, mappings, schema, stamps)
    return ConcreteIndex(
        name=index,
        schema=schema,
        binding=stamps.get(schema.sparse_field),
        mappings=mappings,
        uuid=str(settings.get("uuid")),
        shards=int(settings.get("number_of_shards", 0)),
        is_write_index=bool(alias.get("is_write_index")),
        is_routed=body.get("data_stream") == name or "index_routing" in alias,
    )


def uuids_of(response: Mapping[str, Any]) -> dict[str, str]:
    """Return concrete index -> UUID from the response of `GET /<index>`."""
    return {index: str(body.get("settings", {}).get("index", {}).get("uuid")) for index, body in response.items()}


def follow_stamps(schema: IndexSchema, stamps: Stamps) -> IndexSchema:
    """Complete a schema by the stamps of an index: chunks, if it has none, and models of fields."""
    own, chunking = stamps.get(schema.sparse_field), schema.chunking
    if chunking is None and own is not None and own.chunking is not None:
        chunking = ChunkOptions(**own.chunking)
    return replace(schema, chunking=chunking, bindings=stamps)


def _read_all(name: str, response: Mapping[str, Any], schema: IndexSchema) -> list[ConcreteIndex]:
    """Read the indices, each by a schema of its own type where there are both types of sparse fields."""
    stamps = {index: read_bindings(body["mappings"]) for index, body in response.items()}
    exact = replace(schema, field_type=FieldType.RANK_FEATURES, seismic=None)
    types = {
        index: sparse_mapping(body["mappings"], follow_stamps(exact, stamps[index])).get("type")
        for index, body in response.items()
    }
    schemas = dict.fromkeys(response, schema)
    if set(FieldType) <= set(types.values()):
        approximate = replace(exact, field_type=FieldType.SPARSE_VECTOR, seismic=schema.seismic)
        schemas = {index: approximate if found == FieldType.SPARSE_VECTOR else exact for index, found in types.items()}
    return [read_concrete_index(name, index, body, schemas[index], stamps[index]) for index, body in response.items()]


def _joined(name: str, members: Sequence[ConcreteIndex], binding: ModelBinding | None) -> IndexInfo:
    """Return the metadata of several indices behind a name."""
    schemas = [each.schema for each in members]
    first = next((own for own in schemas if own.field_type is FieldType.RANK_FEATURES), schemas[0])
    mappings = tuple(each.mappings for each in members)
    shards = [each.shards for each in members]
    return IndexInfo(
        schema=replace(
            first,
            chunking=next((own.chunking for own in schemas if own.chunking is not None), None),
            bindings=_bindings(schemas, binding),
            metadata_types=MetadataTypes(mappings),
        ),
        binding=binding,
        indices=tuple(each.name for each in members),
        shards=sum(shards) if all(shards) else 0,
        uuids={each.name: each.uuid for each in members},
        write_index=_write_index(name, members),
        mappings=mappings,
    )


def _bindings(schemas: Sequence[IndexSchema], common: ModelBinding | None) -> dict[str, ModelBinding]:
    """Return the models of all sparse fields; that of the main one only where all indices have it in common."""
    main = schemas[0].sparse_field
    others = {name: stamp for own in schemas for name, stamp in own.bindings.items() if name != main}
    return others if common is None else {main: common} | others


def _write_index(name: str, members: Sequence[ConcreteIndex]) -> str | None:
    if any(each.is_routed for each in members):
        return name
    if len(members) == 1:
        return members[0].name
    return next((each.name for each in members if each.is_write_index), None)


def _ensure_fits(index: str, mappings: Mapping[str, Any], schema: IndexSchema, stamps: Stamps) -> None:
    """Raise IndexSchemaError unless the sparse field and the text field are as the schema says."""
    found = sparse_mapping(mappings, schema).get("type")
    if found not in set(FieldType):
        known = f"It is stamped for {sorted(stamps)}. " if stamps else ""
        raise IndexSchemaError(
            f"Index {index!r} has no sparse field {schema.sparse_path!r} (found type {found!r}). {known}"
            "Name the field: schema=IndexSchema(sparse_field='...')."
        )
    if found != schema.field_type:
        raise IndexSchemaError(
            f"Field {schema.sparse_field!r} of index {index!r} is of type {found}, the schema says "
            f"{schema.field_type}. Give schema=IndexSchema(field_type={found!r})."
        )
    binding = stamps.get(schema.sparse_field)
    if binding is not None and binding.text_field != schema.text_field:
        raise IndexSchemaError(
            f"Index {index!r} holds its text in {binding.text_field!r}, the schema says {schema.text_field!r}. "
            f"Give schema=IndexSchema(text_field={binding.text_field!r})."
        )

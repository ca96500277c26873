"""Read the response of `GET /<index>`: each concrete index once, then grouped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from opensearch_neural_sparse.encode.chunking import ChunkOptions
from opensearch_neural_sparse.errors import (
    HiddenFieldError,
    IndexNotBoundError,
    IndexNotFoundError,
    IndexSchemaError,
    unreadable_answer,
)
from opensearch_neural_sparse.index.analyzers import read_languages
from opensearch_neural_sparse.index.binding.model_binding import ModelBinding, read_bindings
from opensearch_neural_sparse.index.index_info import IndexInfo
from opensearch_neural_sparse.index.mapping import sparse_mapping
from opensearch_neural_sparse.index.metadata.field_names import maps_field
from opensearch_neural_sparse.index.metadata.field_types import MetadataTypes
from opensearch_neural_sparse.index.schema import FieldType, IndexSchema
from opensearch_neural_sparse.index.semantic_field import SemanticField

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
        search_pipeline: Name of its default search pipeline, or None.
    """

    name: str
    schema: IndexSchema
    binding: ModelBinding | None
    mappings: Mapping[str, Any] = field(repr=False)
    uuid: str
    shards: int
    is_write_index: bool
    is_routed: bool
    search_pipeline: str | None = None


def read_index(name: str, response: Mapping[str, Any], schema: IndexSchema) -> IndexInfo:
    """Read the response of `GET /<index>`.

    Args:
        name: The name that was asked for.
        response: The response.
        schema: Names of the fields.

    Raises:
        IndexNotFoundError: The name matches nothing.
        IndexNotBoundError: An index carries no stamp, and others are of several models.
        IndexSchemaError: The sparse field is missing or of another type, or the stamp names another text field.
        ServerRequestError: The response is not of indices.
    """
    if not response:
        raise IndexNotFoundError(name)
    ensure_indices(response)
    indices = _read_all(name, response, schema)
    models = {each.binding.identity: each.binding for each in reversed(indices) if each.binding is not None}
    unbound = [each.name for each in indices if each.binding is None and each.schema.semantic is None]
    if unbound and len(models) > 1:
        raise IndexNotBoundError(", ".join(unbound), schema.sparse_field)
    whole = _joined(name, indices, next(iter(models.values())) if len(models) == 1 else None)
    groups: dict[Any, list[ConcreteIndex]] = {}
    for each in indices:
        binding = each.binding if each.schema.semantic is not None else each.binding or whole.binding
        identity = None if binding is None else binding.identity
        groups.setdefault((identity, each.schema.field_type, each.schema.sparse_path), []).append(each)
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
        ServerRequestError: The response is not of indices.
    """
    mappings, settings, alias = body["mappings"], body["settings"]["index"], body.get("aliases", {}).get(name, {})
    if stamps is None:
        stamps = read_bindings(mappings)
    schema = follow_stamps(_with_semantic(schema, mappings, stamps), stamps)
    ensure_fits(index, mappings, schema, stamps)
    text = mappings.get("properties", {}).get(schema.text_field, {})
    schema = replace(schema, languages=read_languages(text) or ())
    return ConcreteIndex(
        name=index,
        schema=schema,
        binding=stamps.get(schema.sparse_field),
        mappings=mappings,
        uuid=str(settings.get("uuid")),
        shards=int(settings.get("number_of_shards", 0)),
        is_write_index=bool(alias.get("is_write_index")),
        is_routed=body.get("data_stream") == name or "index_routing" in alias,
        search_pipeline=_default_pipeline(settings),
    )


def _default_pipeline(settings: Mapping[str, Any]) -> str | None:
    name = settings.get("search", {}).get("default_pipeline")
    return None if name in (None, "_none") else str(name)


def uuids_of(response: Mapping[str, Any]) -> dict[str, str]:
    """Return concrete index -> UUID from the response of `GET /<index>`."""
    ensure_indices(response)
    return {index: str(body.get("settings", {}).get("index", {}).get("uuid")) for index, body in response.items()}


def ensure_indices(response: Mapping[str, Any]) -> None:
    """Raise ServerRequestError unless a response has an object for each index."""
    if not all(isinstance(body, Mapping) for body in response.values()):
        raise unreadable_answer("it has no indices")


def follow_stamps(schema: IndexSchema, stamps: Stamps) -> IndexSchema:
    """Complete a schema by the stamps of an index: chunks, if it has none, who cuts them, and models of fields."""
    own, chunking, by_server = stamps.get(schema.sparse_field), schema.chunking, schema.server_chunking
    if own is not None:
        by_server = None if own.server is None else own.server.chunking
        if chunking is None and own.chunking is not None:
            chunking = ChunkOptions(**own.chunking)
    return replace(schema, chunking=chunking, server_chunking=by_server, bindings=stamps)


def _with_semantic(schema: IndexSchema, mappings: Mapping[str, Any], stamps: Stamps) -> IndexSchema:
    """Return a schema with the semantic field of an index that has no sparse field of the schema's own."""
    own = mappings.get("properties", {}).keys() & {schema.sparse_field, schema.chunk_field}
    if follow_stamps(schema, stamps).is_cut or (own and schema.semantic is None):
        return schema
    return replace(schema, semantic=SemanticField.of_mappings(mappings, schema.text_field) or schema.semantic)


def _read_all(name: str, response: Mapping[str, Any], schema: IndexSchema) -> list[ConcreteIndex]:
    """Read the indices, each by a schema of its own type where there are both types of sparse fields."""
    stamps = {index: read_bindings(body["mappings"]) for index, body in response.items()}
    exact = replace(schema, field_type=FieldType.RANK_FEATURES, seismic=None)
    types = {
        index: sparse_mapping(
            body["mappings"], follow_stamps(_with_semantic(exact, body["mappings"], stamps[index]), stamps[index])
        ).get("type")
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
    pipelines = {each.search_pipeline for each in members}
    chunking = next((own.chunking for own in schemas if own.chunking is not None), None)
    by_server = (own.server_chunking for own in schemas if own.server_chunking is not None)
    return IndexInfo(
        schema=replace(
            first,
            chunking=chunking,
            server_chunking=next(by_server, None) if chunking is None else None,
            bindings=_bindings(schemas, binding),
            languages={name: analyzer for own in schemas for name, analyzer in own.language_analyzers.items()} or (),
            metadata_types=MetadataTypes(mappings),
        ),
        binding=binding,
        indices=tuple(each.name for each in members),
        shards=sum(shards) if all(shards) else 0,
        uuids={each.name: each.uuid for each in members},
        write_index=_write_index(name, members),
        mappings=mappings,
        unbound=tuple(each.name for each in members if each.binding is None and each.schema.semantic is None),
        search_pipeline=pipelines.pop() if len(pipelines) == 1 else None,
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


def ensure_fits(index: str, mappings: Mapping[str, Any], schema: IndexSchema, stamps: Stamps) -> None:
    """Raise IndexSchemaError unless the sparse field and the text field are as the schema says.

    A stamped index maps its sparse field and the marker; one without them is shown to a login that may not see all.

    Args:
        index: Name of the index.
        mappings: Its mapping.
        schema: Names of the fields.
        stamps: Its stamps.
    """
    found = sparse_mapping(mappings, schema).get("type")
    binding = stamps.get(schema.sparse_field)
    if found is None and binding is not None:
        raise hidden_vectors(index, schema)
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
    if binding is None:
        return
    if binding.text_field != schema.text_field:
        raise IndexSchemaError(
            f"Index {index!r} holds its text in {binding.text_field!r}, the schema says {schema.text_field!r}. "
            f"Give schema=IndexSchema(text_field={binding.text_field!r})."
        )
    if not maps_field(mappings, schema.model_field):
        raise HiddenFieldError(index, schema.model_field, use="which names the model of each vector")


def hidden_vectors(index: str, schema: IndexSchema) -> HiddenFieldError:
    """Return the error of a stamped index that does not show its vectors."""
    return HiddenFieldError(index, schema.sparse_path, use="which holds the vectors that searches compare")

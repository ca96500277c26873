"""Metadata of an open index: models, concrete indices, shards."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from opensearch_neural_sparse.errors import (
    IndexNotBoundError,
    IndexNotFoundError,
    IndexSchemaError,
    ModelMismatchError,
)
from opensearch_neural_sparse.index.documents.document import SparseDocument, from_source
from opensearch_neural_sparse.index.mapping import follow_stamps, sparse_mapping
from opensearch_neural_sparse.index.metadata.field_types import MetadataTypes
from opensearch_neural_sparse.index.model_binding import ModelBinding, read_bindings
from opensearch_neural_sparse.index.schema import FieldType, FieldTypeLike, IndexSchema

UUID_FILTER = MappingProxyType({"filter_path": "*.settings.index.uuid"})
"""`filter_path` that returns only index UUIDs."""


@dataclass(frozen=True, kw_only=True)
class IndexInfo:
    """Metadata of an open index.

    Attributes:
        schema: Names and types of its fields, with what the stamp says about chunks.
        binding: The model its sparse field is bound to; None where it carries no stamp, or there are several models.
        indices: The concrete indices behind its name; empty without the right to read them.
        shards: Number of their primary shards in all; 0 if unknown.
        uuids: Concrete index -> UUID, which differs from that of a later index of the same name.
        write_index: Target of writes: the concrete index, or the name itself if it routes; None for a name of several
            indices without a write index.
        groups: Indices that are searched separately: by model, by type of the sparse field, and by whether they have
            chunks; empty if all indices behind the name are searched together.
        checked: Whether the mapping could be read, and the model verified.
        mappings: The mappings of the concrete indices, as they were read; writes may have added fields since.
    """

    schema: IndexSchema
    binding: ModelBinding | None
    indices: tuple[str, ...]
    shards: int
    uuids: Mapping[str, str]
    write_index: str | None
    groups: tuple[IndexInfo, ...] = ()
    checked: bool = True
    mappings: tuple[Mapping[str, Any], ...] = field(default=(), repr=False, compare=False)

    @classmethod
    def unchecked(cls, name: str, schema: IndexSchema) -> IndexInfo:
        """Make the metadata of an index without the right to read it."""
        return cls(schema=schema, binding=None, indices=(), shards=0, uuids={}, write_index=name, checked=False)

    @property
    def has_several_models(self) -> bool:
        """Whether the name covers indices of several models."""
        return bool(self.groups) and self.binding is None

    def with_token_ids(self, put: Callable[[IndexSchema, ModelBinding | None], IndexSchema]) -> IndexInfo:
        """Return the metadata with schemas that have token ids, added for each model by its stamp."""
        groups = tuple(group.with_token_ids(put) for group in self.groups)
        return replace(self, schema=put(self.schema, self.binding), groups=groups)

    def schema_of(self, index: str) -> IndexSchema:
        """Return the schema of a concrete index."""
        group = self._group_of(index)
        return self.schema if group is None else group.schema

    def read_document(self, row: Mapping[str, Any]) -> SparseDocument:
        """Return the document of a hit, or of a row of `_mget`."""
        schema = self.schema_of(row["_index"])
        return from_source(row["_id"], row["_source"], schema, routing=row.get("_routing"))

    def expects(self, index: str, model: str | None) -> bool:
        """Return whether a hit of `index` with the marker `model` is expected here."""
        group = self._group_of(index)
        if group is None:
            return not self.checked
        return model is None or group.binding is None or model == group.binding.marker

    def holds(self, rows: Iterable[Mapping[str, Any]]) -> bool:
        """Return whether the documents of a response are in known indices."""
        return not self.checked or all(row["_index"] in self.indices for row in rows if row.get("found", True))

    def is_same_index(self, uuids: Mapping[str, str]) -> bool:
        """Return whether the write index still has the same UUID."""
        if self.write_index is not None and self.write_index in self.uuids:
            return uuids.get(self.write_index) == self.uuids[self.write_index]
        return uuids == self.uuids

    def ensure_writable(self, name: str, schema: IndexSchema) -> None:
        """Raise unless the name has one write index of one model.

        Raises:
            ModelMismatchError: The name covers indices of several models.
            IndexSchemaError: It covers several indices without a write index, or of several layouts.
        """
        if self.has_several_models:
            raise several_models(name, schema, self.groups, "Write to one of them, under its own name.")
        if self.groups:
            raise several_layouts(name, self.groups, "Write to one of them, under its own name.")
        if self.write_index is None:
            raise IndexSchemaError(
                f"Name {name!r} covers several indices, {', '.join(self.indices)}, and none is its write index. "
                "Write to one of them, or make one the alias's write index (is_write_index)."
            )

    def _group_of(self, index: str) -> IndexInfo | None:
        return next((group for group in self.groups or (self,) if index in group.indices), None)


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
    schemas = _schemas(response, schema)
    bindings = {index: read_binding(index, body, schemas[index]) for index, body in response.items()}
    stamps = {binding.identity: binding for binding in reversed(bindings.values()) if binding is not None}
    unbound = [index for index, binding in bindings.items() if binding is None]
    if unbound and (len(stamps) > 1 or not model_named):
        raise IndexNotBoundError(", ".join(unbound), schema.sparse_field)
    common = next((own for own in schemas.values() if own.field_type is FieldType.RANK_FEATURES), schema)
    whole = _state(name, response, next(iter(stamps.values()), None) if len(stamps) < 2 else None, common)
    groups: dict[tuple[Any, FieldTypeLike, bool], dict[str, Any]] = {}
    for index, body in response.items():
        own, binding = schemas[index], bindings[index] or whole.binding
        has_chunks = follow_stamps(own, {index: body}).chunking is not None
        key = (None if binding is None else binding.identity, own.field_type, has_chunks)
        groups.setdefault(key, {})[index] = body
    if len(groups) < 2:
        return whole
    states = (
        _state(name, members, stamps.get(key[0]), schemas[next(iter(members))]) for key, members in groups.items()
    )
    return replace(whole, groups=tuple(states))


def uuids_of(response: Mapping[str, Any]) -> dict[str, str]:
    """Return concrete index -> UUID from the response of `GET /<index>`."""
    return {index: str(body.get("settings", {}).get("index", {}).get("uuid")) for index, body in response.items()}


def several_models(name: str, schema: IndexSchema, groups: Iterable[IndexInfo], remedy: str) -> ModelMismatchError:
    """Return the error of an operation on indices of several models."""
    found = [(binding.model, group.indices) for group in groups if (binding := group.binding) is not None]
    models = "; ".join(f"{model!r}: {', '.join(indices)}" for model, indices in found)
    return ModelMismatchError(
        index=name,
        field=schema.sparse_field,
        bound=found[0][0],
        given=next((model for model, _ in found if model != found[0][0]), found[1][0]),
        reason=f"the indices behind this name belong to different models ({models})",
        remedy=remedy,
    )


def several_layouts(name: str, groups: Iterable[IndexInfo], remedy: str) -> IndexSchemaError:
    """Return the error of an operation on indices of several layouts."""
    found = [(", ".join(group.indices), group.schema.field_type, group.schema.chunking is not None) for group in groups]
    layouts = "; ".join(f"{kind} {'with' if chunks else 'without'} chunks in {where}" for where, kind, chunks in found)
    return IndexSchemaError(f"The indices behind name {name!r} are not of one layout: {layouts}. {remedy}")


def _schemas(response: Mapping[str, Any], schema: IndexSchema) -> dict[str, IndexSchema]:
    """Return the schema of each index, by the type of its sparse field."""
    exact = replace(schema, field_type=FieldType.RANK_FEATURES, seismic=None)
    types = {
        index: sparse_mapping(body["mappings"], follow_stamps(exact, {index: body})).get("type")
        for index, body in response.items()
    }
    if not set(FieldType) <= set(types.values()):
        return dict.fromkeys(response, schema)
    approximate = replace(exact, field_type=FieldType.SPARSE_VECTOR, seismic=schema.seismic)
    return {index: approximate if found == FieldType.SPARSE_VECTOR else exact for index, found in types.items()}


def _state(name: str, members: Mapping[str, Any], binding: ModelBinding | None, schema: IndexSchema) -> IndexInfo:
    mappings = tuple(body["mappings"] for body in members.values())
    shards = [int(body["settings"]["index"].get("number_of_shards", 0)) for body in members.values()]
    return IndexInfo(
        schema=replace(follow_stamps(schema, members), metadata_types=MetadataTypes(mappings)),
        binding=binding,
        indices=tuple(members),
        shards=sum(shards) if all(shards) else 0,
        uuids=uuids_of(members),
        write_index=_write_index(name, members),
        mappings=mappings,
    )


def _write_index(name: str, members: Mapping[str, Any]) -> str | None:
    if any(body.get("data_stream") == name or "index_routing" in _alias(body, name) for body in members.values()):
        return name
    if len(members) == 1:
        return next(iter(members))
    return next((index for index, body in members.items() if _alias(body, name).get("is_write_index")), None)


def _alias(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    alias: Mapping[str, Any] = body.get("aliases", {}).get(name, {})
    return alias


def read_binding(index: str, body: Mapping[str, Any], schema: IndexSchema) -> ModelBinding | None:
    """Read the model binding of one index from its mapping; None without a stamp.

    Raises:
        IndexSchemaError: The sparse field is missing or of another type, or the stamp names another text field.
    """
    mappings = body["mappings"]
    schema = follow_stamps(schema, {index: body})
    bindings = read_bindings(mappings)
    binding = bindings.get(schema.sparse_field)
    found = sparse_mapping(mappings, schema).get("type")
    if found not in set(FieldType):
        known = f"It is stamped for {sorted(bindings)}. " if bindings else ""
        raise IndexSchemaError(
            f"Index {index!r} has no sparse field {schema.sparse_path!r} (found type {found!r}). {known}"
            "Name the field: schema=IndexSchema(sparse_field='...')."
        )
    if found != schema.field_type:
        raise IndexSchemaError(
            f"Field {schema.sparse_field!r} of index {index!r} is of type {found}, the schema says "
            f"{schema.field_type}. Give schema=IndexSchema(field_type={found!r})."
        )
    if binding is not None and binding.text_field != schema.text_field:
        raise IndexSchemaError(
            f"Index {index!r} holds its text in {binding.text_field!r}, the schema says {schema.text_field!r}. "
            f"Give schema=IndexSchema(text_field={binding.text_field!r})."
        )
    return binding

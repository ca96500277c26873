"""Metadata of an open index: models, concrete indices, shards."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from opensearch_neural_sparse.errors import IndexSchemaError, ModelMismatchError
from opensearch_neural_sparse.index.binding.model_binding import ModelBinding
from opensearch_neural_sparse.index.documents.document import SparseDocument, from_source
from opensearch_neural_sparse.index.metadata.field_names import maps_field
from opensearch_neural_sparse.index.schema import IndexSchema


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
        unbound: The concrete indices without a stamp.
        search_pipeline: Name of their default search pipeline; None where they have none, or not the same.
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
    unbound: tuple[str, ...] = ()
    search_pipeline: str | None = None

    def __repr__(self) -> str:
        model = None if self.binding is None else self.binding.model
        groups = f", groups={list(self.groups)}" if self.groups else ""
        unbound = f", unbound={list(self.unbound)}" if self.unbound else ""
        unchecked = "" if self.checked else ", checked=False"
        return (
            f"<IndexInfo: indices={list(self.indices)}, model={model!r}, shards={self.shards}, "
            f"write_index={self.write_index!r}{groups}{unbound}{unchecked}>"
        )

    @classmethod
    def unchecked(cls, name: str, schema: IndexSchema) -> IndexInfo:
        """Make the metadata of an index without the right to read it."""
        return cls(schema=schema, binding=None, indices=(), shards=0, uuids={}, write_index=name, checked=False)

    @property
    def has_several_models(self) -> bool:
        """Whether the name covers indices of several models."""
        return bool(self.groups) and self.binding is None

    @property
    def hidden_text(self) -> str | None:
        """The field of the texts, where the index carries a stamp and no mapping shows it to this login; else None."""
        name, stamped = self.schema.text_field, bool(self.binding or self.schema.bindings)
        shown = any(maps_field(mappings, name) for mappings in self.mappings)
        return name if stamped and self.mappings and not shown else None

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
    found = [(", ".join(group.indices), group.schema.field_type, group.schema.has_chunks) for group in groups]
    layouts = "; ".join(f"{kind} {'with' if chunks else 'without'} chunks in {where}" for where, kind, chunks in found)
    return IndexSchemaError(f"The indices behind name {name!r} are not of one layout: {layouts}. {remedy}")

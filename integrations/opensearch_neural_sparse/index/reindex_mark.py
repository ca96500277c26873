"""The index that takes an index's documents for another model: the same layout, the same metadata, another stamp."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from opensearch_neural_sparse.index.mapping import create_index_body, flat_settings
from opensearch_neural_sparse.index.model_binding import META_KEY, ModelBinding, write_bindings
from opensearch_neural_sparse.index.schema import IndexSchema

_UNFINISHED = "unfinished_copy"
_OF_THE_INDEX_ITSELF = (
    "index.uuid",
    "index.creation_date",
    "index.provided_name",
    "index.version.",
    "index.history.",
    "index.resize.",
    "index.blocks.",
    "index.verified_before_close",
    "index.routing.allocation.initial_recovery.",
)
"""Settings that the server makes, or that belong to a moment of the index rather than to what it is."""


@dataclass(frozen=True, kw_only=True)
class ReindexMark:
    """What an unfinished copy knows of where it comes from; it lies in `_meta` until the copy is whole.

    Attributes:
        source: The concrete index that is copied.
        source_uuid: What tells it from one of the same name made later.
        was_blocked: Whether writes to it were blocked before the copy began.
        alias: The alias that is moved to the copy, once that was found to hold every document; None until then.
    """

    source: str
    source_uuid: str
    was_blocked: bool
    alias: str | None = None


def copy_index_body(
    source: Mapping[str, Any], schema: IndexSchema, binding: ModelBinding, mark: ReindexMark
) -> dict[str, Any]:
    """Return the body of `PUT /<copy>`.

    Args:
        source: What `GET /<index>` tells of the source.
        schema: Names of the fields; those the source lacks are added.
        binding: The model of the copy.
        mark: What says that the copy is unfinished.
    """
    mappings = source["mappings"]
    standard = create_index_body(schema)["mappings"]["properties"]
    meta = with_mark(write_bindings({schema.sparse_field: binding}, mappings.get("_meta")), mark)
    settings = {
        name: value
        for name, value in flat_settings(source["settings"]).items()
        if not name.startswith(_OF_THE_INDEX_ITSELF)
    }
    return {
        "settings": settings,
        "mappings": {**mappings, "properties": standard | mappings.get("properties", {}), "_meta": meta},
    }


def read_mark(mappings: Mapping[str, Any]) -> ReindexMark | None:
    """Return what an index knows of the copy that it is; None where it is none, or a whole one."""
    mark = mappings.get("_meta", {}).get(META_KEY, {}).get(_UNFINISHED)
    return None if mark is None else ReindexMark(**mark)


def with_mark(meta: Mapping[str, Any], mark: ReindexMark) -> dict[str, Any]:
    """Return the `_meta` of a copy that is unfinished."""
    return {**meta, META_KEY: {**meta[META_KEY], _UNFINISHED: asdict(mark)}}


def without_mark(mappings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the `_meta` of a copy that is whole."""
    meta = dict(mappings.get("_meta", {}))
    return meta | {META_KEY: {name: value for name, value in meta[META_KEY].items() if name != _UNFINISHED}}


def is_moved(mark: ReindexMark, copy: Mapping[str, Any], source: Mapping[str, Any]) -> bool:
    """Tell whether the alias was moved, by what `GET /<index>` tells of both; nothing of a source that is gone."""
    return mark.alias is not None and mark.alias in copy["aliases"] and mark.alias not in source.get("aliases", {})


def shards_of(source: Mapping[str, Any]) -> int:
    """Return how many primary shards an index has, by what `GET /<index>` tells of it; 0 where that is not told."""
    return int(flat_settings(source["settings"]).get("index.number_of_shards", 0))


def is_blocked(source: Mapping[str, Any]) -> bool:
    """Tell whether writes to an index are blocked, by what `GET /<index>` tells of it."""
    return str(flat_settings(source["settings"]).get("index.blocks.write")).lower() == "true"

"""Request bodies that create indices and fields."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

from opensearch_neural_sparse.errors import IndexSchemaError
from opensearch_neural_sparse.index.analyzers import analyzer_for, language_fields
from opensearch_neural_sparse.index.binding.model_binding import ModelBinding, write_bindings
from opensearch_neural_sparse.index.documents.chunks import END, START
from opensearch_neural_sparse.index.metadata.field_types import NUMBERS
from opensearch_neural_sparse.index.metadata.instants import FORMAT, as_date_field
from opensearch_neural_sparse.index.schema import ID_FIELD, FieldType, IndexSchema, marker_field

DEFAULT_ANALYZER = "index.analysis.analyzer.default."
DEFAULT_PIPELINE = "index.default_pipeline"
LONGEST_KEYWORD = 8191
"""Maximum length of an indexed keyword in characters; at four bytes each it stays below Lucene's 32,766."""
LONGEST_COMPARED = LONGEST_KEYWORD - 1
"""Maximum length of metadata text compared as a whole, in characters; the normalizer cuts longer text."""
FIRST_CHARACTERS = "first_characters"
"""Normalizer of metadata text."""


def create_index_body(
    schema: IndexSchema,
    bindings: Mapping[str, ModelBinding] | None = None,
    settings: Mapping[str, Any] | None = None,
    *,
    languages: Collection[str] = (),
) -> dict[str, Any]:
    """Return the body of `PUT /<index>`.

    Args:
        schema: Names and types of the fields.
        bindings: Sparse field -> its model, for the stamp in `_meta`.
        settings: Index settings, nested or dotted, with or without `index.`. The number of shards is the server's
            default where it is not given.
        languages: ISO 639-1 codes of the model's languages, which choose the analyzer that the schema does not name.

    Raises:
        IndexSchemaError: Settings for dense vectors beside a `sparse_vector` field, or another default pipeline than
            the one that encodes the documents.
    """
    flat = flat_settings(settings or {})
    if (
        schema.text_analyzer is None
        and not schema.languages
        and not any(name.startswith(DEFAULT_ANALYZER) for name in flat)
    ):
        schema = replace(schema, text_analyzer=analyzer_for(languages))
    mappings: dict[str, Any] = {
        "dynamic_date_formats": [FORMAT],
        "dynamic_templates": _dynamic_templates(),
        "properties": _properties(schema),
    }
    if bindings:
        mappings["_meta"] = write_bindings(bindings)
    if schema.embedding_dimension is not None:
        flat.setdefault("index.knn", True)
    pipeline = _pipeline_of(bindings or {})
    if pipeline is not None and flat.setdefault(DEFAULT_PIPELINE, pipeline) != pipeline:
        raise IndexSchemaError(
            f"The setting {DEFAULT_PIPELINE} is {flat[DEFAULT_PIPELINE]!r}, and the documents of the index are "
            f"encoded by pipeline {pipeline!r}. Leave it out, or name it: ServerEncoding(pipeline='...')."
        )
    if schema.field_type is FieldType.SPARSE_VECTOR:
        if str(flat.get("index.knn", False)).lower() == "true":
            raise IndexSchemaError("The setting index.knn and a sparse_vector field exclude each other on the server.")
        flat["index.sparse"] = True  # without it the server takes documents and fails on them later
    return {"settings": _normalizer() | flat, "mappings": mappings}


def _pipeline_of(bindings: Mapping[str, ModelBinding]) -> str | None:
    """Return the name of the pipeline that encodes the documents of an index, or None where clients do."""
    return next((binding.server.pipeline for binding in bindings.values() if binding.server is not None), None)


def add_field_body(name: str) -> dict[str, Any]:
    """Return the mapping properties of an additional sparse field."""
    return {name: {"type": str(FieldType.RANK_FEATURES)}} | marker_body(marker_field(name))


def marker_body(name: str) -> dict[str, Any]:
    """Return the mapping properties of a field that names the model of a vector."""
    return {name: _keyword()}


def sparse_mapping(mappings: Mapping[str, Any], schema: IndexSchema) -> Mapping[str, Any]:
    """Return the mapping of an index's sparse field, or an empty one."""
    found: Mapping[str, Any] = mappings
    for name in schema.sparse_path.split("."):
        found = found.get("properties", {}).get(name, {})
    return found


def _properties(schema: IndexSchema) -> dict[str, Any]:
    text: dict[str, Any] = {"type": "text"} if schema.semantic is None else schema.semantic.to_mapping()
    if schema.text_analyzer is not None:
        text["analyzer"] = schema.text_analyzer
    subfields = {name: {"type": "text", "analyzer": by} for name, by in schema.text_subfields.items()}
    if fields := subfields | language_fields(schema.language_analyzers):
        text["fields"] = fields
    properties: dict[str, Any] = {
        ID_FIELD: {"type": "keyword"},
        schema.text_field: text,
        schema.model_field: _keyword(),
    }
    if schema.semantic is None:
        properties[schema.vector_field] = _chunks(schema) if schema.is_cut else _sparse(schema)
    if schema.server_chunking is not None:
        properties[schema.passage_field] = {"type": "text", "index": False}  # kept, not searched: the text is
    if schema.embedding_dimension is not None:
        properties[schema.embedding_field] = {
            "type": "knn_vector",
            "dimension": schema.embedding_dimension,
            "method": {"name": "hnsw", "engine": "lucene", "space_type": "cosinesimil"},
        }
    return properties | {name: _declared(mapping) for name, mapping in schema.metadata_fields.items()}


def _declared(mapping: Mapping[str, Any]) -> dict[str, Any]:
    """Return a user-supplied field mapping; numeric fields get `coerce: false` by default.

    A date field gets the subfield of instants, by which filters compare it.
    """
    if mapping.get("type") == "date":
        return {**mapping, "fields": as_date_field() | dict(mapping.get("fields", {}))}
    coerced = "coerce" not in mapping and mapping.get("type") in NUMBERS
    return {**mapping, "coerce": False} if coerced else dict(mapping)


def _dynamic_templates() -> list[dict[str, Any]]:
    """Return the dynamic templates of undeclared metadata: numbers as double, texts as keyword.

    A key whose first value is a date gets the subfield of instants as well, and takes other texts, too; other keys get
    it when a date is written to them.
    """
    number = {"type": "double", "coerce": False}
    text = {"type": "keyword", "normalizer": FIRST_CHARACTERS}
    dated = {**text, "fields": as_date_field()}
    mappings = {"long": number, "double": number, "date": dated, "string": text}
    return [{f"{kind}s": {"match_mapping_type": kind, "mapping": mapping}} for kind, mapping in mappings.items()]


def _normalizer() -> dict[str, Any]:
    """Return the settings of the normalizer, which cuts long text to its beginning."""
    return {
        f"index.analysis.char_filter.{FIRST_CHARACTERS}.type": "pattern_replace",
        f"index.analysis.char_filter.{FIRST_CHARACTERS}.pattern": f"(?s)^(.{{{LONGEST_COMPARED}}}).+",
        f"index.analysis.char_filter.{FIRST_CHARACTERS}.replacement": "$1…",
        f"index.analysis.normalizer.{FIRST_CHARACTERS}.type": "custom",
        f"index.analysis.normalizer.{FIRST_CHARACTERS}.char_filter": [FIRST_CHARACTERS],
    }


def _sparse(schema: IndexSchema) -> dict[str, Any]:
    mapping: dict[str, Any] = {"type": str(schema.field_type)}
    if schema.field_type is FieldType.SPARSE_VECTOR:
        mapping["method"] = {"name": "seismic", "parameters": schema.seismic.to_dict() if schema.seismic else {}}
    return mapping


def _chunks(schema: IndexSchema) -> dict[str, Any]:
    place: dict[str, Any] = {"type": "integer", "index": False, "doc_values": False}
    return {"type": "nested", "properties": {schema.weights_key: _sparse(schema), START: place, END: place}}


def _keyword() -> dict[str, Any]:
    return {"type": "keyword", "ignore_above": LONGEST_KEYWORD}


def flat_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Flatten settings to dotted names with the prefix `index.`."""
    return dict(_flatten(settings))


def _flatten(settings: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    rows: list[tuple[str, Any]] = []
    for name, value in settings.items():
        path = prefix + name
        rows += _flatten(value, f"{path}.") if isinstance(value, Mapping) else [(_with_index(path), value)]
    return rows


def _with_index(path: str) -> str:
    return path if path.startswith("index.") else f"index.{path}"


def index_template_body(patterns: Iterable[str], index: Mapping[str, Any], *, priority: int) -> dict[str, Any]:
    """Return the body of `PUT /_index_template/<name>`.

    Args:
        patterns: Names of the indices it is for, with `*`.
        index: The body that creates such an index, as `create_index_body` gives it.
        priority: Of several templates that match, the highest counts.

    Raises:
        TypeError: One string in place of several.
        ValueError: No pattern.
    """
    if isinstance(patterns, str):
        raise TypeError(f"Several patterns are taken, got the one string {patterns!r}; put it into a list.")
    if not (wanted := list(patterns)):
        raise ValueError("A template is for at least one pattern, such as 'articles-*'.")
    return {"index_patterns": wanted, "priority": priority, "template": dict(index)}

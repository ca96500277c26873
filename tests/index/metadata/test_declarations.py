"""What of a document's metadata is declared, and as what; no server."""

from __future__ import annotations

from typing import Any

import pytest

from opensearch_neural_sparse import IndexSchema, IndexSchemaError
from opensearch_neural_sparse.index.mapping import create_index_body
from opensearch_neural_sparse.index.metadata.field_types import MetadataTypes

NUMBER = {"type": "double", "coerce": False}
TEXT = {"type": "keyword", "normalizer": "first_characters"}
DAY = "2026-01-02"


def mappings(**properties: Any) -> dict[str, Any]:
    made: dict[str, Any] = create_index_body(IndexSchema())["mappings"]
    return {**made, "properties": made["properties"] | properties}


def body(metadata: dict[str, Any], *read: dict[str, Any]) -> dict[str, Any]:
    """Return the properties that are declared for a document."""
    types = MetadataTypes(read or (mappings(),))
    types.check(metadata, "1")
    declared: dict[str, Any] = types.declarations.body(types.declarations.pending)["properties"]
    return declared


def test_a_field_is_declared_as_the_dynamic_templates_map_it() -> None:
    found = body({"a": 1, "b": 0.5, "c": "x", "d": True, "e": [None, DAY], "f": {"g": 1}, "h.i": "x", "j": None})
    assert found.pop("e")["fields"]["as_date"]["type"] == "date"
    inner = {"f": {"properties": {"g": NUMBER}}, "h": {"properties": {"i": TEXT}}}
    assert found == {"a": NUMBER, "b": NUMBER, "c": TEXT, "d": {"type": "boolean"}} | inner


@pytest.mark.parametrize("values", [["x", DAY], [DAY, "x"]])
def test_a_list_with_a_date_is_declared_with_instants(values: list[str]) -> None:
    assert "as_date" in body({"a": values})["a"]["fields"]


def test_a_text_field_is_declared_once_more_for_its_first_date() -> None:
    types = MetadataTypes([mappings(a=TEXT)])
    types.check({"a": "x"}, "1")
    assert not types.declarations.is_due
    types.check({"a": DAY}, "2")
    (field,) = types.declarations.pending.values()
    types.declarations.finish({"a": field})
    types.check({"a": DAY}, "3")
    assert not types.declarations.is_due


@pytest.mark.parametrize(
    "properties",
    [
        {"a": {"dynamic": "false", "properties": {}}},
        {"a": {"dynamic": "strict", "properties": {"c": {"properties": {}}}}},
        {"a": {"type": "flat_object"}},
        {"a": {"type": "object", "enabled": False}},
        {"a": TEXT},
    ],
    ids=["not dynamic", "strict", "flat object", "not enabled", "no object"],
)
def test_below_other_fields_the_server_decides(properties: dict[str, Any]) -> None:
    assert body({"a": {"b": 1, "c": {"d": "x"}}}, mappings(**properties)) == {}


@pytest.mark.parametrize(
    "changes",
    [{"dynamic": "strict"}, {"dynamic": False}, {"dynamic_templates": []}, {"numeric_detection": True}],
    ids=["strict", "not dynamic", "no templates", "numeric detection"],
)
def test_of_another_index_the_server_decides(changes: dict[str, Any]) -> None:
    assert body({"a": 1, "b": DAY}, {**mappings(), **changes}) == {}


def test_of_two_indices_one_may_lack_a_field() -> None:
    assert body({"a": 1, "b": 2}, mappings(a=NUMBER, b=NUMBER), mappings(b=NUMBER)) == {"a": NUMBER}


def test_a_value_and_a_map_under_one_key_declare_the_first() -> None:
    types = MetadataTypes([mappings()])
    types.check({"a": 1, "b": {"c": 1}}, "1")
    types.check({"a": {"b": 1}, "b": 1}, "2")
    declared = types.declarations.body(types.declarations.pending)["properties"]
    assert declared == {"a": NUMBER, "b": {"properties": {"c": NUMBER}}}


def test_what_another_writer_declared_counts_after_a_reading() -> None:
    types = MetadataTypes([mappings()])
    types.check({"a": 1, "b": 1, "c": DAY}, "1")
    types.read_again([mappings(a=TEXT, c=TEXT)])
    assert types.conflicts == 1
    assert sorted(types.declarations.pending) == ["b", "c"], "c still lacks its instants"
    with pytest.raises(IndexSchemaError, match="'a' is a number, but the field holds values of the kind text"):
        types.check({"a": 1}, "1")


def test_what_one_of_two_indices_maps_otherwise_is_not_declared_again() -> None:
    types = MetadataTypes([mappings(), mappings()])
    types.check({"a": 1, "b": 1}, "1")
    types.read_again([mappings(), mappings(a=TEXT)])
    assert types.declarations.pending == {"b": NUMBER}


def test_a_document_that_is_refused_declares_nothing() -> None:
    types = MetadataTypes([mappings(b=TEXT)])
    with pytest.raises(IndexSchemaError):
        types.check({"a": 1, "b": 1}, "1")
    assert not types.declarations.is_due

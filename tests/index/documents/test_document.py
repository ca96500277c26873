from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensearch_neural_sparse import (
    IndexSchema,
    IndexSchemaError,
    InvalidVectorError,
    RequestOptions,
    SparseDocument,
    WriteOptions,
)
from opensearch_neural_sparse.index.documents.document import from_source, to_source

SCHEMA = IndexSchema()
KEYS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8).filter(
    lambda key: all(part.strip() for part in key.split("."))
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)
RESERVED = st.sampled_from(sorted(SCHEMA.reserved_names))


@given(st.dictionaries(KEYS | RESERVED, VALUES, max_size=6))
def test_metadata_comes_back_as_it_was(metadata: dict[str, Any]) -> None:
    document = SparseDocument(id="1", text="a text", metadata=metadata, vector={"a": 1.0}, model="m@1")
    source = to_source(document, SCHEMA)
    assert from_source("1", source, SCHEMA) == document
    assert source["id"] == "1"
    assert source["content"] == "a text"
    assert source["sparse_vector"] == {"a": 1.0}
    assert source["sparse_vector_model"] == "m@1"


@given(st.dictionaries(st.sampled_from(sorted(SCHEMA.extra_names)), VALUES), st.none() | st.text(min_size=1))
def test_extra_fields_and_routing_come_back_beside_metadata(extra: dict[str, Any], routing: str | None) -> None:
    document = SparseDocument(id="1", metadata={"blob": 1, "lang": "en"}, extra_fields=extra, routing=routing)
    source = to_source(document, SCHEMA)
    assert source == {"id": "1", "lang": "en", "meta": {"blob": 1}, **extra}
    assert from_source("1", source, SCHEMA, routing=routing) == document


@pytest.mark.parametrize("name", ["id", "meta", "content", "sparse_vector", "sparse_vector_model", "embedding", "lang"])
def test_extra_field_that_has_a_place_of_its_own_is_an_error(name: str) -> None:
    document = SparseDocument(id="doc-7", extra_fields={"blob": 1, name: 1})
    with pytest.raises(IndexSchemaError, match=f"'doc-7': extra_fields has '{name}'; this index takes blob, "):
        to_source(document, SCHEMA)


def test_a_field_of_another_name_leaves_its_usual_name_free() -> None:
    schema = IndexSchema(text_field="body")
    document = SparseDocument(id="1", text="a text", extra_fields={"content": "c"})
    source = to_source(document, schema)
    assert source == {"id": "1", "body": "a text", "content": "c"}
    assert from_source("1", source, schema) == document


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ({"extra_fields": ["blob"]}, "extra_fields is a mapping, got list"),
        ({"metadata": None}, "metadata is a mapping, got NoneType"),
        ({"routing": 7}, "routing is a text, got int"),
    ],
)
def test_part_of_another_type_is_an_error(parts: dict[str, Any], reason: str) -> None:
    with pytest.raises(IndexSchemaError, match=f"'doc-7': {reason}"):
        SparseDocument(id="doc-7", **parts)


def test_mapping_may_have_every_attribute_of_a_document() -> None:
    values = {"id": "1", "routing": "r", "extra_fields": {"blob": {}}, "text": "a text"}
    assert SparseDocument.of(values) == SparseDocument(**values)


def test_metadata_is_flattened_and_colliding_keys_lie_under_meta() -> None:
    metadata = {"year": 2026, "content": "c", "meta": {"x": 1}, "_id": "i", "sparse_vector.a": 2}
    source = to_source(SparseDocument(id="1", metadata=metadata), SCHEMA)
    assert source == {
        "id": "1",
        "year": 2026,
        "meta": {"content": "c", "meta": {"x": 1}, "_id": "i", "sparse_vector.a": 2},
    }


@pytest.mark.parametrize("key", ["", " ", ".", "..", "a.", ".a", "a..b", "a. .b", "\t", "\u00a0"])
@pytest.mark.parametrize("wrap", [lambda key: {key: 1}, lambda key: {"a": {key: 1}}, lambda key: {"a": [{key: 1}]}])
def test_impossible_key_is_an_error_that_names_key_and_document(key: str, wrap: Any) -> None:
    with pytest.raises(IndexSchemaError) as error:
        SparseDocument(id="doc-7", metadata=wrap(key))
    assert "'doc-7'" in str(error.value)
    assert repr(key) in str(error.value)


@pytest.mark.parametrize("metadata", [{1: "x"}, {"a": {None: 1}}, {("a", "b"): 1}])
def test_key_that_is_no_string_is_an_error(metadata: Any) -> None:
    with pytest.raises(IndexSchemaError, match=r"'doc-7'.*keys are strings"):
        SparseDocument(id="doc-7", metadata=metadata)


@pytest.mark.parametrize("value", [{1, 2}, b"x", object(), float("nan"), float("inf"), [1, {"a": float("nan")}]])
def test_value_that_is_not_json_is_an_error_that_names_the_key(value: Any) -> None:
    document = SparseDocument(id="doc-7", metadata={"key": value})
    with pytest.raises(IndexSchemaError, match=r"'doc-7'.*'key'"):
        to_source(document, SCHEMA)


@pytest.mark.parametrize("good", ["a", "x" * 512, "é" * 256, "a b/c?d", "."])
def test_id_of_up_to_512_bytes_is_taken(good: str) -> None:
    assert SparseDocument(id=good).id == good


@pytest.mark.parametrize("bad", ["", "x" * 513, "é" * 257, "\ud800", 7, b"x"])
def test_other_id_is_an_error(bad: Any) -> None:
    with pytest.raises(IndexSchemaError, match="ocument id"):
        SparseDocument(id=bad)


def test_empty_vector_is_left_out() -> None:
    source = to_source(SparseDocument(id="1", text="", vector={}, model="m@1"), SCHEMA)
    assert source == {"id": "1", "content": "", "sparse_vector_model": "m@1"}


@pytest.mark.parametrize("weight", [float("nan"), float("inf"), 0, -1.0, "x", None, True])
def test_weight_that_the_server_would_refuse_or_drop_is_an_error(weight: Any) -> None:
    with pytest.raises(InvalidVectorError, match="'token'"):
        to_source(SparseDocument(id="1", vector={"token": weight}), SCHEMA)


@pytest.mark.parametrize(
    ("embedding", "reason"), [([1.0, 2.0], "2 dimensions, not 3"), ([1, 2, float("nan")], "finite")]
)
def test_embedding_that_does_not_fit_is_an_error(embedding: list[float], reason: str) -> None:
    with pytest.raises(IndexSchemaError, match=reason):
        to_source(SparseDocument(id="1", embedding=embedding), IndexSchema(embedding_dimension=3))


def test_document_is_made_of_a_text_a_mapping_or_itself() -> None:
    document = SparseDocument(text="a")
    assert SparseDocument.of("a") == SparseDocument.of({"text": "a"}) == SparseDocument.of(document) == document
    with pytest.raises(IndexSchemaError, match=r"'title'.*'metadata'"):
        SparseDocument.of({"id": "1", "title": "a"})
    with pytest.raises(IndexSchemaError, match="got int"):
        SparseDocument.of(7)  # type: ignore[arg-type]


def test_document_without_an_id_gets_a_random_one() -> None:
    first, second = SparseDocument(text="a").with_id(), SparseDocument(text="a").with_id()
    assert first.id != second.id
    assert SparseDocument(id="x").with_id().id == "x"


def test_what_others_wrote_is_read_as_it_is() -> None:
    source = {"a.": 1, " ": 2, "sparse_vector": [{"x": "1.5", "y": None}, {"z": 2}], "embedding": None, "blob": None}
    document = from_source("7", source, SCHEMA)
    assert document.metadata == {"a.": 1, " ": 2}
    assert document.vector == {"x": 1.5, "z": 2.0}
    assert (document.id, document.text, document.embedding, document.model) == ("7", None, None, None)
    assert from_source("8", {}, SCHEMA) == SparseDocument(id="8")


def test_repr_holds_no_text_metadata_or_vector() -> None:
    document = SparseDocument(id="1", text="SECRET", metadata={"k": "SECRET"}, vector={"SECRET": 1.0}, embedding=[0.77])
    assert "SECRET" not in repr(document)
    assert "0.77" not in repr(document)


@pytest.mark.parametrize("make", [lambda: WriteOptions(routing=""), lambda: RequestOptions(routing="")])
def test_an_empty_routing_which_writes_and_reads_take_for_different_shards_is_refused(make: Any) -> None:
    with pytest.raises(ValueError, match=r"routing is a text of one character or more.*None leaves"):
        make()
    with pytest.raises(IndexSchemaError, match=r"Document 'a': routing is a text of one character"):
        SparseDocument(id="a", text="river", routing="")


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ({"content": "x"}, "^A document has the key 'content'; .* The text is under 'text', not 'content'. Put"),
        ({"id": "3", "page_content": "x"}, "^Document '3' has the key .* The text is under 'text', not 'page_content'"),
        ({"text": "x", "body": "y", "title": "z"}, r"keys 'body', 'title'; known are [\w, ]*vector\. Put data"),
    ],
)
def test_keys_of_other_libraries_are_refused_with_their_names_here(document: dict[str, Any], problem: str) -> None:
    with pytest.raises(IndexSchemaError, match=problem):
        SparseDocument.of(document)

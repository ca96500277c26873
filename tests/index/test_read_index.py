"""What is read of the response of `GET /<index>`."""

from dataclasses import replace
from typing import Any

import pytest

from opensearch_neural_sparse import HiddenFieldError, IndexNotBoundError, IndexSchema, IndexSchemaError, ModelBinding
from opensearch_neural_sparse.index.binding.model_binding import write_bindings
from opensearch_neural_sparse.index.read_index import read_index
from tests.index.binding.test_model_binding import BINDING

OTHER = replace(BINDING, model="org/other", query_sha256="r" * 64)
SCHEMA = IndexSchema()


def index_of(
    uuid: str, *, aliases: Any = None, kind: str = "rank_features", **bindings: ModelBinding
) -> dict[str, Any]:
    properties = {"sparse_vector": {"type": kind}, "sparse_vector_model": {"type": "keyword"}}
    return {
        "aliases": aliases or {},
        "mappings": {"_meta": write_bindings(bindings), "properties": properties},
        "settings": {"index": {"uuid": uuid, "number_of_shards": "2"}},
    }


def test_each_stamp_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    response = {"a": index_of("1", sparse_vector=BINDING, title=OTHER), "b": index_of("2", sparse_vector=OTHER)}
    read: list[str] = []
    from_meta = ModelBinding.from_meta

    def counted(stamp: dict[str, Any]) -> ModelBinding:
        read.append(stamp["model"])
        return from_meta(stamp)

    monkeypatch.setattr(ModelBinding, "from_meta", counted)
    info = read_index("a,b", response, SCHEMA)
    assert read == [BINDING.model, OTHER.model, OTHER.model]
    assert [group.indices for group in info.groups] == [("a",), ("b",)]


def test_the_main_field_is_the_first_of_the_sparse_fields_and_has_the_model_of_its_indices() -> None:
    both = index_of("1", title=OTHER, sparse_vector=BINDING)
    info = read_index("a", {"a": both}, SCHEMA)
    fields = info.schema.sparse_fields
    assert [(field.name, field.model_field, field.binding, field.is_main) for field in fields.values()] == [
        ("sparse_vector", "sparse_vector_model", BINDING, True),
        ("title", "title_model", OTHER, False),
    ]
    assert info.binding == BINDING
    assert info.schema == SCHEMA
    several = read_index("a,b", {"a": both, "b": index_of("2", sparse_vector=OTHER)}, SCHEMA)
    assert several.schema.sparse_fields["sparse_vector"].binding is several.binding is None
    assert [group.schema.sparse_fields["sparse_vector"].binding for group in several.groups] == [BINDING, OTHER]
    assert [[*group.schema.additional_fields] for group in several.groups] == [["title"], []]


def test_indices_are_grouped_by_type_and_searched_by_one_model_that_is_named() -> None:
    response = {"a": index_of("1", kind="sparse_vector"), "b": index_of("2", sparse_vector=BINDING)}
    info = read_index("a,b", response, SCHEMA)
    assert info.unbound == ("a",)
    assert (info.shards, info.binding, info.write_index) == (4, BINDING, None)
    assert [(group.indices, str(group.schema.field_type), group.binding) for group in info.groups] == [
        (("a",), "sparse_vector", BINDING),
        (("b",), "rank_features", BINDING),
    ]
    with pytest.raises(IndexNotBoundError, match="Index 'a' carries no model"):
        read_index("a,b,c", {**response, "c": index_of("3", sparse_vector=OTHER)}, SCHEMA)


@pytest.mark.parametrize(
    ("aliases", "data_stream", "target"),
    [
        ([{"x": {}}, {"x": {"is_write_index": True}}], None, "b"),
        ([{"x": {}}, {"x": {"index_routing": "1"}}], None, "x"),
        ([{}, {}], "x", "x"),
        ([{}, {}], "y", None),
    ],
    ids=["write-index", "routed", "data-stream", "another-data-stream"],
)
def test_writes_go_where_the_name_sends_them(aliases: list[Any], data_stream: str | None, target: str | None) -> None:
    response = {
        name: index_of(name, aliases=own, sparse_vector=BINDING) for name, own in zip("ab", aliases, strict=True)
    }
    if data_stream is not None:
        response["b"]["data_stream"] = data_stream
    assert read_index("x", response, SCHEMA).write_index == target


def test_errors_name_the_index_and_what_it_is_stamped_for() -> None:
    lacking = index_of("1", title=OTHER)
    del lacking["mappings"]["properties"]["sparse_vector"]
    with pytest.raises(IndexSchemaError, match=r"'a' has no sparse field 'sparse_vector'.*stamped for \['title'\]"):
        read_index("a", {"a": lacking}, SCHEMA)
    with pytest.raises(IndexSchemaError, match="is of type sparse_vector, the schema says rank_features"):
        read_index("a", {"a": index_of("1", kind="sparse_vector")}, SCHEMA)
    with pytest.raises(IndexSchemaError, match="holds its text in 'content', the schema says 'text'"):
        read_index("a", {"a": index_of("1", sparse_vector=BINDING)}, IndexSchema(text_field="text"))


def test_the_names_of_additional_fields_are_reserved() -> None:
    schema = read_index("a", {"a": index_of("1", sparse_vector=BINDING, title=OTHER)}, SCHEMA).schema
    assert {"title", "title_model"} <= schema.reserved_names - SCHEMA.reserved_names
    assert schema.searched_vectors == ("sparse_vector", "title")


@pytest.mark.parametrize("field", ["sparse_vector", "sparse_vector_model"])
def test_a_stamped_index_that_does_not_show_its_vectors_or_their_marker_is_refused_by_name(field: str) -> None:
    body = index_of("1", sparse_vector=BINDING)
    del body["mappings"]["properties"][field]
    with pytest.raises(
        HiddenFieldError, match=f"Index 'a' shows this login no field '{field}'.*security hides it"
    ) as caught:
        read_index("a", {"a": body}, SCHEMA)
    assert (caught.value.index, caught.value.field) == ("a", field)


def test_an_index_without_a_stamp_needs_no_marker() -> None:
    body = index_of("1")
    del body["mappings"]["properties"]["sparse_vector_model"]
    assert read_index("a", {"a": body}, SCHEMA).unbound == ("a",)


def test_the_text_is_hidden_where_a_stamped_index_does_not_map_it() -> None:
    body, plain = index_of("1", sparse_vector=BINDING), index_of("2")
    assert read_index("a", {"a": body}, SCHEMA).hidden_text == "content"
    assert read_index("a", {"a": plain}, SCHEMA).hidden_text is None
    body["mappings"]["properties"]["content"] = {"type": "text"}
    assert read_index("a", {"a": body}, SCHEMA).hidden_text is None


def test_representation_names_indices_models_and_shards_and_no_hashes() -> None:
    one = read_index("a", {"a": index_of("1", sparse_vector=BINDING)}, SCHEMA)
    assert repr(one) == f"<IndexInfo: indices=['a'], model={BINDING.model!r}, shards=2, write_index='a'>"
    response = {"a": index_of("1", sparse_vector=BINDING), "b": index_of("2", sparse_vector=OTHER)}
    shown = repr(read_index("a,b", response, SCHEMA))
    assert BINDING.model in shown
    assert OTHER.model in shown
    assert BINDING.query_sha256 not in shown

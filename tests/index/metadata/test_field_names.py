import pytest

from opensearch_neural_sparse.index.metadata.field_names import field_names, maps_field

MAPPINGS = {
    "derived": {"worked_out": {"type": "long"}},
    "properties": {
        "lang": {"type": "keyword"},
        "place": {"properties": {"city": {"type": "keyword", "fields": {"text": {"type": "text"}}}}},
        "any": {"type": "flat_object"},
        "sparse_vector": {"type": "rank_features"},
        "parts": {"type": "nested", "properties": {"number": {"type": "long"}}},
    },
}


@pytest.mark.parametrize("path", ["lang", "place", "place.city", "place.city.text", "parts.number", "worked_out"])
def test_a_field_is_mapped_by_its_full_name(path: str) -> None:
    assert maps_field(MAPPINGS, path)


@pytest.mark.parametrize("path", ["any.thing.else", "sparse_vector.mars", "_id", "_index", "pla*"])
def test_what_a_mapping_does_not_list_may_be_there(path: str) -> None:
    assert maps_field(MAPPINGS, path)


@pytest.mark.parametrize("path", ["Lang", "city", "place.town", "lang.en", "parts.number.more", "meta.lang"])
def test_any_other_is_not(path: str) -> None:
    assert not maps_field(MAPPINGS, path)
    assert not maps_field({}, path)


def test_names_are_full_names() -> None:
    names = list(field_names(MAPPINGS["properties"]))
    assert names == ["lang", "place", "place.city", "place.city.text", "any", "sparse_vector", "parts", "parts.number"]

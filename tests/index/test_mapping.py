from typing import Any

import pytest

from opensearch_neural_sparse import FieldType, IndexSchema, IndexSchemaError, SeismicParameters
from opensearch_neural_sparse.index.mapping import create_index_body
from opensearch_neural_sparse.index.metadata.instants import FORMAT


def settings_of(body: dict[str, Any]) -> dict[str, Any]:
    """Return the settings but for the normalizer, which every index has."""
    return {name: value for name, value in body["settings"].items() if not name.startswith("index.analysis.")}


def test_default_layout() -> None:
    body = create_index_body(IndexSchema())
    assert settings_of(body) == {}
    assert "_meta" not in body["mappings"]
    assert body["mappings"]["dynamic_date_formats"] == [FORMAT]
    assert body["mappings"]["properties"] == {
        "id": {"type": "keyword"},
        "content": {"type": "text"},
        "sparse_vector": {"type": "rank_features"},
        "sparse_vector_model": {"type": "keyword", "ignore_above": 8191},
    }


@pytest.mark.parametrize(
    ("schema", "settings", "analyzer"),
    [
        (IndexSchema(), {}, "english"),
        (IndexSchema(text_analyzer="standard"), {}, "standard"),
        (IndexSchema(), {"analysis": {"analyzer": {"own": {"type": "german"}}}}, "english"),
        (IndexSchema(), {"analysis": {"analyzer": {"default": {"type": "german"}}}}, None),
        (IndexSchema(), {"index.analysis.analyzer.default.type": "german"}, None),
        (IndexSchema(text_analyzer="own"), {"analysis": {"analyzer": {"default": {"type": "german"}}}}, "own"),
    ],
)
def test_text_is_analysed_by_the_models_language_unless_another_is_named(
    schema: IndexSchema, settings: dict[str, Any], analyzer: str | None
) -> None:
    body = create_index_body(schema, settings=settings, languages=("en",))
    assert body["mappings"]["properties"]["content"].get("analyzer") == analyzer


@pytest.mark.parametrize(
    "settings",
    [
        {"number_of_shards": 2, "knn": False},
        {"index": {"number_of_shards": 2, "knn": False}},
        {"index.number_of_shards": 2, "index": {"knn": False}},
    ],
)
def test_settings_may_be_nested_or_dotted_and_win(settings: dict[str, Any]) -> None:
    body = create_index_body(IndexSchema(embedding_dimension=3), settings=settings)
    assert settings_of(body) == {"index.number_of_shards": 2, "index.knn": False}


def test_dense_field_is_there_only_with_its_dimension() -> None:
    body = create_index_body(IndexSchema(embedding_dimension=3))
    assert settings_of(body) == {"index.knn": True}
    assert body["mappings"]["properties"]["embedding"]["method"]["engine"] == "lucene"


def test_server_takes_every_part_of_the_layout(client: Any, index_name: str) -> None:
    schema = IndexSchema(embedding_dimension=3, text_analyzer="english", metadata_fields={"year": {"type": "integer"}})
    client.indices.create(index=index_name, body=create_index_body(schema, settings={"number_of_shards": 1}))
    document = {
        "content": "Some words",
        "sparse_vector": {"hello": 1.5, ".": 0.3},
        "embedding": [0.1, 0.2, 0.3],
        "year": 2026,
        "published": "2026-01-01",
        "long": "ä" * 40_000,
        "meta": {"content": "text", "_id": "x", "_routing": "y", "_doc_count": "z"},
    }
    client.index(index=index_name, id="1", body=document, refresh=True)
    client.index(index=index_name, id="2", body={"published": "soon"}, refresh=True)
    properties = client.indices.get_mapping(index=index_name)[index_name]["mappings"]["properties"]
    assert properties["published"]["type"] == "keyword"
    assert properties["year"] == {"type": "integer", "coerce": False}
    assert client.get(index=index_name, id="1")["_source"] == document


def test_sparse_vector_field_brings_its_setting_and_excludes_dense_ones() -> None:
    schema = IndexSchema(field_type=FieldType.SPARSE_VECTOR, seismic=SeismicParameters(n_postings=300))
    body = create_index_body(schema, settings={"number_of_shards": 2})
    assert settings_of(body) == {"index.number_of_shards": 2, "index.sparse": True}
    method = {"name": "seismic", "parameters": {"n_postings": 300}}
    assert body["mappings"]["properties"]["sparse_vector"] == {"type": "sparse_vector", "method": method}
    with pytest.raises(IndexSchemaError, match=r"index\.knn"):
        create_index_body(schema, settings={"index": {"knn": True}})

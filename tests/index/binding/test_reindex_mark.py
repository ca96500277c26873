"""The index that a reindexing makes."""

from __future__ import annotations

from dataclasses import replace

from opensearch_neural_sparse import IndexSchema
from opensearch_neural_sparse.index.binding.model_binding import read_bindings, write_bindings
from opensearch_neural_sparse.index.binding.reindex_mark import (
    ReindexMark,
    copy_index_body,
    is_blocked,
    read_mark,
    without_mark,
)
from tests.index.binding.test_model_binding import BINDING

MARK = ReindexMark(source="old", source_uuid="u", was_blocked=False)
SOURCE = {
    "mappings": {
        "dynamic_templates": [{"strings": {}}],
        "_meta": {"owner": "us"} | write_bindings({"sparse_vector": BINDING, "another": BINDING}),
        "properties": {"year": {"type": "short"}, "content": {"type": "text", "analyzer": "own"}},
    },
    "settings": {
        "index": {
            "uuid": "u",
            "creation_date": "1",
            "provided_name": "old",
            "version": {"created": "1"},
            "blocks": {"write": "true"},
            "number_of_shards": "3",
            "analysis": {"analyzer": {"own": {"type": "english"}}},
            "routing": {"allocation": {"initial_recovery": {"_id": "x"}, "include": {"tier": "hot"}}},
        }
    },
}
OTHER = replace(BINDING, model="org/doc-v10")


def test_types_analysis_and_shards_go_over_and_what_belongs_to_the_source_does_not() -> None:
    body = copy_index_body(SOURCE, IndexSchema(), OTHER, MARK)
    assert body["settings"] == {
        "index.number_of_shards": "3",
        "index.analysis.analyzer.own.type": "english",
        "index.routing.allocation.include.tier": "hot",
    }
    properties = body["mappings"]["properties"]
    assert properties["year"] == {"type": "short"}
    assert properties["content"] == {"type": "text", "analyzer": "own"}
    assert properties["sparse_vector_model"]["type"] == "keyword"
    assert body["mappings"]["dynamic_templates"] == [{"strings": {}}]


def test_stamp_is_the_new_model_s_and_other_keys_stay() -> None:
    mappings = copy_index_body(SOURCE, IndexSchema(), OTHER, MARK)["mappings"]
    assert read_bindings(mappings) == {"sparse_vector": OTHER, "another": BINDING}
    assert mappings["_meta"]["owner"] == "us"
    assert read_bindings(SOURCE["mappings"])["sparse_vector"] == BINDING


def test_mark_stays_until_the_copy_is_whole() -> None:
    mappings = copy_index_body(SOURCE, IndexSchema(), OTHER, MARK)["mappings"]
    assert read_mark(mappings) == MARK
    whole = {"_meta": without_mark(mappings)}
    assert read_mark(whole) is None
    assert read_bindings(whole) == read_bindings(mappings)
    assert whole["_meta"]["owner"] == "us"


def test_write_block_is_seen() -> None:
    assert is_blocked(SOURCE)
    assert not is_blocked({"settings": {"index": {"number_of_shards": "1"}}})

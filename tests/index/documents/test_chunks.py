from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensearch_neural_sparse import (
    ChunkOptions,
    DocumentChunk,
    FieldType,
    IndexSchema,
    IndexSchemaError,
    SparseDocument,
)
from opensearch_neural_sparse.encode.sparse_vector import SparseVector
from opensearch_neural_sparse.index.documents.document import from_source, to_source
from opensearch_neural_sparse.index.mapping import create_index_body, sparse_mapping

SCHEMA = IndexSchema(chunking=ChunkOptions())
TEXT = "one two three four"
PLACES = st.tuples(st.integers(0, len(TEXT)), st.integers(0, len(TEXT))).map(sorted)
VECTORS = st.dictionaries(st.sampled_from("abcdef"), st.sampled_from([0.5, 1.0, 2.0]), min_size=1).map(SparseVector)
CHUNKS = st.builds(lambda place, vector: DocumentChunk(start=place[0], end=place[1], vector=vector), PLACES, VECTORS)


@given(st.lists(CHUNKS, min_size=1, max_size=5).map(tuple))
def test_chunks_come_back_as_they_were(chunks: tuple[DocumentChunk, ...]) -> None:
    document = SparseDocument(id="1", text=TEXT, chunks=chunks, metadata={"chunks": "own"}, model="m@1")
    source = to_source(document, SCHEMA)
    assert from_source("1", source, SCHEMA) == document
    assert source["meta"] == {"chunks": "own"}
    assert "sparse_vector" not in source


def test_chunks_are_nested_objects_with_a_vector_and_a_place() -> None:
    mappings = create_index_body(SCHEMA)["mappings"]
    assert mappings["properties"]["chunks"]["type"] == "nested"
    assert "sparse_vector" not in mappings["properties"]
    assert sparse_mapping(mappings, SCHEMA) == {"type": "rank_features"}
    assert sparse_mapping(mappings, IndexSchema()) == {}


def test_chunks_without_weights_are_left_out() -> None:
    empty = DocumentChunk(start=0, end=3, vector={})
    assert to_source(SparseDocument(id="1", text=TEXT, chunks=[empty]), SCHEMA) == {"id": "1", "content": TEXT}
    assert to_source(SparseDocument(id="1", text=TEXT), SCHEMA) == {"id": "1", "content": TEXT}


def test_an_index_without_chunks_has_room_for_metadata_of_that_name() -> None:
    source = to_source(SparseDocument(id="1", metadata={"chunks": 3}), IndexSchema())
    assert source == {"id": "1", "chunks": 3}


def test_approximate_fields_hold_no_chunks() -> None:
    with pytest.raises(IndexSchemaError, match="cannot hold chunks"):
        IndexSchema(chunking=ChunkOptions(), field_type=FieldType.SPARSE_VECTOR)


@pytest.mark.parametrize("chunk", [{"start": 0}, "text", {"start": 0, "end": 1, "vector": {}, "id": "x"}])
def test_what_is_no_chunk_is_refused(chunk: object) -> None:
    with pytest.raises(IndexSchemaError, match="A chunk is"):
        DocumentChunk.of(chunk)  # type: ignore[arg-type]

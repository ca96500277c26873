"""Dead letters that hold their documents: what is written is what is read."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensearch_neural_sparse import DeadLetter, FieldVector, JournalError, RefusedRow, SparseDocument, SparseVector
from opensearch_neural_sparse.index.documents.chunks import DocumentChunk
from opensearch_neural_sparse.index.documents.document import to_source
from opensearch_neural_sparse.index.schema import IndexSchema
from opensearch_neural_sparse.ingestion.dead_letters import DeadLetterFile, read_dead_letters, row_of
from opensearch_neural_sparse.ingestion.kept_rows import row_of_document
from opensearch_neural_sparse.ingestion.source_rows import SourceRow

words = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=8)
keys = st.from_regex(r"[a-z]{1,6}", fullmatch=True)
numbers = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53)
weights = st.floats(0.0001, 100)
plain_vectors = st.dictionaries(words, weights, max_size=4)
vectors = plain_vectors | plain_vectors.map(SparseVector)
json_values = st.recursive(
    st.none() | st.booleans() | numbers | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=5,
)
chunks = st.builds(DocumentChunk, start=st.just(0), end=st.integers(0, 1), vector=vectors)
documents = st.builds(
    SparseDocument,
    id=words,
    text=st.none() | st.text(min_size=1, max_size=20),
    metadata=st.dictionaries(keys, json_values, max_size=4),
    vector=st.none() | vectors,
    chunks=st.none() | st.lists(chunks, max_size=3).map(tuple),
    more_vectors=st.dictionaries(keys, st.builds(FieldVector, vector=vectors, model=st.none() | words), max_size=2),
    embedding=st.none() | st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1, max_size=4),
    model=st.none() | words,
    routing=st.none() | words,
    extra_fields=st.dictionaries(keys, json_values, max_size=2),
)


def through_a_file(document: SparseDocument) -> SparseDocument:
    """Write a document to a file of dead letters and read it."""
    with TemporaryDirectory() as folder:
        file = DeadLetterFile(Path(folder, "failed.jsonl"))
        letter = DeadLetter(id=document.id, place="a:1", stage="write", reason="?", row=row_of_document(document))
        file.write(letter)
        file.close()
        (read,) = read_dead_letters(file.path)
    assert replace(read, row=None) == replace(letter, row=None)
    row = row_of(read)
    assert isinstance(row, SourceRow), row
    return row.document


@given(documents)
def test_document_is_read_as_it_was_written(document: SparseDocument) -> None:
    assert through_a_file(document) == document


def test_values_that_are_stored_as_texts_and_numbers_make_the_same_source() -> None:
    schema = IndexSchema(embedding_dimension=2)
    document = SparseDocument(
        id="1",
        text="A stone.",
        metadata={
            "day": date(2024, 2, 29),
            "instant": datetime(2024, 2, 29, 12, tzinfo=UTC),
            "key": UUID(int=7),
            "price": Decimal("4.7"),
            "score": np.float32(0.1),
            "sizes": np.array([1, 2]),
            "nested": {"days": (date(2024, 1, 1), None)},
        },
        vector={"stone": np.float32(1.5)},  # type: ignore[dict-item]
        embedding=np.array([0.5, 1.0]),
    )
    read = through_a_file(document)
    assert read.metadata["day"] == "2024-02-29"
    assert to_source(read, schema) == to_source(document, schema)


def test_empty_vector_stays_one_and_is_not_encoded_later() -> None:
    for given_vector in ({}, SparseVector()):
        assert through_a_file(SparseDocument(id="1", text="?!", vector=given_vector)).vector == {}
    assert through_a_file(SparseDocument(id="1", text="?!", chunks=())).chunks == ()


@pytest.mark.parametrize("value", [object(), {1, 2}, b"bytes", [object()]])
def test_document_that_json_cannot_hold_is_not_kept(value: Any) -> None:
    assert row_of_document(SparseDocument(id="1", text="x", metadata={"odd": value})) is None
    found = row_of(DeadLetter(id="1", place="a:1", stage="prepare", reason="?"))
    assert found == RefusedRow(place="a:1", reason="its document was not kept; load it from its source")


@pytest.mark.parametrize("row", [{"colour": "red"}, {"chunks": [{"start": 0}]}, {"more_vectors": {"a": {"b": 1}}}])
def test_letter_that_holds_no_document_is_refused(row: dict[str, Any]) -> None:
    found = row_of(DeadLetter(id="1", place="a:1", stage="write", reason="?", row=row))
    assert isinstance(found, RefusedRow)
    assert found.place == "a:1"


@pytest.mark.parametrize("line", ["no json", "[]", '{"id": "1"}'])
def test_file_of_something_else_is_refused_by_its_line(tmp_path: Path, line: str) -> None:
    path = tmp_path / "failed.jsonl"
    path.write_text(f'{{"id": "1", "place": "a:1", "stage": "read", "reason": "?"}}\n{line}\n', encoding="utf-8")
    with pytest.raises(JournalError, match=r"failed\.jsonl:2 is not a dead letter"):
        list(read_dead_letters(path))

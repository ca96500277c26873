from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.documents import Document

from langchain_opensearch_neural_sparse.documents import annotated, rows_of_documents, rows_of_texts, to_document
from opensearch_neural_sparse.index.documents.document import SparseDocument, from_source, to_source
from opensearch_neural_sparse.index.schema import IndexSchema
from opensearch_neural_sparse.search.results.hits import SearchHit
from opensearch_neural_sparse.search.results.leg_scores import LegScore
from opensearch_neural_sparse.search.results.token_matches import TokenMatch

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b_c", "id"]), inner, max_size=2),
    max_leaves=6,
)  # fmt: skip
KEYS = st.sampled_from(["lang", "id", "content", "meta", "embedding", "sparse_vector", "score", "blob", "_id", "a.b"])


@given(st.dictionaries(KEYS, VALUES, max_size=6), st.text(st.characters(codec="utf-8"), max_size=20))
def test_documents_come_back_from_the_layout_as_they_went_in(metadata: dict, text: str) -> None:
    schema = IndexSchema()
    document = Document(id="1", page_content=text, metadata=metadata)
    [row] = rows_of_documents([document])
    source = to_source(SparseDocument.of(row), schema)
    assert to_document(from_source("1", source, schema)) == document


def test_rows_of_a_list_are_a_list_and_those_of_a_generator_are_taken_one_by_one() -> None:
    taken: list[str] = []

    def texts() -> Iterator[str]:
        for text in ("a", "b"):
            taken.append(text)
            yield text

    assert isinstance(rows_of_texts(["a"]), list)
    rows = iter(rows_of_texts(texts()))
    assert taken == []
    assert next(rows)["text"] == "a"
    assert taken == ["a"]


def test_given_ids_precede_own_ids_and_missing_ones_are_made() -> None:
    documents = [
        Document(id="own", page_content="a"),
        Document(id="own-2", page_content="b"),
        Document(page_content="c"),
    ]
    first, second, third = rows_of_documents(documents, ids=["given", None, None])
    assert (first["id"], second["id"]) == ("given", "own-2")
    assert len(third["id"]) == 32


@pytest.mark.parametrize(("metadatas", "ids", "named"), [([{}], None, "1 metadatas"), (None, [], "0 ids")])
def test_counts_that_differ_are_refused(metadatas, ids, named: str) -> None:
    with pytest.raises(ValueError, match=f"2 documents and {named}"):
        rows_of_texts(iter(["a", "b"]), metadatas, ids)


def test_notes_go_into_metadata_where_they_are_asked_for() -> None:
    hit = SearchHit(id="1", score=2.5, text="a", metadata={"lang": "en"})
    plain = to_document(hit)
    assert annotated(plain, hit, score=False) is plain
    assert annotated(plain, hit, score=True).metadata == {"lang": "en", "_score": 2.5}
    match = TokenMatch(token="a", query_weight=2.0, document_weight=1.25, score=2.5)
    told = {"token": "a", "query_weight": 2.0, "document_weight": 1.25, "score": 2.5}
    legs = {"bm25": LegScore(score=0.5, rank=3), "title": LegScore(score=2.5, matches=(match,))}
    explained = replace(hit, matches=(match,), legs=legs)
    assert annotated(plain, explained, score=False).metadata == {
        "lang": "en",
        "_legs": {"bm25": {"score": 0.5, "rank": 3}, "title": {"score": 2.5, "rank": None, "matches": [told]}},
        "_matches": [told],
    }
    assert plain.metadata == hit.metadata == {"lang": "en"}


def test_document_without_a_text_has_an_empty_page() -> None:
    assert to_document(SparseDocument(id="1")) == Document(id="1", page_content="")

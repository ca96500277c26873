from __future__ import annotations

import pytest

from opensearch_neural_sparse import SparseDocument
from opensearch_neural_sparse.errors import IndexSchemaError
from opensearch_neural_sparse.evaluate.benchmark.sample import draw_queries, make_up, sample_collection, sample_rows
from opensearch_neural_sparse.ingestion.source_rows import RefusedRow
from tests.evaluate.collections import DOCUMENTS, QUERIES, SENTENCES


def test_a_collection_gives_its_own_queries() -> None:
    sample = sample_collection(SENTENCES, 2)
    assert (sample.documents, sample.queries) == (list(DOCUMENTS.values())[:2], list(QUERIES.values()))


def test_files_give_queries_of_neighbouring_words() -> None:
    rows = [SparseDocument(id=key, text=text) for key, text in DOCUMENTS.items()]
    sample = sample_rows(rows, 4, origin="a.jsonl")
    assert sample.documents == list(DOCUMENTS.values())[:4]
    assert all(any(query in text for text in sample.documents) for query in sample.queries)
    assert sample == sample_rows(rows, 4, origin="a.jsonl")


def test_a_row_that_is_no_document_is_named() -> None:
    with pytest.raises(IndexSchemaError, match=r"a\.jsonl:3: it is not JSON"):
        sample_rows([RefusedRow(place="a.jsonl:3", reason="it is not JSON")], 5, origin="a.jsonl")


@pytest.mark.parametrize("rows", [[], [SparseDocument(id="1", text=" ")]])
def test_files_without_a_text_are_refused(rows: list[SparseDocument]) -> None:
    with pytest.raises(IndexSchemaError, match=r"a\.jsonl has no document with a text"):
        sample_rows(rows, 5, origin="a.jsonl")


def test_made_up_texts_are_of_whole_words_the_first_being_the_most_frequent() -> None:
    words = [f"{letter}word" for letter in "abcdefghijklmnopqrstuvwxyz"]
    sample = make_up(["[CLS]", "##ing", "it", *words], 20)
    drawn = " ".join(sample.documents).split()
    assert set(drawn) <= set(words)
    assert drawn.count(words[0]) > 2 * drawn.count(words[-1])
    assert sample == make_up(["[CLS]", "##ing", "it", *words], 20)


def test_a_text_shorter_than_a_query_is_one() -> None:
    assert set(draw_queries(["two words", ""])) == {"two words"}

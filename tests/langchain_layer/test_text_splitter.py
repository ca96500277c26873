"""Texts cut by the model's tokens."""

from __future__ import annotations

import pytest
from langchain_core.documents import Document

from langchain_opensearch_neural_sparse import NeuralSparseTextSplitter
from opensearch_neural_sparse import SparseTokenizer
from tests.paths import SMALL_MODEL

LONG = " ".join(f"Sentence number {number} speaks of rivers, lakes and the sea." for number in range(60))


def test_texts_are_cut_by_the_model_s_tokens_and_metadata_goes_along(small_files) -> None:
    tokenizer = SparseTokenizer.from_file(small_files.query_tokenizer)
    splitter = NeuralSparseTextSplitter(SMALL_MODEL, chunk_size=64, chunk_overlap=8, add_start_index=True)
    document = Document(page_content=LONG, metadata={"source": {"page": 1}})
    passages = splitter.split_documents([document, Document(page_content="")])
    assert len(passages) > 5
    assert all(len(tokenizer.token_spans(passage.page_content)) <= 64 for passage in passages)
    for passage in passages:
        start = passage.metadata["start_index"]
        assert LONG[start : start + len(passage.page_content)] == passage.page_content
        assert passage.metadata["source"] == {"page": 1}
        assert passage.metadata["source"] is not document.metadata["source"]
    assert [passage.page_content for passage in passages] == splitter.split_text(LONG)
    assert document.metadata == {"source": {"page": 1}}


def test_passages_shorter_than_their_overlap_are_refused() -> None:
    with pytest.raises(ValueError, match="overlap"):
        NeuralSparseTextSplitter("no such model", chunk_size=10, chunk_overlap=8)

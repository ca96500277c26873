from __future__ import annotations

import asyncio
import warnings
from typing import Any

import pytest

pytest.importorskip("haystack_integrations.document_stores.opensearch", reason="the haystack extra is not installed")

from haystack import Document, Pipeline
from haystack.components.preprocessors import DocumentSplitter
from haystack.components.retrievers import SentenceWindowRetriever
from hypothesis import given, settings
from hypothesis import strategies as st

from haystack_integrations.components.embedders.opensearch_neural_sparse import NeuralSparseDocumentEmbedder
from haystack_integrations.components.preprocessors.opensearch_neural_sparse import NeuralSparseDocumentSplitter
from opensearch_neural_sparse.encode.tokenizer import SparseTokenizer
from opensearch_neural_sparse.errors import TruncationWarning
from tests.encode.texts import ODD_TEXTS
from tests.haystack_layer.conftest import MakeStore
from tests.paths import SMALL_MODEL

pytestmark = pytest.mark.newest_server

TOKENIZER = SparseTokenizer.from_file(SMALL_MODEL / "document_0_MLMTransformer" / "tokenizer.json")
LONG = "One page about rivers.\n" * 9 + "\f" + "Another one about the hearts of mammals.\n" * 9
WORDS = st.sampled_from(["river", "don't", "electroencephalography", "日本語", " ", "\n", "\f", "\t\t", "a\u0301"])
TEXTS = st.lists(WORDS, min_size=1, max_size=80).map(" ".join) | st.sampled_from([text for text in ODD_TEXTS if text])


def split(text: str, length: int = 20, overlap: int = 5, **document: Any) -> list[Document]:
    splitter = NeuralSparseDocumentSplitter(SMALL_MODEL, split_length=length, split_overlap=overlap)
    return splitter.run([Document(id="d", content=text, **document)])["documents"]


@settings(max_examples=60)
@given(TEXTS, st.integers(4, 40))
def test_passages_put_together_by_haystack_are_the_text(text: str, length: int) -> None:
    for overlap in (0, length // 3):
        passages = split(text, length, overlap)
        assert SentenceWindowRetriever.merge_documents_text(passages) == text
        for passage in passages:
            assert text.startswith(passage.content, passage.meta["split_idx_start"])
            assert len(TOKENIZER.token_spans(passage.content)) <= length
        starts = [passage.meta["split_idx_start"] for passage in passages]
        places = [(start, start + len(passage.content)) for start, passage in zip(starts, passages, strict=True)]
        for first, last in TOKENIZER.token_spans(text):
            assert any(start <= first and last <= end for start, end in places)


def test_metadata_is_that_of_haystacks_splitter_and_of_the_document() -> None:
    meta = {"topic": "rivers", "tags": ["a"], "source_id": "elsewhere"}
    passages = split(LONG, meta=meta)
    theirs = DocumentSplitter(split_by="word").run([Document(content="one two", meta={"topic": "rivers"})])
    assert set(passages[0].meta) == set(theirs["documents"][0].meta) | {"tags"}
    for number, passage in enumerate(passages):
        assert passage.id == f"d#{number}"
        expected = {"topic": "rivers", "tags": ["a"], "source_id": "d", "split_id": number}
        assert expected.items() <= passage.meta.items()
        assert passage.meta["page_number"] == (1 if "river" in passage.content else 2)
    passages[0].meta["tags"].append("b")
    assert passages[1].meta["tags"] == meta["tags"] == ["a"]


def test_passages_have_no_vector_of_the_whole_document() -> None:
    assert {passage.embedding for passage in split(LONG, embedding=[1.0, 2.0])} == {None}


def test_no_passage_is_cut_by_the_embedder() -> None:
    text = "unbelievably long texts about electroencephalography " * 300
    passages = split(text, 500, 20)
    embedder = NeuralSparseDocumentEmbedder(SMALL_MODEL, progress_bar=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        embedder.run(passages[:2])
    with pytest.warns(TruncationWarning, match="max_length"):
        embedder.run([Document(content=text)])


def test_documents_without_text_are_named(caplog: pytest.LogCaptureFixture) -> None:
    splitter = NeuralSparseDocumentSplitter(SMALL_MODEL)
    empty, blank = Document(id="empty", content=""), Document(id="blank", content=" \n ")
    assert [passage.content for passage in splitter.run([empty, blank])["documents"]] == [" \n "]
    assert "empty" in caplog.text
    with pytest.raises(ValueError, match="picture"):
        splitter.run([Document(id="picture")])
    with pytest.raises(TypeError, match="list of documents"):
        splitter.run("text")  # type: ignore[arg-type]


def test_lengths_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="overlap is 6"):
        NeuralSparseDocumentSplitter(SMALL_MODEL, split_length=10, split_overlap=6)
    NeuralSparseDocumentSplitter(SMALL_MODEL, split_length=510).warm_up()
    with pytest.raises(ValueError, match=r"split_length is 511.*up to 510 tokens"):
        NeuralSparseDocumentSplitter(SMALL_MODEL, split_length=511).warm_up()


def test_pipeline_is_the_same_after_yaml_and_asynchronously() -> None:
    pipeline = Pipeline()
    pipeline.add_component("splitter", NeuralSparseDocumentSplitter(SMALL_MODEL, split_length=20, split_overlap=5))
    loaded = Pipeline.loads(saved := pipeline.dumps())
    assert loaded.dumps() == saved
    inputs = {"splitter": {"documents": [Document(id="d", content=LONG)]}}
    found = loaded.run(inputs)
    assert found["splitter"]["documents"] == split(LONG)
    assert asyncio.run(pipeline.run_async(inputs)) == found
    loaded.close()
    assert loaded.run(inputs) == found


def test_haystack_finds_the_neighbours_of_a_passage(make_store: MakeStore) -> None:
    store = make_store()
    passages = split(LONG)
    store.write_documents(passages)
    window = SentenceWindowRetriever(document_store=store, window_size=1).run([passages[2]])
    assert [passage.id for passage in window["context_documents"]] == ["d#1", "d#2", "d#3"]
    assert window["context_windows"][0] in LONG

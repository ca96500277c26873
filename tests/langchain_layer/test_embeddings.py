"""Sparse embeddings outside an index."""

from __future__ import annotations

import subprocess
import sys

import pytest
from langchain_core.embeddings import Embeddings

from langchain_opensearch_neural_sparse import NeuralSparseEmbeddings
from opensearch_neural_sparse import InvalidVectorError, SparseTokenizer, load_document_encoder, load_query_encoder
from tests.paths import SMALL_MODEL

TEXTS = ["The heart pumps blood.", "Rivers carry water to the sea.", "A bank lends money."]
QUERY = "where do rivers end?"


@pytest.fixture
def embeddings():
    embeddings = NeuralSparseEmbeddings(SMALL_MODEL)
    yield embeddings
    embeddings.close()


async def test_both_sides_are_the_core_s_vectors_awaited_or_not(embeddings) -> None:
    documents = load_document_encoder(SMALL_MODEL).encode_documents(TEXTS)
    assert embeddings.embed_documents(TEXTS) == await embeddings.aembed_documents(TEXTS) == documents
    query = load_query_encoder(SMALL_MODEL).encode_query(QUERY)
    assert embeddings.embed_query(QUERY) == await embeddings.aembed_query(QUERY) == query
    assert embeddings.embed_query("") == {}
    assert not isinstance(embeddings, Embeddings)


def test_several_processes_encode_as_one_does(embeddings) -> None:
    several = NeuralSparseEmbeddings(SMALL_MODEL, workers=2)
    for found, expected in zip(several.embed_documents(TEXTS), embeddings.embed_documents(TEXTS), strict=True):
        assert found == pytest.approx(expected, abs=1e-5)
    assert several.embed_query(QUERY) == embeddings.embed_query(QUERY)
    several.close()


def test_making_one_reads_nothing_and_a_misspelt_option_is_an_error_at_use() -> None:
    assert repr(NeuralSparseEmbeddings("no such model")) == "NeuralSparseEmbeddings('no such model')"
    with pytest.raises(TypeError, match="engin"):
        NeuralSparseEmbeddings(SMALL_MODEL, engin="onnx").embed_documents(TEXTS)


def test_ids_are_the_vocabulary_s(embeddings, small_files) -> None:
    tokens = SparseTokenizer.from_file(small_files.query_tokenizer).tokens
    weights = embeddings.embed_query(QUERY)
    assert {tokens[index]: weight for index, weight in embeddings.to_ids(weights).items()} == weights
    with pytest.raises(InvalidVectorError, match="does not have this token"):
        embeddings.to_ids({"no such token at all": 1.0})


def test_queries_of_a_doc_only_model_need_no_torch() -> None:
    code = (
        "import sys; sys.modules.update(dict.fromkeys(['torch', 'transformers', 'onnxruntime'])); "
        "from langchain_opensearch_neural_sparse import NeuralSparseEmbeddings; "
        "print(len(NeuralSparseEmbeddings(sys.argv[1]).embed_query('rivers')))"
    )
    command = [sys.executable, "-W", "error", "-c", code, str(SMALL_MODEL)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "1"), done.stderr

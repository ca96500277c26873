"""Token weights outside an index, in the stores of others too, and texts cut by the model's tokens."""

from __future__ import annotations

import subprocess
import sys

import pytest
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings

from langchain_opensearch_neural_sparse import NeuralSparseEmbeddings, NeuralSparseTextSplitter
from langchain_opensearch_neural_sparse.other_stores import for_milvus, for_qdrant
from opensearch_neural_sparse import InvalidVectorError, SparseTokenizer, load_document_encoder, load_query_encoder
from tests.paths import SMALL_MODEL

TEXTS = ["The heart pumps blood.", "Rivers carry water to the sea.", "A bank lends money."]
QUERY = "where do rivers end?"
LONG = " ".join(f"Sentence number {number} speaks of rivers, lakes and the sea." for number in range(60))


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


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
async def test_qdrant_finds_by_them(embeddings) -> None:
    from langchain_qdrant import QdrantVectorStore, RetrievalMode
    from langchain_qdrant.sparse_embeddings import SparseEmbeddings

    adapted = for_qdrant(embeddings)
    assert isinstance(adapted, SparseEmbeddings)
    store = QdrantVectorStore.from_texts(
        TEXTS, sparse_embedding=adapted, retrieval_mode=RetrievalMode.SPARSE, location=":memory:"
    )
    try:
        [(found, score)] = store.similarity_search_with_score(QUERY, k=1)
        assert found.page_content == TEXTS[1]
        assert score == pytest.approx(_score(embeddings, TEXTS[1]), rel=1e-5)
        assert [one.page_content for one in await store.asimilarity_search(QUERY, k=1)] == [TEXTS[1]]
    finally:
        store.client.close()


@pytest.mark.filterwarnings("ignore")
async def test_milvus_finds_by_them(embeddings, tmp_path) -> None:
    from langchain_milvus import Milvus
    from langchain_milvus.utils.sparse import BaseSparseEmbedding

    adapted = for_milvus(embeddings)
    assert isinstance(adapted, BaseSparseEmbedding)
    inner_product: dict = {"metric_type": "IP", "params": {}}
    store = Milvus.from_texts(
        TEXTS,
        adapted,
        connection_args={"uri": str(tmp_path / "milvus.db")},
        index_params={"index_type": "SPARSE_INVERTED_INDEX"} | inner_product,
        auto_id=True,
    )
    [(found, score)] = store.similarity_search_with_score(QUERY, k=1, param=inner_product)
    assert (found.page_content, score) == (TEXTS[1], pytest.approx(_score(embeddings, TEXTS[1]), rel=1e-5))
    store.client.close()
    assert await adapted.aembed_query(QUERY) == embeddings.to_ids(embeddings.embed_query(QUERY))
    assert adapted.embed_documents(TEXTS) == await adapted.aembed_documents(TEXTS)


def _score(embeddings: NeuralSparseEmbeddings, text: str) -> float:
    [document] = embeddings.embed_documents([text])
    return sum(weight * document.get(token, 0) for token, weight in embeddings.embed_query(QUERY).items())


def test_queries_of_a_doc_only_model_need_no_torch() -> None:
    code = (
        "import sys; sys.modules.update(dict.fromkeys(['torch', 'transformers', 'onnxruntime'])); "
        "from langchain_opensearch_neural_sparse import NeuralSparseEmbeddings; "
        "print(len(NeuralSparseEmbeddings(sys.argv[1]).embed_query('rivers')))"
    )
    command = [sys.executable, "-W", "error", "-c", code, str(SMALL_MODEL)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "1"), done.stderr


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

"""Texts and queries that are longer than the model reads, in LangChain's words."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.documents import Document

from langchain_opensearch_neural_sparse import NeuralSparseEmbeddings, OpenSearchNeuralSparseVectorStore
from opensearch_neural_sparse import TruncationWarning, WriteOptions
from tests.paths import SMALL_MODEL

pytestmark = pytest.mark.newest_server

LONG_QUERY = "river " * 600 + "moon"


@pytest.fixture
def vectorstore(make_store: Any) -> OpenSearchNeuralSparseVectorStore:
    return make_store(
        query_encoder=None,
        document_encoder=None,
        model=SMALL_MODEL,
        encoder_options={"max_length": 16},
        write_options=WriteOptions(batch_size=2),
        settings={"number_of_shards": 1},
    )


@pytest.mark.parametrize("awaited", [False, True])
async def test_documents_that_are_cut_are_named_once_a_write(vectorstore: Any, awaited: bool) -> None:
    documents = [Document(id=f"{number}", page_content="river " * 20) for number in range(5)]
    with pytest.warns(TruncationWarning) as caught:
        await vectorstore.aadd_documents(documents) if awaited else vectorstore.add_documents(documents)
    (warning,) = caught
    assert str(warning.message).startswith("5 documents have more than 16 tokens ('0', '1', '2', '3', '4')")


@pytest.mark.parametrize("awaited", [False, True])
@pytest.mark.parametrize("search_type", ["similarity", "mmr", "sparse", "hybrid"])
async def test_a_query_that_is_cut_is_warned_of_once(vectorstore: Any, search_type: str, awaited: bool) -> None:
    vectorstore.add_texts(["river", "moon"])
    asked: dict[str, Any] = {"query": LONG_QUERY, "search_type": search_type, "k": 2}
    with pytest.warns(TruncationWarning) as caught:
        await vectorstore.asearch(**asked) if awaited else vectorstore.search(**asked)
    (warning,) = caught
    assert str(warning.message).startswith("The query has 601 tokens, more than the 512 that the model reads")


def test_embeddings_warn_of_what_is_cut() -> None:
    embeddings = NeuralSparseEmbeddings(SMALL_MODEL, max_length=16)
    with pytest.warns(TruncationWarning, match="1 of 2 texts have more than 16 tokens"):
        embeddings.embed_documents(["river " * 20, "moon"])
    with pytest.warns(TruncationWarning, match="The query has 601 tokens"):
        embeddings.embed_query(LONG_QUERY)

"""Words of several languages in one index, on real servers."""

from __future__ import annotations

from langchain_core.documents import Document

from langchain_opensearch_neural_sparse import OpenSearchNeuralSparseHybridRetriever
from opensearch_neural_sparse import IndexSchema
from tests.langchain_layer.conftest import MakeStore

TEXTS = {"de": "Die Häuser am Fluss", "en": "Rivers carry water", "plain": "Haus"}


async def test_words_are_searched_by_the_languages_of_the_index(make_store: MakeStore) -> None:
    made = make_store(schema=IndexSchema(languages=["en", "de"]))
    made.add_documents([Document(id=key, page_content=text) for key, text in TEXTS.items()])
    retriever = OpenSearchNeuralSparseHybridRetriever(vectorstore=make_store(), legs=("bm25",))
    assert {found.id for found in retriever.invoke("Haus")} == {"de", "plain"}
    assert {found.id for found in retriever.invoke("Haus", language="en")} == {"plain"}
    german = OpenSearchNeuralSparseHybridRetriever(vectorstore=make_store(), legs=("bm25",), language="de")
    assert {found.id for found in await german.ainvoke("Hauses")} == {"de", "plain"}
    both = OpenSearchNeuralSparseHybridRetriever(vectorstore=make_store(), language="de")
    assert {"de", "plain"} <= {found.id for found in both.invoke("Hauses")}

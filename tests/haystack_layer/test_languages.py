"""Words of several languages in one index, on real servers."""

from __future__ import annotations

from haystack import Document, default_from_dict
from haystack.dataclasses import SparseEmbedding

from haystack_integrations.components.retrievers.opensearch_neural_sparse import OpenSearchNeuralSparseHybridRetriever
from tests.haystack_layer.conftest import MakeStore

TEXTS = {"de": "Die Häuser am Fluss", "en": "Rivers carry water", "plain": "Haus"}


async def test_words_are_searched_by_the_languages_of_the_index(make_store: MakeStore) -> None:
    store = make_store(languages=["en", "de"])
    embedding = SparseEmbedding(indices=[7], values=[1.0])
    store.write_documents([Document(id=key, content=text, sparse_embedding=embedding) for key, text in TEXTS.items()])
    reopened = make_store(model=None, create_index=False)
    retriever = OpenSearchNeuralSparseHybridRetriever(document_store=reopened, legs=["bm25"])
    assert {found.id for found in retriever.run("Haus")["documents"]} == {"de", "plain"}
    assert {found.id for found in retriever.run("river")["documents"]} == {"en"}
    assert {found.id for found in retriever.run("Haus", language="en")["documents"]} == {"plain"}
    german = OpenSearchNeuralSparseHybridRetriever(document_store=reopened, legs=["bm25"], language="de")
    assert {found.id for found in (await german.run_async("Hauses"))["documents"]} == {"de", "plain"}
    await reopened.close_async()


def test_languages_are_saved_where_they_are_given_alone(make_store: MakeStore) -> None:
    store = make_store(languages=["en", "de"])
    assert store.to_dict()["init_parameters"]["languages"] == ["en", "de"]
    assert "languages" not in make_store().to_dict()["init_parameters"]
    retriever = OpenSearchNeuralSparseHybridRetriever(document_store=store, language="de")
    saved = retriever.to_dict()
    assert saved["init_parameters"]["language"] == "de"
    assert default_from_dict(OpenSearchNeuralSparseHybridRetriever, saved).language == "de"
    assert "language" not in OpenSearchNeuralSparseHybridRetriever(document_store=store).to_dict()["init_parameters"]

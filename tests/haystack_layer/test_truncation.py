"""Documents and queries that are longer than the model reads, in Haystack's components."""

from __future__ import annotations

import pytest

pytest.importorskip("haystack_integrations.document_stores.opensearch", reason="the haystack extra is not installed")

from haystack import Document

from haystack_integrations.components.embedders.opensearch_neural_sparse import (
    NeuralSparseDocumentEmbedder,
    NeuralSparseTextEmbedder,
)
from haystack_integrations.components.retrievers.opensearch_neural_sparse import (
    OpenSearchNeuralSparseHybridRetriever,
    OpenSearchNeuralSparseRetriever,
)
from opensearch_neural_sparse import TruncationWarning
from tests.haystack_layer.conftest import MakeStore
from tests.paths import SMALL_MODEL

pytestmark = pytest.mark.newest_server

LONG_QUERY = "river " * 600 + "moon"
CUT_QUERY = "The query has 601 tokens, more than the 512 that the model reads; the last 89 are not in its vector"


@pytest.mark.parametrize("awaited", [False, True])
async def test_the_embedder_names_the_documents_that_it_cuts_once_a_run(awaited: bool) -> None:
    embedder = NeuralSparseDocumentEmbedder(SMALL_MODEL, max_length=16, batch_size=2, progress_bar=False)
    documents = [Document(id=f"{number}", content="river " * 20) for number in range(5)]
    documents.append(Document(id="short", content="river"))
    with pytest.warns(TruncationWarning) as caught:
        await embedder.run_async(documents) if awaited else embedder.run(documents)
    (warning,) = caught
    assert str(warning.message).startswith("5 documents have more than 16 tokens ('0', '1', '2', '3', '4')")
    assert isinstance(warning.message, TruncationWarning)
    assert warning.message.documents == {f"{number}": 6 for number in range(5)}


def test_the_text_embedder_warns_of_a_query_that_it_cuts() -> None:
    with pytest.warns(TruncationWarning, match=CUT_QUERY):
        NeuralSparseTextEmbedder(SMALL_MODEL).run(LONG_QUERY)


@pytest.mark.parametrize("retriever", [OpenSearchNeuralSparseRetriever, OpenSearchNeuralSparseHybridRetriever])
async def test_retrievers_warn_of_a_query_that_is_cut(
    make_store: MakeStore, embedder: NeuralSparseDocumentEmbedder, retriever: type
) -> None:
    store = make_store()
    store.write_documents(embedder.run([Document(content="river"), Document(content="moon")])["documents"])
    asked = retriever(document_store=store)
    with pytest.warns(TruncationWarning, match=CUT_QUERY) as caught:
        asked.run(query=LONG_QUERY)
    assert len(caught) == 1
    with pytest.warns(TruncationWarning, match=CUT_QUERY):
        await asked.run_async(query=LONG_QUERY)
    await store.close_async()

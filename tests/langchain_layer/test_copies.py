"""Vector stores, retrievers and embeddings are copied and pickled without what they opened."""

from __future__ import annotations

import copy
import multiprocessing
import pickle
from typing import Any

import pytest
from langchain_core.embeddings import DeterministicFakeEmbedding
from langchain_core.retrievers import BaseRetriever

from langchain_opensearch_neural_sparse import (
    AwsAuth,
    NeuralSparseEmbeddings,
    NeuralSparseTextSplitter,
    OpenSearchNeuralSparseHybridRetriever,
    OpenSearchNeuralSparseRetriever,
    OpenSearchNeuralSparseVectorStore,
)
from langchain_opensearch_neural_sparse.other_stores import for_milvus, for_qdrant
from opensearch_neural_sparse import HybridOptions, IndexSchema, NeuralSparseStore, SearchOptions, TwoPhase
from tests.conftest import RunningServer
from tests.langchain_layer.conftest import CountLoads
from tests.paths import SMALL_MODEL

pytestmark = pytest.mark.newest_server

COPIES = [copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))]
NAMES = ["deepcopy", "pickle"]
TEXTS = ["The heart pumps blood.", "A stone rests on the bed of a river.", "Money in a bank."]
NOWHERE = "http://localhost:9"


def found_by(retriever: BaseRetriever, query: str) -> list[str]:
    return [document.page_content for document in retriever.invoke(query)]


@pytest.fixture
def filled(server: RunningServer, index_name: str) -> Any:
    schema = IndexSchema(embedding_dimension=8)
    with OpenSearchNeuralSparseVectorStore.from_texts(
        TEXTS, DeterministicFakeEmbedding(size=8), index=index_name, url=server.url, model=SMALL_MODEL, schema=schema
    ) as vectorstore:
        vectorstore.similarity_search("heart")
        yield vectorstore


@pytest.mark.parametrize("copied", COPIES, ids=NAMES)
async def test_a_copy_of_an_open_vector_store_opens_its_own_clients_and_model(
    filled: Any, copied: Any, loads: CountLoads
) -> None:
    await filled.asimilarity_search("heart")
    twin = copied(filled)
    assert twin.store.client() is not filled.store.client()
    assert twin.similarity_search("a heart", k=1)[0].page_content == TEXTS[0]
    assert (await twin.asimilarity_search("a stone", k=1))[0].page_content == TEXTS[1]
    assert loads() == ["query"]
    assert twin.add_texts(["A bridge over a river."], ids=["4"]) == ["4"]
    assert twin.get_by_ids(["4"])[0].page_content == "A bridge over a river."
    await twin.aclose()
    assert filled.similarity_search("money", k=1)[0].page_content == TEXTS[2]
    await filled.aclose()


def test_a_shallow_copy_shares_its_stores(filled: Any) -> None:
    twin = copy.copy(filled)
    assert twin.stores is filled.stores
    twin.close()
    assert filled.similarity_search("money", k=1)[0].page_content == TEXTS[2]


@pytest.mark.parametrize("copied", [copy.copy, *COPIES], ids=["copy", *NAMES])
def test_retrievers_are_copied_with_their_options(filled: Any, copied: Any) -> None:
    options = SearchOptions(two_phase=TwoPhase(expansion_rate=3))
    retrievers = [
        OpenSearchNeuralSparseRetriever(vectorstore=filled, k=1, options=options),
        OpenSearchNeuralSparseHybridRetriever(vectorstore=filled, k=1, weights=(0.3, 0.7)),
        OpenSearchNeuralSparseHybridRetriever(vectorstore=filled, k=1, legs=("bm25", "sparse", "dense")),
        OpenSearchNeuralSparseHybridRetriever(
            vectorstore=filled, k=1, options=HybridOptions(normalization="min_max", fusion="server")
        ),
        filled.as_retriever(search_kwargs={"k": 1}),
    ]
    for retriever in retrievers:
        twin = copied(retriever)
        assert type(twin) is type(retriever)
        assert found_by(twin, "what does a heart pump") == [TEXTS[0]]
        assert getattr(twin, "options", None) == getattr(retriever, "options", None)
        assert getattr(twin, "weights", None) == getattr(retriever, "weights", None)
        twin.vectorstore.close()


@pytest.mark.slow
def test_another_process_retrieves_by_a_pickled_retriever(filled: Any) -> None:
    retriever = OpenSearchNeuralSparseHybridRetriever(vectorstore=filled, k=1)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(found_by, (retriever, "a stone")) == [TEXTS[1]]


def test_a_client_that_was_handed_in_is_shared_by_copies_and_cannot_be_pickled(vectorstore: Any, client: Any) -> None:
    assert copy.deepcopy(vectorstore).store.client() is client
    with pytest.raises(TypeError, match="a client cannot be pickled"):
        pickle.dumps(vectorstore.as_retriever())


def test_stores_that_were_handed_in_are_shared_by_copies_and_pickled_with_them() -> None:
    store = NeuralSparseStore("articles", url=NOWHERE, model=SMALL_MODEL)
    vectorstore = OpenSearchNeuralSparseVectorStore(store=store)
    assert copy.deepcopy(vectorstore).store is store
    assert pickle.loads(pickle.dumps(vectorstore)).store.index == "articles"


@pytest.mark.parametrize("copied", [copy.copy, *COPIES], ids=["copy", *NAMES])
def test_embeddings_are_copied_without_their_model(copied: Any) -> None:
    embeddings = NeuralSparseEmbeddings(SMALL_MODEL, engine="onnx")
    weights = embeddings.embed_query("cardiac arrest")
    vectors = embeddings.embed_documents(TEXTS[:1])
    by_id = embeddings.to_ids(weights)
    twin = copied(embeddings)
    assert len(pickle.dumps(embeddings)) < 10_000
    assert (twin.embed_query("cardiac arrest"), twin.embed_documents(TEXTS[:1])) == (weights, vectors)
    assert twin.to_ids(weights) == by_id
    assert for_milvus(twin).embed_query("cardiac arrest") == by_id


@pytest.mark.parametrize("copied", COPIES, ids=NAMES)
def test_what_goes_with_them_is_copied(copied: Any) -> None:
    embeddings = NeuralSparseEmbeddings(SMALL_MODEL)
    milvus, qdrant = for_milvus(embeddings), for_qdrant(embeddings)
    assert copied(milvus).embed_query("heart") == milvus.embed_query("heart")
    assert copied(qdrant).embed_query("heart") == qdrant.embed_query("heart")
    splitter = NeuralSparseTextSplitter(SMALL_MODEL, chunk_size=4, chunk_overlap=0)
    passages = splitter.split_text(TEXTS[1])
    assert copied(splitter).split_text(TEXTS[1]) == passages
    assert len(pickle.dumps(splitter)) < 10_000
    auth = AwsAuth("eu-central-1")
    auth.__dict__["_signer"] = object()
    assert (repr(copied(auth)), "_signer" in vars(copied(auth))) == (repr(auth), False)

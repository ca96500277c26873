"""A real model, a real server, a whole chain."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from langchain_core.documents import Document
from langchain_core.language_models import SimpleChatModel
from langchain_core.messages import BaseMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import Runnable, RunnablePassthrough

from langchain_opensearch_neural_sparse import (
    OpenSearchNeuralSparseHybridRetriever,
    OpenSearchNeuralSparseRetriever,
    OpenSearchNeuralSparseVectorStore,
)
from opensearch_neural_sparse.store._sync.store import NeuralSparseStore
from tests.paths import ROOT, SMALL_MODEL

pytestmark = pytest.mark.newest_server

DOCUMENTS = [
    Document(id="heart", page_content="The heart pumps blood through the body.", metadata={"topic": "medicine"}),
    Document(id="river", page_content="Rivers carry water to the sea.", metadata={"topic": "geography", "id": 7}),
    Document(id="bank", page_content="A bank lends money to its customers.", metadata={"topic": "money"}),
    Document(id="blank", page_content="", metadata={"topic": "nothing"}),
]
PROMPT = ChatPromptTemplate.from_template("Context:\n{context}\nQuestion: {question}")
WITHOUT_TORCH = """
import sys
sys.modules.update(dict.fromkeys(["torch", "transformers", "sentence_transformers", "onnxruntime", "haystack"]))
from langchain_opensearch_neural_sparse import OpenSearchNeuralSparseRetriever, OpenSearchNeuralSparseVectorStore
index, url, model = sys.argv[1:]
with OpenSearchNeuralSparseVectorStore.from_existing_index(index, url=url, model=model) as vectorstore:
    print(OpenSearchNeuralSparseRetriever(vectorstore=vectorstore, k=1).invoke("cardiac function")[0].id)
"""


class Echo(SimpleChatModel):
    """A chat model that answers with what it was asked."""

    @property
    def _llm_type(self) -> str:
        return "echo"

    def _call(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> str:
        return str(messages[-1].content)


@pytest.fixture
def vectorstore(make_store) -> OpenSearchNeuralSparseVectorStore:
    vectorstore = make_store(model=SMALL_MODEL, query_encoder=None, document_encoder=None)
    vectorstore.add_documents(DOCUMENTS)
    return vectorstore


def _format(documents: list[Document]) -> str:
    return "\n".join(f"[{document.id}] {document.page_content}" for document in documents)


def _chain(retriever: Runnable) -> Runnable:
    return {"context": retriever | _format, "question": RunnablePassthrough()} | PROMPT | Echo() | StrOutputParser()


@pytest.mark.parametrize("retriever_class", [OpenSearchNeuralSparseRetriever, OpenSearchNeuralSparseHybridRetriever])
async def test_a_chain_answers_from_what_was_retrieved(vectorstore, retriever_class) -> None:
    chain = _chain(retriever_class(vectorstore=vectorstore, k=1))
    expected = "Context:\n[heart] The heart pumps blood through the body.\nQuestion: cardiac function"
    assert chain.invoke("cardiac function") == expected
    assert await chain.ainvoke("cardiac function") == expected
    assert "".join(chain.stream("cardiac function")) == expected
    assert "[river]" in chain.batch(["cardiac function", "where do rivers end?"])[1]


def test_the_core_reads_what_this_layer_wrote(vectorstore, client) -> None:
    core = NeuralSparseStore(vectorstore.store.index, client=client, model=SMALL_MODEL)
    assert [(one.id, one.text, one.metadata) for one in core.get([d.id for d in DOCUMENTS])] == [
        (document.id, document.page_content, document.metadata) for document in DOCUMENTS
    ]
    for query in ("cardiac function", "water money heart"):
        hits = [(hit.id, hit.text, hit.metadata, hit.score) for hit in core.search(query, size=3)]
        assert hits == [
            (found.id, found.page_content, found.metadata, score)
            for found, score in vectorstore.similarity_search_with_score(query, k=3)
        ]
        fused = [(hit.id, hit.score) for hit in core.hybrid_search(query, size=3)]
        hybrid = OpenSearchNeuralSparseHybridRetriever(vectorstore=vectorstore, k=3, include_scores=True)
        assert fused == [(found.id, found.metadata["_score"]) for found in hybrid.invoke(query)]
        assert hits
        assert fused


def test_this_layer_reads_what_the_core_wrote(make_store, client, index_name: str) -> None:
    core = NeuralSparseStore(index_name, client=client, model=SMALL_MODEL)
    core.create()
    core.write([{"id": one.id, "text": one.page_content, "metadata": one.metadata} for one in DOCUMENTS])
    vectorstore = make_store(model=SMALL_MODEL, query_encoder=None, document_encoder=None)
    assert vectorstore.get_by_ids([document.id for document in DOCUMENTS]) == DOCUMENTS


def test_a_query_that_no_token_is_known_of_finds_nothing(vectorstore) -> None:
    assert vectorstore.similarity_search("") == []
    assert OpenSearchNeuralSparseRetriever(vectorstore=vectorstore).invoke(" ") == []


def test_searching_needs_no_torch(vectorstore, server) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", WITHOUT_TORCH, vectorstore.store.index, server.url, str(SMALL_MODEL)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert (done.returncode, done.stdout.strip()) == (0, "heart"), done.stderr


def test_importing_the_layer_loads_no_model_library() -> None:
    code = (
        "import sys, langchain_core.vectorstores, langchain_text_splitters; "  # 1.0 load transformers if they can
        "known = set(sys.modules); import langchain_opensearch_neural_sparse as layer; "
        "assert layer.__all__ == sorted(layer.__all__); [getattr(layer, name) for name in layer.__all__]; "
        "heavy = {'torch', 'transformers', 'numpy', 'opensearchpy', 'haystack', 'onnxruntime'}; "
        "print(sorted(heavy & (set(sys.modules) - known)))"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr

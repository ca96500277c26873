"""The same index through a Haystack pipeline that was saved as YAML, and through a LangChain chain."""

from textwrap import shorten

from haystack import Document, Pipeline
from haystack.components.builders import PromptBuilder
from langchain_core.documents import Document as LangChainDocument
from langchain_core.runnables import RunnableLambda, RunnablePassthrough

from haystack_integrations.components.retrievers.opensearch_neural_sparse import OpenSearchNeuralSparseHybridRetriever
from haystack_integrations.document_stores.opensearch_neural_sparse import OpenSearchNeuralSparseDocumentStore
from langchain_opensearch_neural_sparse import OpenSearchNeuralSparseHybridRetriever as LangChainHybridRetriever
from langchain_opensearch_neural_sparse import OpenSearchNeuralSparseVectorStore
from opensearch_neural_sparse import NeuralSparseStore

TEMPLATE = """Answer from these passages alone.
{% for document in documents %}- {{ document.content.splitlines()[2] | truncate(100) }}
{% endfor %}Question: {{ question }}"""


def haystack_yaml(url: str, index: str, model: str) -> str:
    """Return a hybrid retrieval pipeline with a prompt, as the YAML that Haystack saves."""
    store = OpenSearchNeuralSparseDocumentStore(hosts=url, index=index, model=model)
    pipeline = Pipeline()
    pipeline.add_component("retriever", OpenSearchNeuralSparseHybridRetriever(document_store=store, top_k=3))
    pipeline.add_component("prompt", PromptBuilder(template=TEMPLATE, required_variables=["question"]))
    pipeline.connect("retriever.documents", "prompt.documents")
    return pipeline.dumps()


def ask_haystack(yaml: str, question: str) -> tuple[list[Document], str]:
    """Load the pipeline from its YAML and run it; return the documents and the prompt made of them."""
    pipeline = Pipeline.loads(yaml)
    inputs = {"retriever": {"query": question}, "prompt": {"question": question}}
    answers = pipeline.run(inputs, include_outputs_from={"retriever"})
    pipeline.close()
    return answers["retriever"]["documents"], answers["prompt"]["prompt"]


def ask_langchain(store: NeuralSparseStore, question: str) -> str:
    """Run a chain of retriever and prompt; return the prompt."""
    retriever = LangChainHybridRetriever(vectorstore=OpenSearchNeuralSparseVectorStore(store=store), k=3)
    chain = {"documents": retriever, "question": RunnablePassthrough()} | RunnableLambda(_prompt)
    return chain.invoke(question)


def _prompt(inputs: dict) -> str:
    documents: list[LangChainDocument] = inputs["documents"]
    rows = [f"- {shorten(document.page_content.splitlines()[2], 100, placeholder=' ...')}" for document in documents]
    return "\n".join(["Answer from these passages alone.", *rows, f"Question: {inputs['question']}"])

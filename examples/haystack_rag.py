"""Answer a question from documents: hybrid search, a prompt, a generator.

    python examples/haystack_rag.py

The generator here repeats the first document that it was given. Put any of Haystack's chat generators in its place.
"""

from haystack import Document, Pipeline, component
from haystack.components.builders import ChatPromptBuilder
from haystack.dataclasses import ChatMessage

from haystack_integrations.components.embedders.opensearch_neural_sparse import NeuralSparseDocumentEmbedder
from haystack_integrations.components.super_components.opensearch_neural_sparse import (
    OpenSearchNeuralSparseHybridSearch,
    OpenSearchNeuralSparseIndexer,
)
from haystack_integrations.document_stores.opensearch_neural_sparse import OpenSearchNeuralSparseDocumentStore
from opensearch_neural_sparse.devserver import DevServer

MODEL = "examples/models/small-en"
TEMPLATE = [
    ChatMessage.from_user(
        "Answer from these texts alone.\n"
        "{% for document in documents %}- {{ document.content }}\n{% endfor %}"
        "Question: {{ question }}"
    )
]


@component
class EchoGenerator:
    """Reply with the first text of a prompt."""

    @component.output_types(replies=list[ChatMessage])
    def run(self, messages: list[ChatMessage]) -> dict[str, list[ChatMessage]]:
        first = messages[-1].text.splitlines()[1]
        return {"replies": [ChatMessage.from_assistant(first.removeprefix("- "))]}


store = OpenSearchNeuralSparseDocumentStore(hosts=DevServer.start().url, index="example-haystack-rag", model=MODEL)
indexer = OpenSearchNeuralSparseIndexer(
    document_store=store, embedder=NeuralSparseDocumentEmbedder(MODEL, progress_bar=False), policy="overwrite"
)
indexer.run(
    [
        Document(content="The heart pumps blood through the body."),
        Document(content="Rivers carry water to the sea."),
        Document(content="The liver cleans the blood."),
    ]
)

rag = Pipeline()
rag.add_component("search", OpenSearchNeuralSparseHybridSearch(document_store=store, top_k=2))
rag.add_component("prompt", ChatPromptBuilder(template=TEMPLATE, required_variables=["question"]))
rag.add_component("generator", EchoGenerator())
rag.connect("search.documents", "prompt.documents")
rag.connect("prompt.prompt", "generator.messages")

question = "Where does a river end?"
answer = rag.run({"search": {"query": question}, "prompt": {"question": question}})
print(question)
print(answer["generator"]["replies"][0].text)

rag.close()

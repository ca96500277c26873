"""Answer a question from documents: a splitter, hybrid search, a prompt, a chat model.

    python examples/langchain_rag.py

The chat model here repeats the first passage that it was given. Put any of LangChain's in its place.
"""

from langchain_core.documents import Document
from langchain_core.language_models import SimpleChatModel
from langchain_core.messages import BaseMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnablePassthrough

from langchain_opensearch_neural_sparse import NeuralSparseTextSplitter, OpenSearchNeuralSparseVectorStore
from opensearch_neural_sparse.devserver import DevServer

MODEL = "examples/models/small-en"
PAGES = [
    Document(page_content="The heart pumps blood through the body. The liver cleans it.", metadata={"page": 1}),
    Document(page_content="Rivers carry their water to the sea. Glaciers feed many of them.", metadata={"page": 2}),
]
PROMPT = ChatPromptTemplate.from_template("Answer from these passages alone.\n{passages}\nQuestion: {question}")


class Echo(SimpleChatModel):
    """Reply with the first passage of a prompt."""

    @property
    def _llm_type(self) -> str:
        return "echo"

    def _call(self, messages: list[BaseMessage], *_: object, **__: object) -> str:
        return str(messages[-1].content).splitlines()[1]


def cite(documents: list[Document]) -> str:
    return "\n".join(f"{document.page_content} [page {document.metadata['page']}]" for document in documents)


passages = NeuralSparseTextSplitter(MODEL, chunk_size=8, chunk_overlap=0).split_documents(PAGES)
with OpenSearchNeuralSparseVectorStore("example-langchain-rag", url=DevServer.start().url, model=MODEL) as vectorstore:
    vectorstore.add_documents(passages, ids=[str(number) for number in range(len(passages))])
    retriever = vectorstore.as_retriever(search_type="hybrid", search_kwargs={"k": 2})
    chain = {"passages": retriever | cite, "question": RunnablePassthrough()} | PROMPT | Echo() | StrOutputParser()
    print(chain.invoke("Where does a river end?"))

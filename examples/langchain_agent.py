"""Give an agent a tool that searches an index, with filters of its own choice.

    python examples/langchain_agent.py

The chat model here is scripted: it asks for the tool once and answers with what came back. Put one that calls tools in
its place.
"""

from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.prompts import PromptTemplate
from langchain_core.tools import create_retriever_tool

from langchain_opensearch_neural_sparse import OpenSearchNeuralSparseRetriever, OpenSearchNeuralSparseVectorStore
from opensearch_neural_sparse.devserver import DevServer

CALL = {"name": "search_articles", "args": {"query": "where do rivers end?"}, "id": "1"}

vectorstore = OpenSearchNeuralSparseVectorStore.from_texts(
    ["The heart pumps blood through the body.", "Rivers carry water to the sea."],
    metadatas=[{"title": "Heart"}, {"title": "River"}],
    ids=["heart", "river"],
    index="example-langchain-agent",
    url=DevServer.start().url,
    model="examples/models/small-en",
)
tool = create_retriever_tool(
    OpenSearchNeuralSparseRetriever(vectorstore=vectorstore, k=1),
    "search_articles",
    "Find passages of our articles.",
    document_prompt=PromptTemplate.from_template("{title}: {page_content}"),
)

chat_model = GenericFakeChatModel(messages=iter([AIMessage("", tool_calls=[CALL]), AIMessage("In the sea [River].")]))
messages: list[BaseMessage] = [HumanMessage("Where does a river end?")]
while (answer := chat_model.invoke(messages)).tool_calls:
    messages += [answer, *(tool.invoke({**call, "type": "tool_call"}) for call in answer.tool_calls)]
print(messages[-1].content)
print(answer.content)
vectorstore.close()

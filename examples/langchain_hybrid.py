"""Search by words, token weights and dense vectors at once, weighted, and see what each of them made of a document.

    python examples/langchain_hybrid.py

The dense model here makes numbers of letters. Put any of LangChain's `Embeddings` in its place.
"""

from langchain_core.embeddings import Embeddings

from langchain_opensearch_neural_sparse import OpenSearchNeuralSparseHybridRetriever, OpenSearchNeuralSparseVectorStore
from opensearch_neural_sparse import IndexSchema
from opensearch_neural_sparse.devserver import DevServer

TEXTS = {
    "Rivers carry water to the sea.": "nature",
    "A river of money flows through the bank.": "money",
    "The heart pumps blood through the body.": "nature",
}


class Letters(Embeddings):
    """Count the letters of a text."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [[float(text.lower().count(letter)) for letter in "aeioutrs"] for text in texts]

    def embed_query(self, text: str) -> list[float]:
        return self.embed_documents([text])[0]


vectorstore = OpenSearchNeuralSparseVectorStore.from_texts(
    TEXTS,
    Letters(),
    [{"topic": topic} for topic in TEXTS.values()],
    ids=list("123"),
    index="example-langchain-hybrid",
    url=DevServer.start().url,
    model="examples/models/small-en",
    schema=IndexSchema(embedding_dimension=8),
)
retriever = OpenSearchNeuralSparseHybridRetriever(
    vectorstore=vectorstore, legs=("bm25", "sparse", "dense"), weights=(0.2, 0.6, 0.2), k=2, explain=True
)
for document in retriever.invoke("where do rivers meet oceans?", filter={"topic": {"$in": ["nature"]}}):
    ranks = {name: leg["rank"] for name, leg in document.metadata["_legs"].items()}
    tokens = [match["token"] for match in document.metadata["_matches"]]
    print(document.page_content, ranks, tokens)
vectorstore.close()

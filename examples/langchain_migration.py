"""Move an index of langchain-community's `OpenSearchVectorSearch` here, its dense vectors with it.

    python examples/langchain_migration.py

The old index keeps its text under `text`, its vectors under `vector_field` and its metadata under `metadata`. The new
one has sparse vectors beside the dense ones, so that nothing is embedded again and both can be searched.
"""

from collections.abc import Iterator

from langchain_core.embeddings import Embeddings
from opensearchpy import OpenSearch, helpers

from langchain_opensearch_neural_sparse import OpenSearchNeuralSparseHybridRetriever, OpenSearchNeuralSparseVectorStore
from opensearch_neural_sparse import IndexSchema, SparseDocument
from opensearch_neural_sparse.devserver import DevServer

OLD, DIMENSION = "example-langchain-old", 3
ROWS = [
    ("heart", "The heart pumps blood through the body.", [1.0, 0.1, 0.1], {"topic": "medicine", "page": 7}),
    ("river", "Rivers carry water to the sea.", [0.1, 1.0, 0.1], {"topic": "geography", "page": 2}),
    ("bank", "A bank lends money to its customers.", [0.1, 0.1, 1.0], {"topic": "money", "page": 5}),
]


class OldModel(Embeddings):
    """Stands for the model that made the old vectors."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return [self.embed_query(text) for text in texts]

    def embed_query(self, text: str) -> list[float]:
        return [0.1, 1.0, 0.1] if "river" in text else [0.1, 0.1, 1.0]


def write_old_index(client: OpenSearch) -> None:
    """Write what OpenSearchVectorSearch writes."""
    client.indices.delete(index=OLD, ignore_unavailable=True)
    method = {"name": "hnsw", "engine": "lucene", "space_type": "l2"}
    vectors = {"type": "knn_vector", "dimension": DIMENSION, "method": method}
    mappings = {"properties": {"vector_field": vectors}}
    client.indices.create(index=OLD, body={"settings": {"index.knn": True}, "mappings": mappings})
    rows = [
        {"_index": OLD, "_id": key, "text": text, "vector_field": vector, "metadata": metadata}
        for key, text, vector, metadata in ROWS
    ]
    helpers.bulk(client, rows, refresh=True)


def read_old_index(client: OpenSearch) -> Iterator[SparseDocument]:
    for hit in helpers.scan(client, index=OLD):
        old = hit["_source"]
        yield SparseDocument(id=hit["_id"], text=old["text"], metadata=old["metadata"], embedding=old["vector_field"])


url = DevServer.start().url
with OpenSearch(url, timeout=60) as client:
    write_old_index(client)
    vectorstore = OpenSearchNeuralSparseVectorStore(
        index="example-langchain-new",
        url=url,
        model="examples/models/small-en",
        embedding=OldModel(),
        schema=IndexSchema(embedding_dimension=DIMENSION),
    )
    vectorstore.store.create(exist_ok=True)
    print(vectorstore.store.write(read_old_index(client)).written, "documents moved")

[document] = vectorstore.similarity_search("cardiac function", k=1, filter={"page": {"$gt": 5}})
print("sparse:", document.page_content, document.metadata)
dense = OpenSearchNeuralSparseHybridRetriever(vectorstore=vectorstore, legs=("dense",), k=1)
print("dense:", dense.invoke("where do rivers end?")[0].page_content)
vectorstore.close()

"""Give an index of opensearch-haystack sparse vectors, in place: its dense vectors are not made again, nor written.

    python examples/haystack_migration.py

Three steps: the index gets the fields, it is bound to a model, and the texts that it holds are encoded and added to
their documents. Searches go on meanwhile; the retrievers that it had go on working afterwards.
"""

from collections.abc import Iterator
from itertools import islice

from haystack import Document
from haystack.document_stores.types import DuplicatePolicy
from haystack_integrations.components.retrievers.opensearch import OpenSearchEmbeddingRetriever
from haystack_integrations.document_stores.opensearch import OpenSearchDocumentStore
from opensearchpy import OpenSearch
from opensearchpy.helpers import bulk

from haystack_integrations.components.retrievers.opensearch_neural_sparse import OpenSearchNeuralSparseRetriever
from haystack_integrations.document_stores.opensearch_neural_sparse import OpenSearchNeuralSparseDocumentStore
from opensearch_neural_sparse import NeuralSparseStore, load_document_encoder
from opensearch_neural_sparse.devserver import DevServer

MODEL = "examples/models/small-en"
BATCH = 200
url = DevServer.start().url

# The index as it was: texts and dense vectors, written by opensearch-haystack's own store.
before = OpenSearchDocumentStore(
    hosts=url,
    index="example-haystack-migration",
    embedding_dim=3,
    method={"engine": "lucene", "name": "hnsw", "space_type": "l2"},
    return_embedding=True,
)
before.write_documents(
    [
        Document(content="The heart pumps blood through the body.", embedding=[0.9, 0.1, 0.0]),
        Document(content="Rivers carry water to the sea.", embedding=[0.0, 0.3, 0.7]),
        Document(content="The liver cleans the blood.", embedding=[0.8, 0.0, 0.2]),
    ],
    policy=DuplicatePolicy.OVERWRITE,
)
dense = {document.id: document.embedding for document in before.filter_documents()}

# 1. The fields. 2. The model, which is stamped into the mapping.
client = OpenSearch(url)
fields = {"sparse_vector": {"type": "rank_features"}, "sparse_vector_model": {"type": "keyword"}}
client.indices.put_mapping(index="example-haystack-migration", body={"properties": fields})
index = NeuralSparseStore("example-haystack-migration", client=client, model=MODEL)
marker = index.bind_model().marker


# 3. The vectors, by partial updates.
def updates() -> Iterator[dict]:
    encoder = load_document_encoder(MODEL)
    documents = (document for document in index.scan() if document.text and document.vector is None)
    while batch := list(islice(documents, BATCH)):
        for document, vector in zip(batch, encoder.encode_documents([row.text for row in batch]), strict=True):
            added = {"sparse_vector": vector.to_dict(), "sparse_vector_model": marker}
            yield {"_op_type": "update", "_index": index.index, "_id": document.id, "doc": added}


encoded, _ = bulk(client, updates(), refresh=True)
print(f"{encoded} documents encoded")
print("dense vectors unchanged:", dense == {row.id: row.embedding for row in before.filter_documents()})

# From here on, one index and two stores.
after = OpenSearchNeuralSparseDocumentStore(hosts=url, index=index.index, embedding_dim=3, model=MODEL)
sparse_retriever = OpenSearchNeuralSparseRetriever(document_store=after, top_k=1)
dense_retriever = OpenSearchEmbeddingRetriever(document_store=before, top_k=1)
print("sparse:", sparse_retriever.run("cardiac muscle")["documents"][0].content)
print("dense:", dense_retriever.run([0.0, 0.2, 0.8])["documents"][0].content)

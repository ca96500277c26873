"""Search by words, by sparse vectors and by dense vectors at once, fused on the server.

    python examples/haystack_three_legs.py

The dense embedders here hash the words of a text: they need no download and mean little. Put any of Haystack's text
and document embedders in their place, such as those of sentence-transformers, and their number of dimensions.
"""

from dataclasses import replace
from hashlib import blake2b
from math import sqrt

from haystack import Document, component

from haystack_integrations.components.embedders.opensearch_neural_sparse import NeuralSparseDocumentEmbedder
from haystack_integrations.components.super_components.opensearch_neural_sparse import (
    OpenSearchNeuralSparseHybridSearch,
    OpenSearchNeuralSparseIndexer,
)
from haystack_integrations.document_stores.opensearch_neural_sparse import OpenSearchNeuralSparseDocumentStore
from opensearch_neural_sparse.devserver import DevServer

MODEL = "examples/models/small-en"
DIMENSIONS = 64


def hashed(text: str) -> list[float]:
    """Return a vector of length 1 in which every word of a text counts at a place of its own."""
    vector = [0.0] * DIMENSIONS
    for word in text.lower().split():
        vector[int.from_bytes(blake2b(word.encode(), digest_size=2).digest()) % DIMENSIONS] += 1.0
    length = sqrt(sum(value * value for value in vector)) or 1.0
    return [value / length for value in vector]


@component
class HashingTextEmbedder:
    """Embed a text by its words."""

    @component.output_types(embedding=list[float])
    def run(self, text: str) -> dict[str, list[float]]:
        return {"embedding": hashed(text)}


@component
class HashingDocumentEmbedder:
    """Embed documents by their words."""

    @component.output_types(documents=list[Document])
    def run(self, documents: list[Document]) -> dict[str, list[Document]]:
        return {"documents": [replace(document, embedding=hashed(document.content)) for document in documents]}


store = OpenSearchNeuralSparseDocumentStore(
    hosts=DevServer.start().url, index="example-haystack-three-legs", model=MODEL, embedding_dim=DIMENSIONS
)
indexer = OpenSearchNeuralSparseIndexer(
    document_store=store,
    embedder=NeuralSparseDocumentEmbedder(MODEL, progress_bar=False),
    dense_embedder=HashingDocumentEmbedder(),
    policy="overwrite",
)
indexer.run(
    [
        Document(content="The heart pumps blood through the body.", meta={"topic": "medicine"}),
        Document(content="The liver cleans the blood.", meta={"topic": "medicine"}),
        Document(content="Rivers carry water to the sea.", meta={"topic": "geography"}),
        Document(content="Glaciers feed many a river.", meta={"topic": "geography"}),
    ]
)

search = OpenSearchNeuralSparseHybridSearch(
    document_store=store, text_embedder=HashingTextEmbedder(), weights=[0.3, 0.4, 0.3], top_k=2, explain=True
)
geography = {"field": "meta.topic", "operator": "==", "value": "geography"}
for document in search.run("Where does the water of a river go?", filters=geography)["documents"]:
    ranks = {name: leg["rank"] for name, leg in document.meta["_explanation"]["legs"].items()}
    print(document.content, ranks)

indexer.close()

"""Serve a search over HTTP with Hayhooks, from a pipeline saved as YAML.

    pip install hayhooks
    python examples/haystack_serving.py pipelines
    HAYHOOKS_PIPELINES_DIR=pipelines hayhooks run

    curl localhost:1416/search/run -H 'Content-Type: application/json' \
        -d '{"query": "Where does a river end?", "top_k": 2}'

It writes `search.yml` into the folder it is given: what Haystack saves, and which inputs and outputs are served.
"""

import sys
from pathlib import Path

import yaml
from haystack import Document, Pipeline

from haystack_integrations.components.embedders.opensearch_neural_sparse import NeuralSparseDocumentEmbedder
from haystack_integrations.components.super_components.opensearch_neural_sparse import (
    OpenSearchNeuralSparseHybridSearch,
    OpenSearchNeuralSparseIndexer,
)
from haystack_integrations.document_stores.opensearch_neural_sparse import OpenSearchNeuralSparseDocumentStore
from opensearch_neural_sparse.devserver import DevServer

MODEL = "examples/models/small-en"

store = OpenSearchNeuralSparseDocumentStore(hosts=DevServer.start().url, index="example-haystack-served", model=MODEL)
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
indexer.close()

pipeline = Pipeline()
pipeline.add_component("search", OpenSearchNeuralSparseHybridSearch(document_store=store))
served = {
    "inputs": {"query": "search.query", "top_k": "search.top_k"},
    "outputs": {"documents": "search.documents"},
}
folder = Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
(folder / "search.yml").write_text(pipeline.dumps() + yaml.safe_dump(served))
print(f"HAYHOOKS_PIPELINES_DIR={folder} hayhooks run")

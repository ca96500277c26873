"""Index the pages of this project by passages, and find the pages that answer a question.

    python examples/haystack_indexing.py

Run it from the project's folder. It uses the OpenSearch of OPENSEARCH_URL, or starts one that goes on running, which
`opensearch-neural-sparse devserver stop` stops. A second run overwrites the pages; their ids stay, so passages that a
page no longer has are deleted.
"""

from pathlib import Path

from haystack import Document

from haystack_integrations.components.embedders.opensearch_neural_sparse import NeuralSparseDocumentEmbedder
from haystack_integrations.components.preprocessors.opensearch_neural_sparse import NeuralSparseDocumentSplitter
from haystack_integrations.components.super_components.opensearch_neural_sparse import (
    OpenSearchNeuralSparseHybridSearch,
    OpenSearchNeuralSparseIndexer,
)
from haystack_integrations.document_stores.opensearch_neural_sparse import OpenSearchNeuralSparseDocumentStore
from opensearch_neural_sparse.devserver import DevServer

MODEL = "examples/models/small-en"

store = OpenSearchNeuralSparseDocumentStore(hosts=DevServer.start().url, index="example-haystack-pages", model=MODEL)
indexer = OpenSearchNeuralSparseIndexer(
    document_store=store,
    splitter=NeuralSparseDocumentSplitter(MODEL, split_length=128, split_overlap=16),
    embedder=NeuralSparseDocumentEmbedder(MODEL, progress_bar=False),
    policy="overwrite",
)
pages = [Document(id=page.name, content=page.read_text()) for page in sorted(Path("docs").glob("*.md"))]
written = indexer.run(pages)["documents_written"]
print(f"{len(pages)} pages in {written} passages")

search = OpenSearchNeuralSparseHybridSearch(document_store=store, top_k=3, collapse="source_id")
question = "How do I get a server without Docker?"
print(question)
for passage in search.run(question)["documents"]:
    print(f"  {passage.meta['source_id']}, passage {passage.meta['split_id']}: {passage.content[:60]!r}")

indexer.close()

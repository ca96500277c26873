"""Search two indices of two models at once, English and multilingual, and join what they find by reciprocal ranks.

    python examples/haystack_two_models.py [MODEL]

MODEL is the second model, by default `multilingual-v1`, which is downloaded. Each index is searched by its own model:
scores of two models cannot be compared, ranks can.
"""

import sys

from haystack import Document, Pipeline
from haystack.components.joiners import DocumentJoiner

from haystack_integrations.components.embedders.opensearch_neural_sparse import NeuralSparseDocumentEmbedder
from haystack_integrations.components.retrievers.opensearch_neural_sparse import OpenSearchNeuralSparseRetriever
from haystack_integrations.components.super_components.opensearch_neural_sparse import OpenSearchNeuralSparseIndexer
from haystack_integrations.document_stores.opensearch_neural_sparse import OpenSearchNeuralSparseDocumentStore
from opensearch_neural_sparse.devserver import DevServer

ENGLISH = "examples/models/small-en"
MULTILINGUAL = sys.argv[1] if len(sys.argv) > 1 else "multilingual-v1"
TEXTS = {
    "english": ["Albert Einstein found the law of relativity.", "Rivers carry water to the sea."],
    "german": ["Albert Einstein wurde in Ulm geboren.", "Flüsse tragen Wasser ins Meer."],
}

url = DevServer.start().url
stores = {
    "english": OpenSearchNeuralSparseDocumentStore(hosts=url, index="example-haystack-english", model=ENGLISH),
    "german": OpenSearchNeuralSparseDocumentStore(hosts=url, index="example-haystack-german", model=MULTILINGUAL),
}
for language, model in (("english", ENGLISH), ("german", MULTILINGUAL)):
    indexer = OpenSearchNeuralSparseIndexer(
        document_store=stores[language],
        embedder=NeuralSparseDocumentEmbedder(model, progress_bar=False),
        policy="overwrite",
    )
    indexer.run([Document(content=text, meta={"language": language}) for text in TEXTS[language]])

both = Pipeline()
both.add_component("joiner", DocumentJoiner(join_mode="reciprocal_rank_fusion", top_k=2))
for language, store in stores.items():
    both.add_component(language, OpenSearchNeuralSparseRetriever(document_store=store))
    both.connect(f"{language}.documents", "joiner.documents")

question = "Where was Albert Einstein born?"
print(question)
found = both.run({language: {"query": question} for language in stores})["joiner"]["documents"]
for document in found:
    print(f"  {document.meta['language']}: {document.content}")

both.close()

"""Search two indices of two models at once, English and multilingual, and join what they find by reciprocal ranks.

    python examples/haystack_two_models.py [MODEL]

MODEL is the second model, by default `multilingual-v1`, which is downloaded. Each index is searched by its own model:
scores of two models cannot be compared, ranks can.
"""

import sys
from pathlib import Path

from haystack import Document, Pipeline
from haystack.components.joiners import DocumentJoiner

from haystack_integrations.components.embedders.opensearch_neural_sparse import NeuralSparseDocumentEmbedder
from haystack_integrations.components.retrievers.opensearch_neural_sparse import OpenSearchNeuralSparseRetriever
from haystack_integrations.components.super_components.opensearch_neural_sparse import OpenSearchNeuralSparseIndexer
from haystack_integrations.document_stores.opensearch_neural_sparse import OpenSearchNeuralSparseDocumentStore
from opensearch_neural_sparse import register_model
from opensearch_neural_sparse.devserver import DevServer

ENGLISH = "examples/models/small-en"
MULTILINGUAL = sys.argv[1] if len(sys.argv) > 1 else "multilingual-v1"
TEXTS = {
    "english": ["Albert Einstein found the law of relativity.", "Rivers carry water to the sea."],
    "german": ["Albert Einstein wurde in Ulm geboren.", "Flüsse tragen Wasser ins Meer."],
}

for model in (ENGLISH, MULTILINGUAL):
    if Path(model).is_dir():
        register_model(model)  # an index tells the name of its model, not its folder

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

question = "Where was Albert Einstein born?"

# Two retrievers and a joiner.
joined = Pipeline()
joined.add_component("joiner", DocumentJoiner(join_mode="reciprocal_rank_fusion", top_k=2))
for language, store in stores.items():
    joined.add_component(language, OpenSearchNeuralSparseRetriever(document_store=store))
    joined.connect(f"{language}.documents", "joiner.documents")
found = joined.run({language: {"query": question} for language in stores})["joiner"]["documents"]
print("joined:", [document.content for document in found])

# One store over both: each index is searched by the model that it is stamped with.
both = OpenSearchNeuralSparseDocumentStore(
    hosts=url, index="example-haystack-english,example-haystack-german", create_index=False
)
found = OpenSearchNeuralSparseRetriever(document_store=both, top_k=2).run(question)["documents"]
print("one store:", [document.content for document in found])

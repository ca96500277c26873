"""Search two indices of two models at once, English and multilingual.

    python examples/langchain_two_models.py [MODEL]

MODEL is the second model, by default `multilingual-v1`, which is downloaded. Each index is searched by its own model,
and what they find is fused by reciprocal ranks: scores of two models cannot be compared, ranks can.
"""

import sys
from pathlib import Path

from langchain_opensearch_neural_sparse import OpenSearchNeuralSparseVectorStore
from opensearch_neural_sparse import register_model
from opensearch_neural_sparse.devserver import DevServer

ENGLISH = "examples/models/small-en"
MULTILINGUAL = sys.argv[1] if len(sys.argv) > 1 else "multilingual-v1"
TEXTS = {
    "english": ["Albert Einstein found the law of relativity.", "Rivers carry water to the sea."],
    "german": ["Albert Einstein wurde in Ulm geboren.", "Flüsse tragen Wasser ins Meer."],
}

url = DevServer.start().url
for language, model in (("english", ENGLISH), ("german", MULTILINGUAL)):
    if Path(model).is_dir():
        register_model(model)  # published models are known already; with this, an index finds its own by name
    ids = [f"{language}-{number}" for number in range(2)]
    metadatas = [{"language": language}] * 2
    name = {"english": "example-langchain-english", "german": "example-langchain-german"}[language]
    OpenSearchNeuralSparseVectorStore.from_texts(
        TEXTS[language], metadatas=metadatas, ids=ids, index=name, url=url, model=model
    ).close()

question = "Where was Albert Einstein born?"
print(question)
with OpenSearchNeuralSparseVectorStore("example-langchain-english,example-langchain-german", url=url) as both:
    for document in both.similarity_search(question, k=2):
        print(f"  {document.metadata['language']}: {document.page_content}")

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from typing import Any

import pytest

pytest.importorskip("haystack_integrations.document_stores.opensearch", reason="the haystack extra is not installed")

from haystack import Document, Pipeline
from haystack.components.builders import PromptBuilder

from haystack_integrations.components.embedders.opensearch_neural_sparse import (
    NeuralSparseDocumentEmbedder,
    NeuralSparseTextEmbedder,
)
from haystack_integrations.components.retrievers.opensearch_neural_sparse import (
    OpenSearchNeuralSparseHybridRetriever,
    OpenSearchNeuralSparseRetriever,
)
from tests.haystack_layer.conftest import MakeStore
from tests.paths import SMALL_MODEL

pytestmark = pytest.mark.newest_server

QUESTION = "How do I split a string?"
TEMPLATE = "{% for document in documents %}{{ document.content }}\n{% endfor %}{{ question }}"
IN_ANOTHER_PROCESS = """
import json, sys
from haystack import Pipeline
pipeline = Pipeline.loads(sys.stdin.read())
found = pipeline.run({"retriever": {"query": sys.argv[1]}})["retriever"]["documents"]
pipeline.close()
print(json.dumps([document.to_dict() for document in found]))
"""


@pytest.fixture
def store(make_store: MakeStore, embedder: NeuralSparseDocumentEmbedder) -> Any:
    store = make_store()
    documents = [
        Document(content="Split a string into a list of words.", meta={"module": "str", "tags": ["a", "b"]}),
        Document(content="Open a file and return its lines.", meta={"module": "io"}),
    ]
    store.write_documents(embedder.run(documents)["documents"])
    return store


def ask(pipeline: Pipeline, inputs: dict[str, Any]) -> tuple[list[Document], str]:
    answer = pipeline.run(inputs, include_outputs_from={"retriever"})
    pipeline.close()
    return answer["retriever"]["documents"], answer["prompt"]["prompt"]


def test_text_pipeline_gives_the_same_answers_after_yaml(store: Any) -> None:
    pipeline = Pipeline()
    retriever = OpenSearchNeuralSparseHybridRetriever(document_store=store, top_k=2, filter_policy="merge")
    pipeline.add_component("retriever", retriever)
    pipeline.add_component("prompt", PromptBuilder(template=TEMPLATE, required_variables=["question"]))
    pipeline.connect("retriever.documents", "prompt.documents")
    saved = pipeline.dumps()
    loaded = Pipeline.loads(saved)
    assert loaded.dumps() == saved
    inputs = {"retriever": {"query": QUESTION}, "prompt": {"question": QUESTION}}
    documents, prompt = ask(pipeline, inputs)
    assert documents[0].content == "Split a string into a list of words."
    assert prompt.endswith(QUESTION)
    assert ask(loaded, inputs) == (documents, prompt)


def test_embedding_pipeline_gives_the_same_answers_after_yaml(store: Any) -> None:
    pipeline = Pipeline()
    pipeline.add_component("embedder", NeuralSparseTextEmbedder(SMALL_MODEL))
    pipeline.add_component("retriever", OpenSearchNeuralSparseRetriever(document_store=store, top_k=1))
    pipeline.connect("embedder.sparse_embedding", "retriever.query_sparse_embedding")
    loaded = Pipeline.loads(pipeline.dumps())
    inputs = {"embedder": {"text": QUESTION}}
    found = pipeline.run(inputs)["retriever"]["documents"]
    assert found[0].meta == {"module": "str", "tags": ["a", "b"]}
    assert loaded.run(inputs)["retriever"]["documents"] == found
    loaded.close()


async def test_pipeline_runs_asynchronously(store: Any) -> None:
    pipeline = Pipeline()
    pipeline.add_component("embedder", NeuralSparseTextEmbedder(SMALL_MODEL))
    pipeline.add_component("retriever", OpenSearchNeuralSparseRetriever(document_store=store, top_k=1))
    pipeline.connect("embedder.sparse_embedding", "retriever.query_sparse_embedding")
    inputs = {"embedder": {"text": QUESTION}}
    await pipeline.warm_up_async()
    assert await pipeline.run_async(inputs) == pipeline.run(inputs)
    await pipeline.close_async()
    pipeline.close()


async def test_many_pipelines_run_at_once_on_one_store(store: Any) -> None:
    pipeline = Pipeline()
    pipeline.add_component("embedder", NeuralSparseTextEmbedder(SMALL_MODEL))
    pipeline.add_component("sparse", OpenSearchNeuralSparseRetriever(document_store=store, top_k=1))
    pipeline.add_component("hybrid", OpenSearchNeuralSparseHybridRetriever(document_store=store, top_k=1))
    pipeline.connect("embedder.sparse_embedding", "sparse.query_sparse_embedding")
    pipeline.connect("embedder.sparse_embedding", "hybrid.query_sparse_embedding")
    asked = {"Split a string": "str", "Open a file": "io"}
    inputs = [{"embedder": {"text": text}, "hybrid": {"query": text}} for text in asked] * 25
    answers = await asyncio.gather(*map(pipeline.run_async, inputs))
    for answer, module in zip(answers, list(asked.values()) * 25, strict=True):
        assert answer["sparse"]["documents"][0].meta["module"] == module
        assert answer["hybrid"]["documents"][0].meta["module"] == module
    await pipeline.close_async()


def test_yaml_loads_where_nothing_of_ours_was_imported(store: Any) -> None:
    pipeline = Pipeline()
    pipeline.add_component("retriever", OpenSearchNeuralSparseRetriever(document_store=store))
    done = subprocess.run(
        [sys.executable, "-c", IN_ANOTHER_PROCESS, QUESTION],
        input=pipeline.dumps(),
        env={**os.environ, "HAYSTACK_DESERIALIZATION_ALLOWLIST": ""},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    expected = pipeline.run({"retriever": {"query": QUESTION}})["retriever"]["documents"]
    assert [Document.from_dict(row) for row in json.loads(done.stdout)] == expected

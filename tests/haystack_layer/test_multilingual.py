"""Queries in eight languages by the query side of the multilingual model, its own tokenizer and idf table.

The transformer of the model is not at hand, so a document is embedded as a query is: each of its tokens once, by its
weight in the table. What is tested is the path of a text in any script, not the model's relevance.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("haystack_integrations.document_stores.opensearch", reason="the haystack extra is not installed")

from haystack import Document, Pipeline
from haystack.dataclasses import SparseEmbedding
from opensearchpy import OpenSearch

from haystack_integrations.components.embedders.opensearch_neural_sparse import NeuralSparseTextEmbedder
from haystack_integrations.components.retrievers.opensearch_neural_sparse import OpenSearchNeuralSparseRetriever
from haystack_integrations.document_stores.opensearch_neural_sparse import OpenSearchNeuralSparseDocumentStore
from opensearch_neural_sparse.evaluate.datasets.beir import Collection, read_collection
from tests.paths import DATA

pytestmark = [pytest.mark.slow, pytest.mark.newest_server]
LANGUAGES = ("ar", "de", "en", "es", "hi", "ru", "vi", "zh")
STEP = 50
"""Of the 1190 questions of a language, one in so many is asked."""


@dataclass(frozen=True)
class Library:
    """A store that holds the passages of every language, their ids beginning with the language's."""

    store: OpenSearchNeuralSparseDocumentStore
    embedder: NeuralSparseTextEmbedder
    pipeline: Pipeline
    collections: Mapping[str, Collection]


@pytest.fixture(scope="module")
def library(server: Any, snapshot: Callable[..., Path]) -> Iterator[Library]:
    if not (DATA / "xquad").is_dir():
        pytest.skip(f"the questions are not in {DATA / 'xquad'}")
    model, name = snapshot(vocabulary="mbert"), f"test-{uuid.uuid4().hex}"
    embedder = NeuralSparseTextEmbedder(model)
    store = OpenSearchNeuralSparseDocumentStore(
        model=model, hosts=server.url, index=name, timeout=60, metadata_fields={"language": {"type": "keyword"}}
    )
    collections = {language: read_collection(DATA / "xquad" / language) for language in LANGUAGES}
    for language, collection in collections.items():
        store.write_documents([as_document(embedder, language, *row) for row in collection.documents.items()])
    pipeline = Pipeline()
    pipeline.add_component("embedder", embedder)
    pipeline.add_component("retriever", OpenSearchNeuralSparseRetriever(document_store=store, top_k=10))
    pipeline.connect("embedder.sparse_embedding", "retriever.query_sparse_embedding")
    yield Library(store, embedder, pipeline, collections)
    store.close()
    with OpenSearch(server.url, timeout=60) as client:
        client.indices.delete(index=name, ignore_unavailable=True)


def as_document(embedder: NeuralSparseTextEmbedder, language: str, key: str, text: str) -> Document:
    made = embedder.run(text)["sparse_embedding"]
    embedding = SparseEmbedding(made.indices, made.values)
    return Document(id=f"{language}-{key}", content=text, meta={"language": language}, sparse_embedding=embedding)


def in_language(language: str) -> dict[str, Any]:
    return {"field": "meta.language", "operator": "==", "value": language}


@pytest.mark.parametrize("language", LANGUAGES)
def test_passage_that_answers_a_question_is_found(library: Library, language: str) -> None:
    collection = library.collections[language]
    texts = OpenSearchNeuralSparseRetriever(document_store=library.store, top_k=10, filters=in_language(language))
    answered, asked = 0, list(collection.queries.items())[::STEP]
    for key, question in asked:
        inputs = {"embedder": {"text": question}, "retriever": {"filters": in_language(language)}}
        found = library.pipeline.run(inputs)["retriever"]["documents"]
        assert found == texts.run(question)["documents"]
        assert {document.meta["language"] for document in found} == {language}
        relevant = {f"{language}-{document}" for document in collection.judgements[key]}
        answered += bool(relevant & {document.id for document in found})
    assert answered >= 0.7 * len(asked)


async def test_explanation_names_tokens_of_the_questions_own_script(library: Library) -> None:
    retriever = OpenSearchNeuralSparseRetriever(document_store=library.store, top_k=1, explain=True)
    for language, letters in (("ru", "абвгдежзийклмнопрстуфхцчшщъыьэюя"), ("zh", "的黑豹防守分少了")):
        question = next(iter(library.collections[language].queries.values()))
        (document,) = (await retriever.run_async(question))["documents"]
        tokens = {row["token"].removeprefix("##") for row in document.meta["_explanation"]["tokens"]}
        assert document.meta["language"] == language
        assert any(set(token) <= set(letters) for token in tokens)
    await library.store.close_async()


@pytest.mark.parametrize("text", ["", "\u3000", "𓀀𓁀𓂀", "\ue000"], ids=["empty", "blank", "hieroglyphs", "private use"])
def test_nothing_is_found_for_a_text_of_which_the_model_knows_no_token(library: Library, text: str) -> None:
    assert library.embedder.run(text)["sparse_embedding"].indices == []
    assert OpenSearchNeuralSparseRetriever(document_store=library.store).run(text) == {"documents": []}

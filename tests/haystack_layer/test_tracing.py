"""Components under Haystack's tracer: what they do is within the span of the component."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from haystack import Document, Pipeline, tracing
from haystack.components.writers import DocumentWriter
from opentelemetry import trace

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
from tests.recorded_telemetry import Recorded

pytestmark = pytest.mark.newest_server


class HaystackSpan(tracing.Span):
    """A span of OpenTelemetry, as Haystack's integration has it."""

    def __init__(self, span: trace.Span) -> None:
        self._span = span

    def set_tag(self, key: str, value: Any) -> None:
        self._span.set_attribute(key, str(value))


class HaystackTracer(tracing.Tracer):
    """A tracer by OpenTelemetry, as Haystack's integration has it; components have their names."""

    def __init__(self, tracer: trace.Tracer) -> None:
        self._tracer = tracer

    @contextmanager
    def trace(
        self, operation_name: str, tags: dict[str, Any] | None = None, parent_span: tracing.Span | None = None
    ) -> Iterator[tracing.Span]:
        name = (tags or {}).get("haystack.component.name", operation_name)
        with self._tracer.start_as_current_span(name) as span:
            yield HaystackSpan(span)

    def current_span(self) -> tracing.Span | None:
        return HaystackSpan(trace.get_current_span())


@pytest.fixture
def traced(recorded: Recorded) -> Iterator[Recorded]:
    tracing.enable_tracing(HaystackTracer(recorded.tracer("haystack")))
    yield recorded
    tracing.disable_tracing()


@pytest.fixture
def query_pipeline(make_store: MakeStore, embedder: NeuralSparseDocumentEmbedder) -> Pipeline:
    store = make_store()
    store.write_documents(embedder.run([Document(content="split a string"), Document(content="a cat")])["documents"])
    pipeline = Pipeline()
    pipeline.add_component("retriever", OpenSearchNeuralSparseRetriever(document_store=store))
    pipeline.add_component(
        "hybrid", OpenSearchNeuralSparseHybridRetriever(document_store=make_store(), fusion="client")
    )
    return pipeline


INPUT = {"retriever": {"query": "split"}, "hybrid": {"query": "split"}}


def assert_within_components(recorded: Recorded) -> None:
    searched = recorded.parents(recorded.span("sparse_search"))
    assert searched[:2] == ["retriever", "haystack.pipeline.run"]
    fused = recorded.parents(recorded.span("hybrid_search"))
    assert fused[:2] == ["hybrid", "haystack.pipeline.run"]
    assert recorded.parents(recorded.span("msearch"))[1:3] == ["hybrid", "haystack.pipeline.run"]
    encoded = recorded.spans("encode_queries")
    assert {recorded.parents(span)[1] for span in encoded} == {"retriever", "hybrid"}


def test_searches_are_within_the_spans_of_their_components(query_pipeline: Pipeline, traced: Recorded) -> None:
    query_pipeline.run(INPUT)
    assert_within_components(traced)


async def test_awaited_searches_are_within_the_spans_of_their_components(
    query_pipeline: Pipeline, traced: Recorded
) -> None:
    await query_pipeline.run_async(INPUT)
    assert_within_components(traced)


def test_indexing_is_within_the_spans_of_embedder_and_writer(make_store: MakeStore, traced: Recorded) -> None:
    pipeline = Pipeline()
    pipeline.add_component("embedder", NeuralSparseDocumentEmbedder(SMALL_MODEL, progress_bar=False))
    pipeline.add_component("writer", DocumentWriter(make_store()))
    pipeline.connect("embedder.documents", "writer.documents")
    pipeline.run({"embedder": {"documents": [Document(content="split a string")]}})
    assert traced.parents(traced.span("encode_documents")) == ["embedder", "haystack.pipeline.run"]
    assert traced.parents(traced.span("bulk"))[1:] == ["writer", "haystack.pipeline.run"]


async def test_an_awaited_text_embedder_encodes_within_its_span(traced: Recorded) -> None:
    pipeline = Pipeline()
    pipeline.add_component("embedder", NeuralSparseTextEmbedder(SMALL_MODEL))
    await pipeline.run_async({"embedder": {"text": "split"}})
    assert traced.parents(traced.span("encode_queries")) == ["embedder", "haystack.pipeline.run"]

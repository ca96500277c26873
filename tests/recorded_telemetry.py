"""What the package sends to OpenTelemetry, recorded in memory; no global provider is set."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from opentelemetry import metrics as metrics_api
from opentelemetry import trace as trace_api
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Tracer

from opensearch_neural_sparse.telemetry import metrics, tracing


@dataclass
class Recorded:
    """Spans and metrics."""

    exporter: InMemorySpanExporter = field(default_factory=InMemorySpanExporter)
    reader: InMemoryMetricReader = field(default_factory=InMemoryMetricReader)
    provider: TracerProvider = field(default_factory=TracerProvider)

    def tracer(self, name: str) -> Tracer:
        return self.provider.get_tracer(name)

    def spans(self, operation: str | None = None) -> list[ReadableSpan]:
        """Return finished spans in the order of their ends, all or those of an operation."""
        found = self.exporter.get_finished_spans()
        return [span for span in found if operation in (None, (span.attributes or {}).get("db.operation.name"))]

    def span(self, operation: str) -> ReadableSpan:
        (span,) = self.spans(operation)
        return span

    def parents(self, span: ReadableSpan) -> list[str]:
        """Return the names of the spans around a span, the nearest first."""
        by_id = {each.context.span_id: each for each in self.spans() if each.context is not None}
        names, parent = list[str](), span.parent
        while parent is not None:
            names.append(by_id[parent.span_id].name)
            parent = by_id[parent.span_id].parent
        return names

    def points(self, name: str) -> list[Any]:
        """Return the data points of a metric."""
        data = self.reader.get_metrics_data()
        found = [
            metric
            for resource in (data.resource_metrics if data is not None else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
        ]
        return [point for metric in found if metric.name == name for point in metric.data.data_points]


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorded]:
    """Record the spans and metrics of a test."""
    recorded = Recorded()
    recorded.provider.add_span_processor(SimpleSpanProcessor(recorded.exporter))
    meters = MeterProvider(metric_readers=[recorded.reader])
    monkeypatch.setattr(trace_api, "get_tracer_provider", lambda: recorded.provider)
    monkeypatch.setattr(metrics_api, "get_meter_provider", lambda: meters)
    monkeypatch.setattr(tracing, "_tracer", lambda: recorded.tracer("opensearch_neural_sparse"))
    monkeypatch.setattr(metrics, "_meter", lambda: meters.get_meter("opensearch_neural_sparse"))
    _forget_instruments()
    yield recorded
    _forget_instruments()
    meters.shutdown()
    recorded.provider.shutdown()


def _forget_instruments() -> None:
    metrics._histogram.cache_clear()
    metrics._counter.cache_clear()

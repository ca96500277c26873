"""Metrics of OpenTelemetry, in programs that use it."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from opensearch_neural_sparse.telemetry.conventions import OUTCOME, OWN, Attributes
from opensearch_neural_sparse.telemetry.tracing import is_provided
from opensearch_neural_sparse.version import __version__

if TYPE_CHECKING:
    from opentelemetry.metrics import Counter, Histogram, Meter

REQUEST_DURATION = "db.client.operation.duration"
OPERATION_DURATION = f"{OWN}.operation.duration"
DOCUMENTS = f"{OWN}.documents"
_BOUNDARIES = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0)
"""Upper bounds of a histogram of seconds, as OpenTelemetry's conventions for databases have them."""


def is_measured() -> bool:
    """Return whether the program has a provider of metrics; nothing of OpenTelemetry is imported for it."""
    return is_provided("opentelemetry.metrics", "get_meter_provider")


def record_duration(name: str, seconds: float, attributes: Attributes) -> None:
    """Record the duration of a request or an operation.

    Args:
        name: Name of the histogram.
        seconds: How long it took.
        attributes: What it was.
    """
    if is_measured():
        _histogram(name).record(seconds, dict(attributes))


def count_documents(outcomes: dict[str, int], attributes: Attributes) -> None:
    """Count the documents of a write.

    Args:
        outcomes: Outcome -> how many documents had it.
        attributes: Attributes of the write.
    """
    if not is_measured():
        return
    for outcome, count in outcomes.items():
        if count:
            _counter().add(count, {**attributes, OUTCOME: outcome})


@lru_cache
def _histogram(name: str) -> Histogram:
    whose = "requests to the server" if name == REQUEST_DURATION else "searches, writes and encodings"
    return _meter().create_histogram(
        name, unit="s", description=f"Duration of {whose}.", explicit_bucket_boundaries_advisory=_BOUNDARIES
    )


@lru_cache
def _counter() -> Counter:
    return _meter().create_counter(DOCUMENTS, unit="{document}", description="Documents by the outcome of their write.")


@lru_cache
def _meter() -> Meter:
    from opentelemetry import metrics

    return metrics.get_meter(OWN, __version__)

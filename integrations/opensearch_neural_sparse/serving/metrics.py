"""Metrics of an encoder service, in Prometheus' format."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

PREFIX = "neural_sparse"
SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class ServiceMetrics:
    """Counters of a service, in a registry of their own.

    Attributes:
        requests: Requests by endpoint and status.
        texts: Encoded texts by input type.
        batch_texts: Texts of each call of the model.
        batch_requests: Requests whose texts each call of the model had.
        queue_texts: Texts that wait for the model.
        encode_seconds: Seconds of each call of the model.
        refused: Refused requests by reason.
    """

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self.requests = Counter(
            f"{PREFIX}_requests", "Requests by endpoint and status.", ("endpoint", "status"), registry=registry
        )
        self.texts = Counter(f"{PREFIX}_texts", "Encoded texts by input type.", ("input_type",), registry=registry)
        self.batch_texts = Histogram(
            f"{PREFIX}_batch_texts", "Texts of a call of the model.", buckets=SIZES, registry=registry
        )
        self.batch_requests = Histogram(
            f"{PREFIX}_batch_requests", "Requests of a call of the model.", buckets=SIZES, registry=registry
        )
        self.queue_texts = Gauge(f"{PREFIX}_queue_texts", "Texts that wait for the model.", registry=registry)
        self.encode_seconds = Histogram(
            f"{PREFIX}_encode_seconds", "Seconds of a call of the model.", buckets=SECONDS, registry=registry
        )
        self.refused = Counter(f"{PREFIX}_refused", "Refused requests by reason.", ("reason",), registry=registry)
        ProcessCollector(registry=registry)

    def observe_batch(self, *, texts: int, requests: int, seconds: float) -> None:
        """Count a call of the model.

        Args:
            texts: How many texts it had.
            requests: Of how many requests.
            seconds: How long it took.
        """
        self.batch_texts.observe(texts)
        self.batch_requests.observe(requests)
        self.encode_seconds.observe(seconds)

    def as_text(self) -> bytes:
        """Return the metrics in Prometheus' text format."""
        return generate_latest(self._registry)

"""Define the settings, costs and runs of an evaluation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from opensearch_neural_sparse.encode.pruning import Prune
from opensearch_neural_sparse.evaluate.datasets.beir import Collection
from opensearch_neural_sparse.evaluate.experiments.exact_search import Ranking
from opensearch_neural_sparse.evaluate.metrics.relevance import METRICS, mean_metrics, query_metrics

SIZE = 100
"""Hits of each query, as many as recall@100 needs."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """A model and the options of its document encoder.

    Attributes:
        model: Name, id or folder of the model.
        max_length: Longest document in tokens; None is the model's own.
        prune: Pruning of document vectors; None keeps all tokens.
    """

    model: str | Path
    max_length: int | None = None
    prune: Prune | None = None

    @property
    def label(self) -> str:
        """Name in tables."""
        parts = [Path(self.model).name]
        if self.max_length is not None:
            parts.append(f"max_length {self.max_length}")
        if self.prune is not None:
            parts.append(" ".join(map(str, self.prune.to_dict().values())))
        return ", ".join(parts)


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Cost of a search method; None where unknown or not applicable.

    Attributes:
        flops: Expected multiplications between a query and a document.
        document_tokens: Active dimensions of a document, on average.
        query_tokens: Active dimensions of a query, on average.
        encode_seconds: Seconds of encoding `encoded` documents.
        encoded: Number of documents encoded, without those found in the cache.
        index_bytes: Size of the whole index: text, `_source` and vectors.
        p50_ms: Median time of a query, encoding included.
        p99_ms: 99th percentile of that time.
    """

    flops: float | None = None
    document_tokens: float | None = None
    query_tokens: float | None = None
    encode_seconds: float | None = None
    encoded: int | None = None
    index_bytes: int | None = None
    p50_ms: float | None = None
    p99_ms: float | None = None


@dataclass(frozen=True, kw_only=True)
class Run:
    """Rankings and metrics of one search method on a collection.

    Attributes:
        collection: Name of the collection.
        way: The search method: `bm25` and its analyzer, `sparse`, `sparse exact` (without a server), `dense`,
            `idf lexical`, or the specification of a hybrid.
        setting: Models of the method and their settings; empty where it has none.
        metrics: Metric -> mean over the judged queries.
        cost: Cost of the method.
        per_query: Query id -> metric -> value.
        rankings: Query id -> document id -> score, in the order of the server, which the metrics are computed from.
    """

    collection: str
    way: str
    setting: str = ""
    metrics: Mapping[str, float]
    cost: Cost = field(default_factory=Cost)
    per_query: Mapping[str, Mapping[str, float]] = field(repr=False)
    rankings: Mapping[str, Ranking] = field(repr=False)

    @classmethod
    def of(
        cls,
        collection: Collection,
        way: str,
        rankings: Mapping[str, Ranking],
        *,
        setting: str = "",
        cost: Cost = Cost(),
    ) -> Run:
        """Compute the metrics of rankings."""
        return cls(
            collection=collection.name,
            way=way,
            setting=setting,
            metrics=mean_metrics(collection.judgements, rankings, METRICS),
            cost=cost,
            per_query=query_metrics(collection.judgements, rankings, METRICS),
            rankings=rankings,
        )

"""Attributes of results, for traces and logs: counts and times, no text."""

from __future__ import annotations

from collections.abc import Sequence

from opensearch_neural_sparse.index.bulk.report import NOT_SENT, BulkReport
from opensearch_neural_sparse.search.results.hits import SearchHits
from opensearch_neural_sparse.telemetry.conventions import (
    BATCH_SIZE,
    DONE,
    FUSION,
    FUSION_REASON,
    LEG_MS,
    LEGS,
    NOT_SENT_COUNT,
    REFUSED,
    RETURNED,
    SERVER_MS,
    TOTAL,
    UNKNOWN,
    Attributes,
    AttributeValue,
)

_ATTRIBUTES = {DONE: "done", REFUSED: "refused", NOT_SENT_COUNT: "not sent", UNKNOWN: "of unknown outcome"}


def describe_hits(hits: SearchHits) -> Attributes:
    """Return attributes of the hits of a search."""
    described: dict[str, AttributeValue] = {RETURNED: len(hits), TOTAL: hits.total, SERVER_MS: hits.took_ms}
    if hits.fusion is not None:
        described[FUSION] = hits.fusion
    if hits.fusion_reason is not None:
        described[FUSION_REASON] = hits.fusion_reason
    if hits.leg_took_ms:
        described |= {LEGS: [*hits.leg_took_ms], LEG_MS: [*hits.leg_took_ms.values()]}
    return described


def describe_all_hits(found: Sequence[SearchHits]) -> Attributes:
    """Return attributes of the hits of several searches."""
    took = max((hits.took_ms for hits in found), default=0)
    return {BATCH_SIZE: len(found), RETURNED: sum(map(len, found)), SERVER_MS: took}


def describe_report(report: BulkReport) -> Attributes:
    """Return attributes of the report of a write."""
    outcomes = count_outcomes(report)
    return {name: outcomes[outcome] for name, outcome in _ATTRIBUTES.items() if outcomes[outcome] or name == DONE}


def count_outcomes(report: BulkReport) -> dict[str, int]:
    """Return how many documents of a write had each outcome."""
    not_sent = sum(failure.error_type == NOT_SENT for failure in report.failed)
    refused = len(report.failed) - not_sent
    return {"done": report.written, "refused": refused, "not sent": not_sent, "of unknown outcome": len(report.unknown)}


def repr_over(owner: object, store: object) -> str:
    """Return the representation of an object that works on a store: its own name, with what the store shows.

    Args:
        owner: The object.
        store: Its store, blocking or awaited.
    """
    return type(owner).__name__ + repr(store).removeprefix(type(store).__name__)

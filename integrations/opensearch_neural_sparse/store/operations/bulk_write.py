"""Bulk writes, with what traces, metrics and logs say of them."""

from __future__ import annotations

import logging
from functools import partial
from time import monotonic

from opensearch_neural_sparse.index.bulk.report import BulkReport
from opensearch_neural_sparse.store.context import StoreContext
from opensearch_neural_sparse.store.described import count_outcomes, describe_report
from opensearch_neural_sparse.store.steps import BulkWrite, Observed, Steps
from opensearch_neural_sparse.telemetry.conventions import COLLECTION, OPENSEARCH, OPERATION, SYSTEM
from opensearch_neural_sparse.telemetry.metrics import count_documents

_DONE = {"write": "written", "update": "updated", "delete": "deleted"}
_logger = logging.getLogger(__name__)


def bulk_write(context: StoreContext, write: BulkWrite, name: str) -> Steps[BulkReport]:
    """Send bulk actions and return their report.

    Args:
        context: The store's context.
        write: The actions.
        name: What is done to the documents: `write`, `update` or `delete`.
    """
    started = monotonic()
    report: BulkReport = yield Observed(name, partial(_write, write), describe_report)
    outcomes = count_outcomes(report)
    count_documents(outcomes, {SYSTEM: OPENSEARCH, COLLECTION: write.index, OPERATION: name})
    words = {"done": _DONE[name]}
    counts = [f"{count} {words.get(outcome, outcome)}" for outcome, count in outcomes.items() if count]
    _logger.info(
        "Bulk %s of index %r: %s, in %.2f s.",
        name,
        context.index,
        ", ".join(counts) or "nothing",
        monotonic() - started,
    )
    return report


def _write(write: BulkWrite) -> Steps[BulkReport]:
    report: BulkReport = yield write
    return report

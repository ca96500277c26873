"""Haystack's duplicate policies -> operations of a bulk request, and their failures."""

from __future__ import annotations

from dataclasses import replace

from haystack.document_stores.errors import DocumentStoreError, DuplicateDocumentError
from haystack.document_stores.types import DuplicatePolicy

from opensearch_neural_sparse import BulkOperation, BulkReport

CONFLICT = "version_conflict_engine_exception"


def operation_of(policy: DuplicatePolicy) -> BulkOperation:
    """Return the bulk operation of a policy."""
    return BulkOperation.INDEX if policy is DuplicatePolicy.OVERWRITE else BulkOperation.CREATE


def count_written(report: BulkReport, policy: DuplicatePolicy) -> int:
    """Return how many documents an incomplete write wrote, where ids that exist are all that it failed on.

    Raises:
        DuplicateDocumentError: The policy is to fail, and ids exist already; it is the default.
        DocumentStoreError: Some documents were not written for another reason.
    """
    duplicates = [failure.id for failure in report.failed if failure.error_type == CONFLICT]
    others = tuple(failure for failure in report.failed if failure.error_type != CONFLICT)
    if others or report.unknown or report.stopped:
        raise DocumentStoreError(str(replace(report, failed=others))) from None
    if duplicates and policy is not DuplicatePolicy.SKIP:
        shown = ", ".join(map(repr, duplicates[:5]))
        raise DuplicateDocumentError(
            f"{len(duplicates)} documents have ids that exist already, {report.written} were written: {shown}. "
            "Write with DuplicatePolicy.OVERWRITE or DuplicatePolicy.SKIP, or give them other ids."
        ) from None
    return report.written

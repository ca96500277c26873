"""Haystack's duplicate policies -> operations of a bulk request, and their failures."""

from __future__ import annotations

from dataclasses import replace

from haystack.document_stores.errors import DocumentStoreError, DuplicateDocumentError
from haystack.document_stores.types import DuplicatePolicy

from opensearch_neural_sparse import BulkOperation, BulkReport
from opensearch_neural_sparse.layer_support import check_text, check_type, shown_value

CONFLICT = "version_conflict_engine_exception"


def policy_of(policy: str | DuplicatePolicy) -> DuplicatePolicy:
    """Return a policy given by name or as itself.

    Raises:
        TypeError: Neither.
        ValueError: No such policy.
    """
    if isinstance(policy, DuplicatePolicy):
        return policy
    check_text(policy=policy)
    if policy not in (known := [each.value for each in DuplicatePolicy]):
        raise ValueError(f"policy is one of {known}, got {shown_value(policy)}.")
    return DuplicatePolicy(policy)


def operation_of(policy: DuplicatePolicy) -> BulkOperation:
    """Return the bulk operation of a policy.

    Raises:
        TypeError: It is none.
    """
    check_type(DuplicatePolicy, policy=policy)
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
        shown = others if policy is DuplicatePolicy.SKIP else report.failed
        raise DocumentStoreError(str(replace(report, failed=shown))) from None
    if duplicates and policy is not DuplicatePolicy.SKIP:
        named = ", ".join(map(repr, duplicates[:5]))
        raise DuplicateDocumentError(
            f"{len(duplicates)} documents have ids that exist already, {report.written} were written: {named}. "
            "Write with DuplicatePolicy.OVERWRITE or DuplicatePolicy.SKIP, or give them other ids."
        ) from None
    return report.written

"""Documents read and written by id."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from opensearch_neural_sparse.error_reasons import short_reason
from opensearch_neural_sparse.errors import ServerRequestError
from opensearch_neural_sparse.index.bulk.actions import BulkOperation, BulkOperationLike
from opensearch_neural_sparse.index.bulk.report import BulkReport
from opensearch_neural_sparse.index.documents.document import SparseDocument, from_source
from opensearch_neural_sparse.index.index_info import IndexInfo

_CONFLICT = 409


_MAY_BE_OWN = "an earlier write made it, or this one, where its connection broke and the client sent it again"


def read_documents(response: Mapping[str, Any], state: IndexInfo) -> list[SparseDocument]:
    """Read the answer of `_mget`; documents that are not there are left out.

    Raises:
        ServerRequestError: One of them could not be read.
    """
    found = []
    for row in response["docs"]:
        if error := row.get("error"):
            raise ServerRequestError(400, str(error.get("type")), short_reason(error))
        if row.get("found"):
            found.append(read_document(row, state))
    return found


def read_document(row: Mapping[str, Any], state: IndexInfo) -> SparseDocument:
    """Return the document of a hit, or of a row of `_mget`."""
    schema = state.schema_of(row["_index"])
    return from_source(row["_id"], row["_source"], schema, routing=row.get("_routing"))


def explain_conflicts(report: BulkReport, operation: BulkOperationLike) -> BulkReport:
    """Return a report in which documents that could not be created say who may have made the one that is there."""
    if operation != BulkOperation.CREATE or not any(failure.status == _CONFLICT for failure in report.failed):
        return report
    told = (
        replace(failure, reason=f"{failure.reason}; {_MAY_BE_OWN}") if failure.status == _CONFLICT else failure
        for failure in report.failed
    )
    return replace(report, failed=tuple(told))

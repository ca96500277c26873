"""Bulk actions over any opensearch-py client, in batches of bounded memory."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from opensearch_neural_sparse.errors import (
    IndexNotFoundError,
    ServerConnectionError,
    ServerRequestError,
)
from opensearch_neural_sparse.index.bulk import BulkAction, BulkFailure, BulkReport
from opensearch_neural_sparse.store.connection import translated_errors
from opensearch_neural_sparse.store.delivery import Answer, Check, Pause, Send, Step, cut, deliver
from opensearch_neural_sparse.store.options import WriteOptions

if TYPE_CHECKING:
    from opensearchpy import OpenSearch


class BulkSender:
    """Send bulk actions to one index.

    Before each batch the index is asked for, since a bulk request to a missing index would make one without a layout.

    Args:
        client: The client; it is not closed.
        index: Index or alias that is written to.
        options: How to write.
    """

    def __init__(self, client: OpenSearch, index: str, options: WriteOptions | None = None) -> None:
        self._client, self._index, self._options = client, index, options or WriteOptions()

    def send(self, actions: Iterable[BulkAction | BulkFailure]) -> BulkReport:
        """Send actions, consuming them once, and report what became of each.

        Raises:
            IndexNotFoundError: The index does not exist; it is not made.
        """
        report = BulkReport()
        for batch, failed in cut(actions, self._options):
            report += failed
            report += self._deliver(batch)
            if report.stopped:
                return report
        if self._options.refresh is True and report.written:
            self.refresh()
        return report

    def refresh(self) -> None:
        """Make what was written searchable."""
        with translated_errors(self._client, self._index):
            self._client.indices.refresh(index=self._index)

    def _deliver(self, batch: Sequence[BulkAction]) -> BulkReport:
        steps = deliver(batch, self._options)
        answer: Answer = None
        while True:
            try:
                step = steps.send(answer)
            except StopIteration as finished:
                report: BulkReport = finished.value
                return report
            answer = self._take(step)

    def _take(self, step: Step) -> Answer:
        if isinstance(step, Pause):
            time.sleep(step.seconds)
            return None
        try:
            with translated_errors(self._client, self._index):
                return self._ask(step)
        except (ServerConnectionError, ServerRequestError) as error:
            return error

    def _ask(self, step: Check | Send) -> Answer:
        if isinstance(step, Send):
            response: dict[str, Any] = self._client.bulk(
                body=step.body, index=self._index, params=bulk_parameters(self._options)
            )
            return response
        return None if self._client.indices.exists(index=self._index) else IndexNotFoundError(self._index)


def bulk_parameters(options: WriteOptions) -> dict[str, Any]:
    """Return the parameters of a bulk request."""
    parameters: dict[str, Any] = {"request_timeout": options.request_timeout}
    if options.pipeline is not None:
        parameters["pipeline"] = options.pipeline
    if options.refresh == "wait_for":
        parameters["refresh"] = "wait_for"
    return parameters

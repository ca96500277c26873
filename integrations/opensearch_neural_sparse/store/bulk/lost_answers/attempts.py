"""Actions of a batch that the server may have carried out without an answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from opensearch_neural_sparse.errors import UNREADABLE_ANSWER, ServerConnectionError, ServerRequestError
from opensearch_neural_sparse.index.bulk.actions import BulkAction
from opensearch_neural_sparse.store.bulk.retry import Answer, checked, may_be_written

_NOT_FOUND = 404
_VERSION_OF_NO_DOCUMENT = 2
"""Version of the second deletion of a document that never was; that of one that was is higher."""


class LostAttempts:
    """The attempts of a batch that had no answer.

    Attributes:
        ids: Ids of which the server may have carried out an action without saying so.
        open: Those of which it may still do so: the request timed out, or a gateway has it.
        deleted: Ids of deletions that found nothing, since an attempt before had deleted the document.
    """

    def __init__(self) -> None:
        self.ids: set[str] = set()
        self.open: set[str] = set()
        self.deleted: Counter[str] = Counter()

    def note(self, actions: Sequence[BulkAction], answer: Answer) -> None:
        """Note the answer to an attempt.

        Args:
            actions: What was sent.
            answer: The response, or the error.
        """
        answer = checked(tuple(actions), answer)
        if may_be_written(answer):
            names = {action.id for action in actions}
            self.ids |= names
            if not _has_ended(answer):
                self.open |= names
        elif isinstance(answer, Mapping):
            for action, item in zip(actions, answer["items"], strict=True):
                result = item.get("delete", {})
                existed = result.get("_version", 0) > _VERSION_OF_NO_DOCUMENT
                self.deleted[action.id] += action.id in self.ids and result.get("status") == _NOT_FOUND and existed


def _has_ended(answer: Answer) -> bool:
    """Return whether a server that does not carry out the request now never will."""
    if isinstance(answer, ServerConnectionError):
        return not answer.timed_out
    return isinstance(answer, ServerRequestError) and answer.error_type == UNREADABLE_ANSWER

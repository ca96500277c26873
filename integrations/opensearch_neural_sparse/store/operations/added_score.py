"""Ask what document-level security adds to scores, by a search with a known score of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opensearch_neural_sparse.errors import IndexNotFoundError, LimitedRightsWarning, ServerRequestError
from opensearch_neural_sparse.search.fusion.document_security import added_score_body, read_added_score
from opensearch_neural_sparse.server_info import ServerInfo
from opensearch_neural_sparse.store.context import StoreContext
from opensearch_neural_sparse.store.steps import Request, Steps
from opensearch_neural_sparse.telemetry.caller import warn_caller


def added_score(context: StoreContext, server: ServerInfo) -> Steps[float]:
    """Return what document-level security adds to every score; asked once an index is opened, where there may be some.

    Args:
        context: The store's context.
        server: The server that is searched.
    """
    if not server.may_hide_documents:
        return 0.0
    if context.added_score is None:
        context.added_score = yield from _ask(context)
    return context.added_score or 0.0


def _ask(context: StoreContext) -> Steps[float | None]:
    """Return what is added; None where nothing can be known yet."""
    try:
        highest = read_added_score((yield from _search(context, lowest=False)))
        if not highest:
            return highest
        context.documents_hidden = True
        lowest = read_added_score((yield from _search(context, lowest=True)))
    except (IndexNotFoundError, ServerRequestError):
        return None  # the search itself raises it, with what it was for
    if lowest != highest:
        warn_caller(
            LimitedRightsWarning(
                f"Document-level security adds {lowest:g} to the scores of some documents of index {context.index!r} "
                f"and {highest:g} to others, so it has changed their order, and scores are as the server sent them. It "
                "adds 1 for each role with a query (dls) that a document fits: give the login one such role."
            )
        )
        return 0.0
    return highest


def _search(context: StoreContext, *, lowest: bool) -> Steps[Mapping[str, Any]]:
    body = added_score_body(lowest=lowest)
    response: Mapping[str, Any] = yield Request("search", lambda client: client.search(index=context.index, body=body))
    return response

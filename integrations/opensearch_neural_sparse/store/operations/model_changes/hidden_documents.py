"""Refuse to copy an index for a login that does not see all of it."""

from __future__ import annotations

import uuid
from functools import partial
from typing import Any

from opensearch_neural_sparse.errors import SECURITY_EXCEPTION, ServerRequestError
from opensearch_neural_sparse.store.steps import Request, Steps

_UPDATES_REFUSED = "Update is not supported when FLS or DLS"


def ensure_sees_all(index: str) -> Steps[None]:
    """Raise ServerRequestError where documents or fields are hidden from the login, so that a copy would lack them.

    The server refuses every update of such a login. The one that is asked for is of no document, so it changes nothing.

    Args:
        index: A concrete index that exists.
    """
    try:
        yield Request("update", partial(_update_nothing, index, uuid.uuid4().hex))
    except ServerRequestError as error:
        if error.error_type == SECURITY_EXCEPTION and _UPDATES_REFUSED in error.reason:
            problem = f"document- or field-level security hides a part of index {index!r} from this login"
            remedy = "It would be missing afterwards: use a login that sees everything."
            raise ServerRequestError(error.status, error.error_type, problem, remedy=remedy) from None


def _update_nothing(index: str, name: str, client: Any) -> Any:
    return client.update(index=index, id=name, body={"doc": {}}, params={"ignore": [404]})

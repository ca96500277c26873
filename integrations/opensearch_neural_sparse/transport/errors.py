"""Translation of client errors, without credentials or field values."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from opensearch_neural_sparse.error_reasons import short_reason, without_values
from opensearch_neural_sparse.errors import (
    SECURITY_EXCEPTION,
    IndexNotFoundError,
    InvalidRequestError,
    NeuralSparseError,
    Remedy,
    ServerConnectionError,
    ServerRequestError,
    unreadable_answer,
)
from opensearch_neural_sparse.index.documents.lone_surrogates import unwritable
from opensearch_neural_sparse.server_info import ServerInfo
from opensearch_neural_sparse.transport.address import shown
from opensearch_neural_sparse.transport.connection_failures import explain, timed_out
from opensearch_neural_sparse.transport.logins.described_login import NO_LOGIN, describe_login

_NO_SUCH_PATH = "no handler found for uri"
_INDEX_NOT_FOUND = "index_not_found_exception"
REFUSALS = frozenset({403, 404, 405})
"""HTTP statuses of a denied or missing API."""
_LOGIN_REFUSED, _RIGHT_REFUSED = 401, 403
_OF_RIGHTS = frozenset({SECURITY_EXCEPTION, "http_error"})
"""Error types of missing permissions; a write block has the same status."""


def address_of(client: Any) -> str:
    """Return the addresses of a client's servers, without credentials."""
    transport = client.transport
    return shown(transport.hosts, secure=bool(transport.kwargs.get("use_ssl")))


@contextmanager
def translated_errors(client: Any, index: str) -> Iterator[None]:
    """Translate the errors of an OpenSearch client, sync or async, to errors of this package.

    Raises:
        ServerConnectionError: No answer.
        IndexNotFoundError: The index does not exist.
        InvalidRequestError: A value of the request has no JSON.
        ServerRequestError: The server refused the request, or its answer cannot be read.
    """
    from opensearchpy.exceptions import SerializationError, TransportError

    try:
        yield
    except UnicodeEncodeError:  # of the address: bodies are checked by the client
        raise InvalidRequestError("a name, routing or preference with half of a surrogate pair") from None
    except (TransportError, SerializationError) as error:
        translation = translate(error, address=address_of(client), index=index, login=describe_login(client))
        raise translation from None


def error_of_answer(client: Any, response: Mapping[str, Any], index: str) -> NeuralSparseError:
    """Return the error that the server answered with, where the client let it through.

    Args:
        client: The client.
        response: The response, with its `status` and `error`.
        index: The index that was asked.
    """
    from opensearchpy.exceptions import TransportError

    error = TransportError(response["status"], "", response)
    return translate(error, address=address_of(client), index=index, login=describe_login(client))


def server_of(info: Mapping[str, Any] | None, plugins: Any) -> ServerInfo:
    """Return the server info of the responses of `GET /` and `_cat/plugins`; None stands for a denied one."""
    return ServerInfo.silent() if info is None else ServerInfo.from_responses(info, plugins)


def translate(error: Exception, *, address: str, index: str, login: str = "") -> NeuralSparseError:
    """Translate an error of opensearch-py to one of this package.

    Args:
        error: What the client raised.
        address: Addresses of the servers, without credentials.
        index: The index that was asked.
        login: How the client logs in, as `describe_login` says it.
    """
    from opensearchpy.exceptions import ConnectionError as NoConnection
    from opensearchpy.exceptions import ConnectionTimeout, TransportError

    if isinstance(error, ConnectionTimeout):
        return ServerConnectionError(address, timed_out(error), Remedy.WAIT_LONGER, timed_out=True)
    if isinstance(error, NoConnection):
        if isinstance(error.info, NeuralSparseError):  # of a signer, before anything was sent
            return error.info
        return ServerConnectionError(address, *explain(error, address))
    if not isinstance(error, TransportError):
        if error.args and not isinstance(error.args[0], str | bytes):  # what was to be sent, not what came
            return _of_body(error.args[0])
        return unreadable_answer("it is no JSON")
    status = error.status_code if isinstance(error.status_code, int) else 0
    details = _details(error)
    error_type = str(details.get("type") or "http_error")
    if error_type == _INDEX_NOT_FOUND:
        return IndexNotFoundError(str(details.get("index") or index))
    reason = short_reason(details)
    if _NO_SUCH_PATH in reason:
        return ServerRequestError(status, error_type, reason, remedy=Remedy.CHECK_PATH)
    return ServerRequestError(status, error_type, reason, **_about_login(status, error_type, login))


def _of_body(body: object) -> InvalidRequestError:
    from opensearchpy.serializer import JSONSerializer

    return InvalidRequestError(unwritable(body, JSONSerializer().default) or "a value that the client does not know")


def _about_login(status: int, error_type: str, login: str) -> dict[str, str]:
    """Describe the login of a denied request, and the remedy."""
    if status not in (_LOGIN_REFUSED, _RIGHT_REFUSED) or error_type not in _OF_RIGHTS or not login:
        return {}
    if login == NO_LOGIN:
        return {"login": login, "remedy": Remedy.GIVE_LOGIN}
    return {"login": login, "remedy": Remedy.CHECK_LOGIN if status == _LOGIN_REFUSED else Remedy.LACKS_RIGHT}


def _details(error: Any) -> Mapping[str, Any]:
    info = error.info if isinstance(error.info, Mapping) else _parsed(error.error)
    failures = info.get("failures") or [{}]  # of a request over many documents
    refused = info.get("_shards", {}).get("failures") or [{}]  # of one to every shard
    details = info.get("error") or failures[0].get("cause") or refused[0].get("reason")
    if not isinstance(details, Mapping):
        return {"type": None, "reason": without_values(str(details or "no reason given"))}
    causes = details.get("root_cause") or ()
    if details.get("reason") in (None, "all shards failed") and causes:
        return causes[0]  # type: ignore[no-any-return]
    return details


def _parsed(body: object) -> Mapping[str, Any]:
    """Parse a response that the client returned as text, as its AsyncHttpConnection does."""
    try:
        parsed = json.loads(body) if isinstance(body, str | bytes) else {}
    except ValueError:
        return {}
    return parsed if isinstance(parsed, Mapping) else {}

"""Requests to an encoder behind HTTP, with retries."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from threading import Event, Lock
from typing import TYPE_CHECKING, Any

from opensearch_neural_sparse.errors import RemoteEncoderError

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse, PoolManager

    from opensearch_neural_sparse.encode.remote.remote_options import RemoteOptions

RETRIED_STATUSES = frozenset({429, 502, 503, 504})
TEXT_STATUSES = frozenset({400, 413, 422, 424, 500})
"""Statuses that one text of a request may be the cause of."""
_REMEDIES = {
    401: "Give its key as api_key.",
    403: "Give a key that has the right as api_key.",
    404: "Check the address: is it that of an encoder?",
    429: "Its queue is full: lower in_flight or batch_size of remote_options, or start more encoders.",
}
_LONGEST_REASON = 200
_CONNECT_SECONDS = 10.0


class EncoderConnection:
    """Sends requests to an encoder; several threads may use it at once.

    Args:
        url: Its address.
        api_key: Its key, or None.
        options: Timeout and retries.
    """

    def __init__(self, url: str, api_key: str | None, options: RemoteOptions) -> None:
        self.url, self._api_key, self._options = url, api_key, options
        self._pool: PoolManager | None = None
        self._lock = Lock()

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in ("_pool", "_lock")}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        vars(self).update(state)
        self._pool, self._lock = None, Lock()

    def request(self, method: str, path: str, body: Any = None, *, abandoned: Event | None = None) -> Any:
        """Return the answer to a request, read from JSON.

        Args:
            method: `GET` or `POST`.
            path: Path below the address.
            body: What is sent as JSON, or None.
            abandoned: No retry is made once this is set.

        Raises:
            RemoteEncoderError: No answer, or one that says that the encoder did not carry the request out.
        """
        content = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        attempt, abandoned = 0, abandoned or Event()
        while True:
            try:
                return self._attempt(method, path, content)
            except _TemporaryError as temporary:
                if attempt >= self._options.max_retries or abandoned.wait(self._pause(attempt, temporary.seconds)):
                    raise self._given_up(temporary.error, attempt + 1) from None
            attempt += 1

    def close(self) -> None:
        """Close the connections; a later request opens others."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.clear()

    def error(
        self, reason: str, *, status: int | None = None, of_texts: bool = False, remedy: str = ""
    ) -> RemoteEncoderError:
        """Return an error of this encoder.

        Args:
            reason: What it did.
            status: HTTP status, or None.
            of_texts: Whether a text may be the cause.
            remedy: The way out.
        """
        return RemoteEncoderError(self.url, reason, status=status, of_texts=of_texts, remedy=remedy)

    def _attempt(self, method: str, path: str, content: bytes | None) -> Any:
        from urllib3.exceptions import HTTPError, SSLError

        headers = {"Accept": "application/json"}
        if content is not None:
            headers["Content-Type"] = "application/json"
        if self._api_key is not None:
            headers["Authorization"] = f"Bearer {self._api_key}"
        try:
            response = self._opened().request(
                method, self.url + path, body=content, headers=headers, redirect=False, retries=False
            )
        except SSLError as error:
            reason = f"is not trusted: {type(error).__name__}"
            raise self.error(reason, remedy="SSL_CERT_FILE names the authorities to trust.") from None
        except HTTPError as error:
            raise _TemporaryError(self._no_answer(error)) from None
        return self._content(response)

    def _given_up(self, error: RemoteEncoderError, attempts: int) -> RemoteEncoderError:
        """Return the last error with the number of attempts."""
        if attempts == 1:
            return error
        reason = f"{error.reason}, {attempts} times"
        return self.error(reason, status=error.status, of_texts=error.of_texts, remedy=error.remedy)

    def _no_answer(self, error: Exception) -> RemoteEncoderError:
        from urllib3.exceptions import NewConnectionError
        from urllib3.exceptions import TimeoutError as TimedOut

        if isinstance(error, TimedOut) and not isinstance(error, NewConnectionError):
            seconds = f"{self._options.timeout:g} s"
            return self.error(f"did not answer within {seconds}", remedy="Is it running, or is it overloaded?")
        return self.error(f"did not answer: {type(error).__name__}", remedy="Is it running and reachable from here?")

    def _content(self, response: BaseHTTPResponse) -> Any:
        status = response.status
        try:
            content = json.loads(response.data)
        except (ValueError, RecursionError):
            content = None
        if status == 200 and content is not None:
            return content
        if status == 200:
            reason = "answered with something else than JSON"
            raise _TemporaryError(self.error(reason, remedy="Is a proxy or a login page between here and it?"))
        refused = self.error(
            f"answered with status {status}{_reason_of(content)}",
            status=status,
            of_texts=status in TEXT_STATUSES,
            remedy=_REMEDIES.get(status, ""),
        )
        if status in RETRIED_STATUSES:
            raise _TemporaryError(refused, _retry_after(response.headers.get("Retry-After")))
        raise refused

    def _pause(self, attempt: int, wanted: float) -> float:
        longest = self._options.backoff(attempt)
        jittered = longest * random.uniform(0.5, 1.0)  # noqa: S311 (jitter, not a secret)
        return min(max(jittered, wanted), max(self._options.max_backoff, longest))

    def _opened(self) -> PoolManager:
        from urllib3 import PoolManager, Timeout

        from opensearch_neural_sparse.bounded_http import BOUNDED_POOLS

        with self._lock:
            if self._pool is None:
                seconds = self._options.timeout
                timeout = Timeout(connect=min(_CONNECT_SECONDS, seconds), total=seconds)
                self._pool = PoolManager(maxsize=self._options.in_flight, timeout=timeout)
                self._pool.pool_classes_by_scheme = BOUNDED_POOLS
            return self._pool


class _TemporaryError(Exception):
    """A failure after which the request may be sent again."""

    def __init__(self, error: RemoteEncoderError, seconds: float = 0.0) -> None:
        super().__init__(str(error))
        self.error, self.seconds = error, seconds


def _reason_of(content: Any) -> str:
    """Return what an answer says of its error; that of a tokenizer may quote the text, and is left out."""
    found = content.get("error") if isinstance(content, Mapping) else None
    if isinstance(found, Mapping):
        kind, reason = found.get("type"), found.get("reason")
    else:
        kind, reason = (content.get("error_type") if isinstance(content, Mapping) else None), found
    parts = [kind] if isinstance(kind, str) else []
    if isinstance(reason, str) and str(kind).casefold() != "tokenizer":
        parts.append(reason)
    text = ": ".join(" ".join(part.split())[:_LONGEST_REASON].rstrip(".") for part in parts)
    return f", {text}" if text else ""


def _retry_after(value: str | None) -> float:
    """Return the seconds of a `Retry-After`, which holds a number or a date; 0 without one."""
    if value is None:
        return 0.0
    if value.strip().isdigit():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except (TypeError, ValueError):
        return 0.0
    return max(0.0, (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds())

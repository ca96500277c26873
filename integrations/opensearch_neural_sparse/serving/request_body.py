"""Bodies of requests: read within limits, and checked value by value."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from typing import Any, NoReturn

from starlette.requests import ClientDisconnect, Request

from opensearch_neural_sparse.serving.options import ServiceOptions
from opensearch_neural_sparse.serving.refusals import (
    Refusal,
    malformed,
    overloaded,
    too_large,
    too_slow,
    wrong_value,
)

HELD_BODIES = 8
"""Bodies of the greatest size that fit into memory while they are read."""
DISCARDED_BODIES = 4
"""Bodies of the greatest size that are read on after a refusal, so that the client can read its answer."""
DISCARD_SECONDS = 5.0
UNCHECKED_BYTES = 65536
"""Size up to which a body cannot hold enough values to matter."""
VALUES_A_TEXT = 16
STRING = re.compile(rb'"[^"\\]*+(?:\\(?:.|\Z)[^"\\]*+)*+(?:"|\Z)', re.DOTALL)
KINDS = {dict: "an object", list: "a list", bool: "a boolean", int: "a number", float: "a number", type(None): "null"}


class BodyReader:
    """Read bodies within the limits of size and time.

    Args:
        options: The limits.
    """

    def __init__(self, options: ServiceOptions) -> None:
        self._options = options
        self._held = 0

    async def read(self, request: Request) -> dict[str, Any]:
        """Return the JSON object of a request's body.

        Args:
            request: The request.

        Raises:
            Refusal: The body is too large, too slow or not a JSON object.
            ClientDisconnect: The client has gone.
        """
        self._check_headers(request.headers)
        body = bytearray()
        try:
            async with asyncio.timeout(self._options.read_timeout):
                async for chunk in request.stream():
                    body += chunk
                    self._held += len(chunk)
                    self._check_size(len(body))
        except TimeoutError:
            raise too_slow(self._options.read_timeout) from None
        finally:
            self._held -= len(body)
        return parse_object(bytes(body), self._options)

    async def discard(self, request: Request) -> None:
        """Read what follows of a refused request's body, within limits, and drop it.

        Args:
            request: The request.
        """
        if "expect" in request.headers:  # the client waits for the answer before it sends the body
            return
        size = 0
        try:
            async with asyncio.timeout(min(DISCARD_SECONDS, self._options.read_timeout)):
                async for chunk in request.stream():
                    size += len(chunk)
                    if size > DISCARDED_BODIES * self._options.max_bytes:
                        return
        except (TimeoutError, ClientDisconnect):
            return

    def _check_headers(self, headers: Mapping[str, str]) -> None:
        encoding = headers.get("content-encoding", "identity")
        if encoding != "identity":
            raise Refusal(415, "unsupported_encoding", "The body is compressed. Send it as it is.")
        length = headers.get("content-length", "")
        if length and "transfer-encoding" in headers:  # a proxy may take the one, and this server the other
            raise malformed("The body has a length and is chunked. Send one of the two headers.")
        if length.isdigit():
            self._check_size(int(length))

    def _check_size(self, size: int) -> None:
        limit = self._options.max_bytes
        if size > limit:
            raise too_large("The body is too large", limit, "bytes", "Send fewer texts at once.")
        if self._held > HELD_BODIES * limit:
            raise overloaded("Bodies of other requests fill the memory for them.")


def parse_object(body: bytes, options: ServiceOptions) -> dict[str, Any]:
    """Return the JSON object of a body.

    Args:
        body: UTF-8.
        options: The limits.

    Raises:
        Refusal: It is not JSON, or not an object.
    """
    _check_structure(body, options.max_texts)
    try:
        value = json.loads(body.decode(), parse_constant=_refuse_constant)
    except RecursionError:
        raise malformed("The body is nested too deeply. Send one object with a list of texts.") from None
    except ValueError:
        raise malformed("The body is not JSON in UTF-8.") from None
    if not isinstance(value, dict):
        raise wrong_value(f"The body is {_kind(value)}; it must be an object.")
    return value


def texts_of(body: Mapping[str, Any], name: str, options: ServiceOptions, *, or_one: bool = False) -> list[str]:
    """Return the texts of a request.

    Args:
        body: Its JSON object.
        name: Key of the texts.
        options: The limits.
        or_one: Whether a single text may stand in place of a list.

    Raises:
        Refusal: There are none, too many, one is too long or no string.
    """
    if name not in body:
        raise wrong_value(f"{name!r} is missing; it must be a list of strings.")
    texts = body[name]
    if or_one and isinstance(texts, str):
        texts = [texts]
    if not isinstance(texts, list):
        raise wrong_value(f"{name!r} is {_kind(texts)}; it must be a list of strings.")
    if len(texts) > options.max_texts:
        raise too_large(f"{name!r} has {len(texts)} texts", options.max_texts, "texts", "Send fewer at once.")
    for place, text in enumerate(texts):
        if not isinstance(text, str):
            raise wrong_value(f"{name}[{place}] is {_kind(text)}; it must be a string.")
        if len(text) > options.max_characters:
            what = f"{name}[{place}] has {len(text)} characters"
            raise too_large(what, options.max_characters, "characters", "Split it into passages.")
    return texts


def choice_of(body: Mapping[str, Any], name: str, allowed: Mapping[Any, Any], default: Any) -> Any:
    """Return an option of a request.

    Args:
        body: Its JSON object.
        name: Key of the option.
        allowed: Its values in JSON -> what they stand for.
        default: What a request without it has.

    Raises:
        Refusal: Another value.
    """
    if name not in body:
        return default
    for known, meaning in allowed.items():
        if type(body[name]) is type(known) and body[name] == known:
            return meaning
    raise wrong_value(f"{name!r} must be one of {', '.join(map(json.dumps, allowed))}.")


def _check_structure(body: bytes, max_texts: int) -> None:
    """Refuse a body of very many values before they fill the memory, some hundred bytes for each of two in the body."""
    if len(body) <= UNCHECKED_BYTES:
        return
    rest = STRING.sub(b"", body).translate(None, b" \t\r\n")
    limit = UNCHECKED_BYTES + VALUES_A_TEXT * max_texts
    if len(rest) > limit:
        raise too_large(f"The body has {len(rest)} bytes beside strings", limit, "bytes", "Send one list of texts.")


def _refuse_constant(_: str) -> NoReturn:
    raise ValueError


def _kind(value: object) -> str:
    return KINDS.get(type(value), "a string")

"""Ends of a process at one of its requests."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest


class Killed(BaseException):
    """The end of a process."""


def end_at(client: Any, monkeypatch: pytest.MonkeyPatch, number: int, *, after: bool) -> None:
    """Let a process end at its so-manyth request, before it is sent or after its answer; nothing is sent any more."""
    send, numbers = client.transport.perform_request, count(1)

    def sent(*args: Any, **parts: Any) -> Any:
        at = next(numbers)
        if at < number:
            return send(*args, **parts)
        if at == number and after:
            send(*args, **parts)
        raise Killed

    monkeypatch.setattr(client.transport, "perform_request", sent)

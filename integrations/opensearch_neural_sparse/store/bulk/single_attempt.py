"""Clients that send a request once."""

from __future__ import annotations

from copy import copy
from typing import TypeVar

Client = TypeVar("Client")


def without_retries(client: Client) -> Client:
    """Return a client that sends each request once, on the connections of the one given.

    A retry of the client's own hides what an attempt before it may have written.

    Args:
        client: A client of opensearch-py, blocking or asynchronous, that has sent a request before.
    """
    single = copy(client)
    transport = copy(single.transport)  # type: ignore[attr-defined]
    transport.max_retries, transport.retry_on_status = 0, ()
    transport.sniff_on_connection_fail, transport.sniffer_timeout = False, None
    single.transport = transport  # type: ignore[attr-defined]
    return single

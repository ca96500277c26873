"""Addresses of this machine alone."""

from __future__ import annotations

import ipaddress


def is_loopback(host: str) -> bool:
    """Return whether a name or address is of this machine alone.

    Args:
        host: Such as `localhost`, `127.0.0.1` or `::1`, an IPv6 address perhaps in brackets.
    """
    name = host.removeprefix("[").removesuffix("]").lower().rstrip(".")
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")


def is_loopback_header(value: str) -> bool:
    """Return whether the value of a Host header names this machine alone, with a port or without.

    Args:
        value: Such as `localhost:8080` or `[::1]:8080`.
    """
    host, separator, port = value.rpartition(":")
    return is_loopback(host if separator and port.isdecimal() else value)

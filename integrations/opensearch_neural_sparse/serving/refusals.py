"""Refused requests: status, type and reason of each, and the body that reports them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

TEI_PATH = "/embed_sparse"
_TEI_TYPES = {429: "Overloaded", 500: "Backend", 503: "Unhealthy"}


class Refusal(Exception):  # noqa: N818  an answer, not a fault of the service
    """A request that is refused; no reason holds a text or a token.

    Attributes:
        status: HTTP status.
        type: Name of the reason, for programs and metrics.
        reason: Problem, value, limit and way out.
        headers: Further headers of the answer.
    """

    def __init__(self, status: int, type_: str, reason: str, *, headers: Mapping[str, str] | None = None) -> None:
        self.status, self.type, self.reason = status, type_, reason
        self.headers = dict(headers or {})
        super().__init__(reason)

    def body(self, path: str) -> dict[str, Any]:
        """Return the body of the answer, in the form that clients of the path know.

        Args:
            path: Path of the request.
        """
        if path == TEI_PATH:
            return {"error": self.reason, "error_type": _TEI_TYPES.get(self.status, "Validation")}
        return {"error": {"type": self.type, "reason": self.reason}}


def malformed(reason: str) -> Refusal:
    """Return the refusal of a body that cannot be read."""
    return Refusal(400, "malformed_request", reason)


def unauthorized() -> Refusal:
    """Return the refusal of a request without the key."""
    reason = "The key is missing or wrong. Send it as: Authorization: Bearer KEY."
    return Refusal(401, "unauthorized", reason, headers={"www-authenticate": "Bearer"})


def foreign_host() -> Refusal:
    """Return the refusal of a request to another name than this machine's."""
    reason = "The Host header names no loopback address, and there is no key. Ask localhost, or set a key and send it."
    return Refusal(421, "misdirected_request", reason)


def too_slow(seconds: float) -> Refusal:
    """Return the refusal of a body that comes too slowly."""
    reason = f"The body did not come within {seconds:g} seconds. Send fewer texts at once."
    return Refusal(408, "request_timeout", reason, headers={"connection": "close"})


def too_large(what: str, limit: int, unit: str, way_out: str) -> Refusal:
    """Return the refusal of a request beyond a limit."""
    return Refusal(413, "request_too_large", f"{what}; the most are {limit} {unit}. {way_out}")


def wrong_value(reason: str) -> Refusal:
    """Return the refusal of a value of the wrong kind."""
    return Refusal(422, "invalid_value", reason)


def overloaded(reason: str) -> Refusal:
    """Return the refusal of a request that finds the service full; OpenSearch's connectors repeat it by its header."""
    headers = {"retry-after": "1", "x-amzn-errortype": "ThrottlingException"}
    return Refusal(429, "queue_full", f"{reason} Send the request again later.", headers=headers)


def ending() -> Refusal:
    """Return the refusal of a request that comes while the service stops."""
    headers = {"retry-after": "1", "connection": "close"}
    return Refusal(503, "service_ending", "The service stops. Send the request to another.", headers=headers)

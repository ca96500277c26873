"""A problem of a model in the server."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from opensearch_neural_sparse.errors import ServerModelError
from opensearch_neural_sparse.server_models.reasons import cause_named


class Severity(StrEnum):
    """Severity of a finding: `FAIL` does not work, `WARN` will fail in some case."""

    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A problem with its way out.

    Attributes:
        cause: Name of the cause, such as `untrusted_endpoint`.
        subject: What has it: `cluster`, or a model, connector, pipeline or index by name.
        problem: What is wrong.
        remedy: Way out.
        severity: How bad it is.
        reason: The server's own words; empty where it was not asked.
    """

    cause: str
    subject: str
    problem: str
    remedy: str
    severity: Severity = Severity.FAIL
    reason: str = ""


def finding_of(name: str, subject: str, *, severity: Severity = Severity.FAIL) -> Finding:
    """Return the finding of a known cause.

    Args:
        name: Name of the cause.
        subject: What has it.
        severity: How bad it is.
    """
    cause = cause_named(name)
    return Finding(cause=name, subject=subject, problem=cause.problem, remedy=cause.way_out, severity=severity)


def finding_of_error(error: ServerModelError, subject: str) -> Finding:
    """Return the finding of an error.

    Args:
        error: What a request raised.
        subject: What was asked.
    """
    return Finding(
        cause=error.cause or "unknown",
        subject=subject,
        problem=error.problem,
        remedy=error.remedy,
        reason=error.reason,
    )

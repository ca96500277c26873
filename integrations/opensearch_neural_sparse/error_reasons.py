"""Short error reasons without field values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

LONGEST_REASON = 300
LONGEST_MESSAGE = 2_000
"""Characters of a message; of a longer one, beginning and end are kept."""
LONGEST_SHOWN = 100
"""Characters of a value in a message."""
_NOT_REWRITTEN = "does not implement createWeight"
_STRINGS = "In a filter of an approximate search, a range of a keyword field has its bounds as strings."
_ADVICE = (
    (
        "Failed to find model",
        "The server has no model of this id; GET /_plugins/_ml/models/<id> shows one that it has.",
    ),
    (
        "Model not ready yet",
        "POST /_plugins/_ml/models/<id>/_deploy does so; after a restart the server deploys its models within seconds.",
    ),
    (
        "Memory Circuit Breaker is open",
        "ml-commons encodes nothing while the heap is fuller than plugins.ml_commons.jvm_heap_memory_threshold.",
    ),
    ("no permissions for [", "docs/security-role.yml lists the rights that each operation needs."),
    (
        "Update is not supported when FLS or DLS",
        (
            "A login from which documents or fields are hidden updates nothing, so nothing was changed: write whole "
            "documents from their source, or use another login."
        ),
    ),
    (
        "query_text and model_id cannot be null",
        "The query names nothing that encodes it: ServerQuery(model_id='...').",
    ),
    (
        "failed to find global analyzer",
        "The analyzers bert-uncased and mbert-uncased come with ml-commons of OpenSearch 3.1 or later.",
    ),
    (
        "has not been configured in mappings",
        (
            "The server has no such analyzer: install the plugin that brings it (kuromoji: analysis-kuromoji; nori: "
            "analysis-nori; smartcn: analysis-smartcn; polish: analysis-stempel; ukrainian: analysis-ukrainian), "
            "define it in the index's settings, or take a built-in one, such as 'cjk' or 'standard'."
        ),
    ),
)
"""Reasons about models, analyzers and security in the server, each with the way out."""
_SAYS_NOTHING = re.compile(r"failed to parse|all shards failed|None|\[\d+:\d+\] \[\w+\] failed to parse field \[\w+\]")
_VALUES = (
    re.compile(r"(Preview of field's value: ).*", re.DOTALL),
    re.compile(r"(For input string: ).*", re.DOTALL),
    re.compile(r"(prefix of the first immense term is: ).*", re.DOTALL),
    re.compile(r"(failed to parse date field )\[.*?\](?= with format)", re.DOTALL),
)


def short_reason(error: Mapping[str, Any]) -> str:
    """Return the reason of a server error, with its root cause if the reason alone is generic."""
    reason = str(error.get("reason"))
    if _NOT_REWRITTEN in reason:
        return f"{without_values(reason)}. {_STRINGS}"
    if (advice := next((words for known, words in _ADVICE if known in reason), None)) is not None:
        return f"{without_values(reason).rstrip('.!')}. {advice}"
    if not _SAYS_NOTHING.fullmatch(reason):
        return without_values(reason)
    cause = error
    while isinstance(cause.get("caused_by"), Mapping):
        cause = cause["caused_by"]
    return without_values(reason if cause is error else f"{reason}: {cause.get('reason')}")


def without_values(reason: str) -> str:
    """Return a reason without quoted field values, cut to 300 characters."""
    for pattern in _VALUES:
        reason = pattern.sub(r"\1(withheld)", reason)
    return reason if len(reason) <= LONGEST_REASON else f"{reason[:LONGEST_REASON]}..."


def first_of(rows: Iterable[str], most: int, separator: str = ", ") -> str:
    """Return the first few items as text, and the number of the others."""
    named = list(rows)
    more = f" and {len(named) - most} more" if len(named) > most else ""
    return separator.join(named[:most]) + more


def did_you_mean(names: Iterable[str]) -> str:
    """Return the question whether one of several similar names was meant; empty where there is none.

    Args:
        names: The names, the most similar first.
    """
    named = ", ".join(map(repr, names))
    return f"Did you mean {named}?" if named else ""


def shortened(message: str, longest: int = LONGEST_MESSAGE) -> str:
    """Return a message that a person can read: of a long one the beginning, which has the problem, and the end."""
    if len(message) <= longest:
        return message
    half = longest // 2
    return f"{message[:half]} [... {len(message) - 2 * half:,} characters left out ...] {message[-half:]}"


def shown_value(value: object) -> str:
    """Return a value as a message shows it, whatever it is."""
    try:
        return shortened(repr(value), LONGEST_SHOWN)
    except Exception:  # noqa: BLE001  nested too deeply, a number of too many digits, or a class that fails
        return f"one of type {type(value).__name__}"

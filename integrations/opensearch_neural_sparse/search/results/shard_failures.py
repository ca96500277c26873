"""Partial results: failed shards and timeouts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from opensearch_neural_sparse.error_reasons import without_values
from opensearch_neural_sparse.errors import PartialResultsError, PartialResultsWarning
from opensearch_neural_sparse.search.options.request_options import Partial, PartialLike
from opensearch_neural_sparse.telemetry.caller import warn_caller

_NO_REASON = {"reason": {"reason": "no reason given"}}
_TIMED_OUT = {"reason": {"reason": "the search timed out"}}


def check_shards(response: Mapping[str, Any]) -> None:
    """Raise PartialResultsError if some shards failed or the search timed out."""
    if (error := _partial_error(response)) is not None:
        raise error


def shard_failures(
    responses: Iterable[Mapping[str, Any]], partial: PartialLike = Partial.RAISE
) -> tuple[Mapping[str, Any], ...]:
    """Return the shard failures of responses, with a warning for each partial one.

    Raises:
        PartialResultsError: An answer is not whole, and that is to be an error.
    """
    failures: list[Mapping[str, Any]] = []
    for error in filter(None, map(_partial_error, responses)):
        if partial == Partial.RAISE:
            raise error
        warn_caller(PartialResultsWarning(str(error)))
        failures += error.failures
    return tuple(failures)


def _partial_error(response: Mapping[str, Any]) -> PartialResultsError | None:
    shards = response.get("_shards", {})
    total = shards.get("total", 0)
    if failed := shards.get("failed"):
        return PartialResultsError(failed, total, list(map(_readable, shards.get("failures") or [_NO_REASON])))
    return PartialResultsError(0, total, [_TIMED_OUT]) if response.get("timed_out") else None


def _readable(failure: Mapping[str, Any]) -> dict[str, Any]:
    reason = failure.get("reason")
    text = reason.get("reason") if isinstance(reason, Mapping) else reason
    return {**failure, "reason": {"reason": without_values(str(text))}}

"""Document-level security: each query is wrapped in a filter, which fails a hybrid query and adds to every score."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from opensearch_neural_sparse.errors import NeuralSparseError, PartialResultsError, ServerRequestError
from opensearch_neural_sparse.search.options.refinements.collapse import GROUP

_WRAPPED = "hybrid query must be a top level query and cannot be wrapped into other queries"
_NOT_CAST = ("BooleanQuery cannot be cast", "HybridQuery")
"""Reasons of OpenSearch 2.19 and 3.6."""


def is_wrapped_hybrid(error: NeuralSparseError) -> bool:
    """Return whether a server's hybrid query failed, wholly or on some shards, because it was wrapped in a filter."""
    if isinstance(error, PartialResultsError):
        return any_wrapped(error.failures)
    return isinstance(error, ServerRequestError) and _is_wrapped(error.reason)


def any_wrapped(failures: Iterable[Mapping[str, Any]]) -> bool:
    """Return whether a hybrid query failed on some shards because it was wrapped in a filter.

    Args:
        failures: Failures of shards, as `SearchHits.failures` has them.
    """
    return any(_is_wrapped(str(failure.get("reason"))) for failure in failures)


def _is_wrapped(reason: str) -> bool:
    return _WRAPPED in reason or all(part in reason for part in _NOT_CAST)


def added_score_body(*, lowest: bool) -> dict[str, Any]:
    """Return a search with one hit that scores 1 by itself, and more by what document-level security adds.

    Args:
        lowest: Whether the document with the lowest score is wanted, or the one with the highest.
    """
    order = {"sort": [{"_score": "asc"}]} if lowest else {}
    return {"size": 1, "query": {"match_all": {}}, "_source": False, "track_total_hits": False, **order}


def read_added_score(response: Mapping[str, Any]) -> float | None:
    """Return what was added to the score of the hit of such a search; None where there is no document."""
    hits = response["hits"]["hits"]
    return hits[0]["_score"] - 1.0 if hits else None


def without_added_score(response: Mapping[str, Any], added: float) -> Mapping[str, Any]:
    """Return a response with the scores that its query gave by itself; best chunks have these already.

    Args:
        response: Response of a search by score.
        added: What was added to the score of every hit.
    """
    return response if added == 0.0 else {**response, "hits": _without(response["hits"], added)}


def _without(found: Mapping[str, Any], added: float) -> dict[str, Any]:
    return {**found, "hits": [_own_score(hit, added) for hit in found["hits"]]}


def _own_score(hit: Mapping[str, Any], added: float) -> dict[str, Any]:
    own = {**hit, "_score": None if hit["_score"] is None else hit["_score"] - added}
    inner = hit.get("inner_hits", {})
    if GROUP in inner:
        own["inner_hits"] = {**inner, GROUP: {"hits": _without(inner[GROUP]["hits"], added)}}
    return own

"""Aggregations beside the hits of a search."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from opensearch_neural_sparse.index.metadata.nesting import DEEPEST, is_too_deep

Aggregations = Mapping[str, Any]
"""Name -> aggregation in OpenSearch's syntax, such as `{"by_topic": {"terms": {"field": "topic"}}}`."""
AGGREGATION_KEYS = ("aggs", "aggregations")
"""Keys of aggregations in a body, and within another aggregation."""
_OF_CLAUSES = frozenset({"meta", "filter", "filters", "adjacency_matrix"})
"""Kinds with query clauses for a body, and a note of the user's, in which no field is looked for."""
_EVERYWHERE = "global"
"""Kind that passes every filter by."""
_RESERVED = frozenset("[]>")
_BEYOND = frozenset({_EVERYWHERE, "children", "parent", "significant_terms", "significant_text"})
"""Kinds that count, or compare with, documents that a search does not match."""
_LISTING = frozenset({"terms", "multi_terms"})
"""Kinds that list values of documents that a search does not match where `min_doc_count` is 0."""
_FORM = "{'by_topic': {'terms': {'field': 'topic'}}}"


def check_aggregations(aggregations: object) -> None:
    """Raise TypeError or ValueError unless aggregations have OpenSearch's form; the server knows their kinds.

    Args:
        aggregations: Name -> aggregation; None asks for none.
    """
    if aggregations is None:
        return
    if not isinstance(aggregations, Mapping):
        raise TypeError(f"aggregations is a mapping such as {_FORM}, got {type(aggregations).__name__}.")
    if not aggregations:
        raise ValueError(f"aggregations names one or more, such as {_FORM}, got none; leave it out.")
    if is_too_deep(aggregations):
        raise ValueError(f"aggregations is nested more than {DEEPEST} levels deep. Write it flatter.")
    for name, aggregation in aggregations.items():
        _check_one(name, aggregation)


def check_within_filter(aggregations: Aggregations | None, clauses: Sequence[Mapping[str, Any]]) -> None:
    """Raise ValueError for an aggregation that shows something of documents that the filter of its search hides.

    Args:
        aggregations: Name -> aggregation, of the form that `check_aggregations` checks; None asks for none.
        clauses: The filter as a list of query clauses; without one, nothing is hidden.
    """
    if clauses and (found := _found_beyond(aggregations)):
        raise ValueError(
            f"{found} looks at documents that the filter of the search leaves out. Leave it out, or ask for it in a "
            "search without a filter."
        )


def check_within_security(aggregations: object) -> None:
    """Raise ValueError for an aggregation that shows something of documents that are hidden from the login.

    Args:
        aggregations: Aggregations of a body that is sent, of any form.
    """
    if found := _found_beyond(aggregations):
        raise ValueError(
            f"{found} looks at documents that document-level security hides from the login: the server counts them, "
            "or lists their values. Leave it out."
        )


def _found_beyond(aggregations: object) -> str | None:
    """Return the name and kind of the first aggregation that looks at documents that its search does not match."""
    for name, aggregation in aggregations.items() if isinstance(aggregations, Mapping) else ():
        for kind, body in aggregation.items() if isinstance(aggregation, Mapping) else ():
            if kind in AGGREGATION_KEYS:
                if found := _found_beyond(body):
                    return found
            elif kind in _BEYOND:
                return f"Aggregation {name!r} of the kind {kind}"
            elif kind in _LISTING and _lists_all(body):
                return f"Aggregation {name!r} of the kind {kind} with min_doc_count=0"
    return None


def aggregated_fields(aggregations: Aggregations | None) -> list[str]:
    """Return the fields that aggregations name, each once, without those of query clauses in them."""
    found: dict[str, None] = {}

    def note(field: str) -> str:
        found[field] = None
        return field

    renamed_fields(aggregations or {}, note)
    return list(found)


def renamed_fields(aggregations: Aggregations, rename: Callable[[str], str]) -> dict[str, Any]:
    """Return aggregations with other names of fields; query clauses in them stay as they are.

    Args:
        aggregations: Name -> aggregation.
        rename: Function from the name of a field to the one in the index.
    """
    return {name: dict(_renamed_parts(aggregation, rename)) for name, aggregation in aggregations.items()}


def _renamed_parts(aggregation: Mapping[str, Any], rename: Callable[[str], str]) -> Iterator[tuple[str, Any]]:
    for kind, body in aggregation.items():
        if kind in AGGREGATION_KEYS:
            yield kind, renamed_fields(body, rename)
        else:
            yield kind, body if kind in _OF_CLAUSES else _renamed(body, rename)


def _renamed(body: Any, rename: Callable[[str], str]) -> Any:
    if isinstance(body, Mapping):
        return {
            key: rename(value) if key == "field" and isinstance(value, str) else _renamed(value, rename)
            for key, value in body.items()
        }
    return [_renamed(part, rename) for part in body] if isinstance(body, list | tuple) else body


def _lists_all(body: object) -> bool:
    """Return whether values are listed that no document of the search has; the server reads `"0"` and 0.5 as 0, too."""
    least = body.get("min_doc_count", 1) if isinstance(body, Mapping) else 1
    try:
        return float(least) < 1
    except (TypeError, ValueError):
        return False


def _check_one(name: object, aggregation: object) -> None:
    if not isinstance(name, str) or not name or _RESERVED & set(name):
        raise ValueError(f"An aggregation has a name without '[', ']' and '>', got {name!r}.")
    if not isinstance(aggregation, Mapping):
        raise TypeError(f"Aggregation {name!r} is a mapping as in {_FORM}, got {type(aggregation).__name__}.")
    kinds = [kind for kind in aggregation if kind not in (*AGGREGATION_KEYS, "meta")]
    if len(kinds) != 1 or not isinstance(aggregation[kinds[0]], Mapping):
        raise ValueError(f"Aggregation {name!r} has one kind with a mapping, as in {_FORM}, got {kinds}.")
    if kinds[0] == _EVERYWHERE:
        raise ValueError(
            f"Aggregation {name!r} is of kind 'global', which counts documents that neither the search nor its filter "
            "lets through, and under document-level security those that are hidden. Leave it out, or count them by a "
            "search of their own."
        )
    for key in AGGREGATION_KEYS:
        if key in aggregation:
            check_aggregations(aggregation[key])

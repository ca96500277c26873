"""Filters: OpenSearch query clauses that restrict the hits."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping, Sequence
from typing import Any

from opensearch_neural_sparse.errors import FilterSyntaxError
from opensearch_neural_sparse.index.metadata.nesting import DEEPEST, is_too_deep
from opensearch_neural_sparse.search.filters.clause_checks import checked_clause, refuse_inner_hits
from opensearch_neural_sparse.search.filters.foreign_syntax import haystack_filter, mongo_filter, opensearch_form

Filter = Mapping[str, Any] | Sequence[Mapping[str, Any]]
_VALUES = (str, int, float, list, tuple)
_SEVERAL = "several conditions as a list of such, all of which must hold."
_EXAMPLE = f"Write it as {{'term': {{'lang': 'en'}}}}, and {_SEVERAL}"


def filter_clauses(filter: Filter | None) -> list[dict[str, Any]]:  # noqa: A002 (OpenSearch's own word)
    """Return a filter as a list of query clauses; None and an empty list are no filter.

    Raises:
        FilterSyntaxError: Not a mapping of exactly one query clause, or a list of such; or a value that has no JSON.
    """
    if filter is None:
        return []
    check_depth(filter)
    if isinstance(filter, Mapping):
        return [_clause(filter)]
    if isinstance(filter, list | tuple):
        return [_clause(clause) for clause in filter]
    raise FilterSyntaxError(f"A filter is a query clause or a list of such, got {type(filter).__name__}. {_EXAMPLE}")


def check_depth(filter: object) -> None:  # noqa: A002 (OpenSearch's own word)
    """Raise FilterSyntaxError if a filter of any syntax is nested too deeply, or holds itself."""
    if is_too_deep(filter):
        raise FilterSyntaxError(f"A filter is nested more than {DEEPEST} levels deep. Write it flatter.")


def filtered(query: Mapping[str, Any], clauses: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Restrict a query by filter clauses; scores stay the same."""
    return {"bool": {"must": [dict(query)], "filter": list(clauses)}} if clauses else dict(query)


def _clause(clause: object) -> dict[str, Any]:
    if not isinstance(clause, Mapping):
        raise FilterSyntaxError(f"A filter clause is a mapping, got {type(clause).__name__}. {_EXAMPLE}")
    if (foreign := haystack_filter(clause) or mongo_filter(clause)) is not None:
        raise FilterSyntaxError(
            f"This filter is in the syntax of {foreign.syntax}; a query clause of OpenSearch is taken here: "
            f"{opensearch_form(foreign)}. {_EXAMPLE}"
        )
    if len(clause) != 1:
        raise FilterSyntaxError(
            f"A filter clause names exactly one query, got {len(clause)}: {sorted(map(str, clause))}. "
            f"{_rewritten(clause)}"
        )
    name, body = next(iter(clause.items()))
    if not isinstance(name, str) or not isinstance(body, Mapping):
        raise FilterSyntaxError(
            f"A filter clause is a query's name with a mapping, got {name!r} with {type(body).__name__}. "
            f"{_rewritten(clause)}"
        )
    refuse_inner_hits(clause)
    return checked_clause({name: body})


def _rewritten(conditions: Mapping[Any, Any]) -> str:
    """Return how fields and values that stand for conditions are written as query clauses."""
    if not conditions or not all(isinstance(value, _VALUES) for value in conditions.values()):
        return _EXAMPLE
    clauses = [
        f"{{{'terms' if isinstance(value, list | tuple) else 'term'!r}: {{{field!r}: {reprlib.repr(value)}}}}}"
        for field, value in conditions.items()
    ]
    if len(clauses) == 1:
        return f"Write it as {clauses[0]}, and {_SEVERAL}"
    return f"Write them as a list, all of which must hold: [{', '.join(clauses)}]."

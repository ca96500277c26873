"""Filters of agents: query clauses that read the searched documents alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from opensearch_neural_sparse.errors import FilterSyntaxError
from opensearch_neural_sparse.search.filters.filter_clauses import Filter, filter_clauses

PLAIN = frozenset(
    {"term", "terms", "range", "exists", "ids", "prefix", "wildcard", "regexp", "fuzzy", "match_all", "match_none"}
    | {"match", "match_phrase", "match_phrase_prefix", "match_bool_prefix", "multi_match", "simple_query_string"}
    | {"geo_distance", "geo_bounding_box"}
)
"""Queries that hold no further clause, no script and no reference to another index."""
WITHIN: Mapping[str, tuple[str, ...]] = {
    "bool": ("must", "filter", "should", "must_not"),
    "constant_score": ("filter",),
    "dis_max": ("queries",),
    "nested": ("query",),
}
"""Query -> its keys that hold further clauses."""


def agent_filter(given: Filter | None) -> list[dict[str, Any]]:
    """Return the clauses of an agent's filter.

    Only known clauses pass: others can run scripts, or read documents of an index that the agent may not search, as the
    lookup of `terms` does.

    Args:
        given: A query clause, a list of such, or None.

    Raises:
        FilterSyntaxError: No filter, or a clause that an agent may not use.
    """
    clauses = filter_clauses(given)
    for clause in clauses:
        check_clause(clause)
    return clauses


def check_clause(clause: object) -> None:
    """Check that a clause and those within it are ones that an agent may use.

    Args:
        clause: The clause.

    Raises:
        FilterSyntaxError: One is not, or is no mapping of one query.
    """
    if not isinstance(clause, Mapping) or len(clause) != 1:
        shown = type(clause).__name__ if not isinstance(clause, Mapping) else f"{len(clause)} keys"
        raise FilterSyntaxError(f"A clause within a filter is a mapping of one query, got {shown}.")
    name, body = next(iter(clause.items()))
    if name not in PLAIN and name not in WITHIN:
        known = ", ".join(sorted({*PLAIN, *WITHIN}))
        raise FilterSyntaxError(f"The query {name!r} is not allowed in a filter here. Use one of: {known}.")
    if not isinstance(body, Mapping):
        raise FilterSyntaxError(f"A query is a name with a mapping, got {name!r} with {type(body).__name__}.")
    if name == "terms":
        _refuse_lookup(body)
    for part in _clauses_of(name, body):
        check_clause(part)


def _clauses_of(name: str, body: Mapping[str, Any]) -> Iterator[object]:
    """Yield the clauses within one; the server reads some under other spellings of a key, such as `mustNot`."""
    if name not in WITHIN:
        return
    for key, part in body.items():
        if key in WITHIN[name]:
            yield from part if isinstance(part, list) else [part]
        elif isinstance(part, Mapping | list):
            raise FilterSyntaxError(
                f"{name!r} in a filter has {key!r}, which is not allowed here. Use {' or '.join(WITHIN[name])}."
            )


def _refuse_lookup(body: Mapping[str, Any]) -> None:
    for field, values in body.items():
        if isinstance(values, Mapping):
            raise FilterSyntaxError(
                f"'terms' of field {field!r} takes its values from another document, which is not allowed here. "
                "List the values."
            )

"""Matching tokens of additional sparse legs in a hybrid search."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from opensearch_neural_sparse.index.schema import IndexSchema
from opensearch_neural_sparse.search.results.hits import SearchHit, scored_vector
from opensearch_neural_sparse.search.results.leg_scores import LegScore
from opensearch_neural_sparse.search.results.token_matches import match_tokens


@dataclass(frozen=True, kw_only=True)
class SearchedTokens:
    """Query vector of a sparse leg.

    Attributes:
        field: The field.
        vector: Token -> weight, as it was searched for.
    """

    field: str
    vector: Mapping[str, float] = dataclasses.field(repr=False)


def with_leg_matches(hit: SearchHit, searched: Mapping[str, SearchedTokens], schema: IndexSchema) -> SearchHit:
    """Add the matching tokens to the legs of a hit, from the vectors in its `_source`.

    Args:
        hit: The hit.
        searched: Name of a leg -> what it searched for.
        schema: Names of the fields.
    """

    def explained(name: str, leg: LegScore) -> LegScore:
        if name not in searched:
            return leg
        held = _weights(hit, searched[name].field, schema)
        return replace(leg, matches=match_tokens(searched[name].vector, held))

    return replace(hit, legs={name: explained(name, leg) for name, leg in (hit.legs or {}).items()})


def _weights(hit: SearchHit, path: str, schema: IndexSchema) -> Mapping[str, float]:
    if path == schema.sparse_path:
        return scored_vector(hit.source, schema, hit.chunk)
    held = _found(hit.source, path)
    return held if isinstance(held, Mapping) else {}


def _found(source: Any, path: str) -> Any:
    """Return the value at a path with dots, in keys or between them."""
    if not isinstance(source, Mapping):
        return None
    if path in source:
        return source[path]
    heads = (path[:place] for place, sign in enumerate(path) if sign == ".")
    found = (_found(source[head], path[len(head) + 1 :]) for head in heads if head in source)
    return next((value for value in found if value is not None), None)

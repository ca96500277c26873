"""Legs of a hybrid search with the query encoded."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from inspect import isawaitable, iscoroutine

from opensearch_neural_sparse.encode.pruning import Prune
from opensearch_neural_sparse.encode.sparse_vector import SparseVector
from opensearch_neural_sparse.index.schema import IndexSchema
from opensearch_neural_sparse.index.token_ids import TokenIds
from opensearch_neural_sparse.search.options.legs import Bm25Leg, DenseLeg, Leg, SparseLeg, dense_vector


@dataclass(frozen=True, kw_only=True)
class ResolvedBm25Leg:
    """BM25 leg with the query's text."""

    name: str
    field: str
    text: str = dataclasses.field(repr=False)


@dataclass(frozen=True, kw_only=True)
class ResolvedSparseLeg:
    """Sparse leg with the query's vector."""

    name: str
    field: str
    vector: SparseVector = dataclasses.field(repr=False)
    token_ids: TokenIds | None = dataclasses.field(default=None, repr=False)
    chunk_field: str | None = None


@dataclass(frozen=True, kw_only=True)
class ResolvedDenseLeg:
    """Dense leg with the query's vector."""

    name: str
    field: str
    vector: tuple[float, ...] = dataclasses.field(repr=False)


ResolvedLeg = ResolvedBm25Leg | ResolvedSparseLeg | ResolvedDenseLeg


def resolve_legs(
    legs: Sequence[Leg], text: str, schema: IndexSchema, encode: Callable[[str], SparseVector]
) -> tuple[ResolvedLeg, ...]:
    """Resolve legs: fill in the query's text and vectors.

    Args:
        legs: The legs.
        text: The text of the query.
        schema: Names of the fields.
        encode: Makes the query's vector for a sparse field; called once at most for each, where a leg needs it.
    """
    encode_once = cache(encode)
    return tuple(_fill(leg, text, schema, encode_once) for leg in legs)


def pruned(legs: Sequence[ResolvedLeg], rule: Prune | None) -> tuple[ResolvedLeg, ...]:
    """Prune the sparse vectors of legs; an empty one finds nothing."""
    if rule is None:
        return tuple(legs)
    return tuple(with_vector(leg, rule(leg.vector)) if isinstance(leg, ResolvedSparseLeg) else leg for leg in legs)


def with_text(leg: ResolvedBm25Leg, text: str) -> ResolvedBm25Leg:
    """Return the leg with another text."""
    return replace(leg, text=text)


def with_vector(leg: ResolvedSparseLeg, vector: SparseVector) -> ResolvedSparseLeg:
    """Return the leg with another vector."""
    return replace(leg, vector=vector)


def _fill(leg: Leg, text: str, schema: IndexSchema, encode: Callable[[str], SparseVector]) -> ResolvedLeg:
    if isinstance(leg, Bm25Leg):
        return ResolvedBm25Leg(
            name=leg.name, field=leg.field or schema.text_field, text=text if leg.text is None else leg.text
        )
    if isinstance(leg, SparseLeg):
        own = encode(leg.field or schema.sparse_field) if leg.vector is None else SparseVector(leg.vector)
        if leg.field not in (None, schema.sparse_field):
            return ResolvedSparseLeg(name=leg.name, field=leg.field, vector=own)
        token_ids, chunk_field = schema.token_ids, schema.nested_field
        return ResolvedSparseLeg(
            name=leg.name, field=schema.sparse_path, vector=own, token_ids=token_ids, chunk_field=chunk_field
        )
    return ResolvedDenseLeg(name=leg.name, field=leg.field or schema.embedding_field, vector=_embed(leg, text))


def _embed(leg: DenseLeg, text: str) -> tuple[float, ...]:
    if leg.embedder is None:
        return dense_vector(leg.vector, leg.name)
    made = leg.embedder(text)
    if isawaitable(made):
        if iscoroutine(made):
            made.close()
        raise TypeError(
            f"Leg {leg.name!r}: its embedder is asynchronous, and this store is not. Use AsyncNeuralSparseStore, or an "
            "embedder that returns the vector."
        )
    return dense_vector(made, leg.name)

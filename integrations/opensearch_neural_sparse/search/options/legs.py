"""The legs of a hybrid search: what each asks for, as frozen values."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from inspect import isawaitable, iscoroutine, iscoroutinefunction
from types import MappingProxyType
from typing import Any

from opensearch_neural_sparse.encode.pruning import Prune
from opensearch_neural_sparse.encode.sparse_vector import SparseVector
from opensearch_neural_sparse.index.documents.dense_vectors import DenseVector, to_floats
from opensearch_neural_sparse.index.schema import IndexSchema
from opensearch_neural_sparse.index.token_ids import TokenIds

FEWEST_LEGS, MOST_LEGS = 2, 5
Embedder = Callable[[str], DenseVector | Awaitable[DenseVector]]
"""Makes a dense vector of a text; `AsyncNeuralSparseStore` takes one that is awaited, too."""


@dataclass(frozen=True, kw_only=True)
class Bm25Leg:
    """A search by words.

    Attributes:
        text: What is searched for; None is the text of the query.
        field: A text field; None is the schema's.
        name: What the leg is called in `SearchHit.legs`.
    """

    text: str | None = dataclasses.field(default=None, repr=False)
    field: str | None = None
    name: str = "bm25"


@dataclass(frozen=True, kw_only=True)
class SparseLeg:
    """A search by token weights.

    Attributes:
        vector: Token -> weight; None is the vector of the query, made by the model that the field is bound to, or by
            that of the schema's field where it is bound to none.
        field: A field of type `rank_features`; None is the schema's.
        name: What the leg is called in `SearchHit.legs`.
    """

    vector: Mapping[str, float] | None = dataclasses.field(default=None, repr=False)
    field: str | None = None
    name: str = "sparse"

    def __post_init__(self) -> None:
        if self.vector is not None and not isinstance(self.vector, SparseVector):
            object.__setattr__(self, "vector", SparseVector(self.vector))


@dataclass(frozen=True, kw_only=True)
class DenseLeg:
    """A search by a dense vector: the nearest of each shard, as many as the fusion ranks.

    Attributes:
        vector: The vector of the query: a list of numbers, an array of numpy or a tensor of torch.
        embedder: What makes it of the query's text, in place of a vector; an `async def` for the asynchronous store.
        field: A field of type `knn_vector`; None is the schema's.
        name: What the leg is called in `SearchHit.legs`.

    Raises:
        ValueError: Neither a vector nor an embedder, or both; or a vector that is none.
    """

    vector: DenseVector | None = dataclasses.field(default=None, repr=False)
    embedder: Embedder | None = dataclasses.field(default=None, repr=False)
    field: str | None = None
    name: str = "dense"

    def __post_init__(self) -> None:
        if (self.vector is None) == (self.embedder is None):
            raise ValueError(f"Leg {self.name!r} needs either a vector or an embedder.")
        if self.embedder is not None and not callable(self.embedder):
            raise TypeError(
                f"Leg {self.name!r}: an embedder is called with a text, got {type(self.embedder).__name__}."
            )
        if self.vector is not None:
            object.__setattr__(self, "vector", _numbers(self.vector, self.name))


Leg = Bm25Leg | SparseLeg | DenseLeg


@dataclass(frozen=True, kw_only=True)
class Words:
    """A BM25 leg that is ready to be asked."""

    name: str
    field: str
    text: str = dataclasses.field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Weights:
    """A sparse leg that is ready to be asked."""

    name: str
    field: str
    vector: SparseVector = dataclasses.field(repr=False)
    token_ids: TokenIds | None = dataclasses.field(default=None, repr=False)
    chunk_field: str | None = None


@dataclass(frozen=True, kw_only=True)
class Nearest:
    """A dense leg that is ready to be asked."""

    name: str
    field: str
    vector: tuple[float, ...] = dataclasses.field(repr=False)


ReadyLeg = Words | Weights | Nearest


def check_legs(legs: Sequence[Leg]) -> tuple[Leg, ...]:
    """Return the legs of a hybrid search.

    Raises:
        ValueError: Fewer than two, more than five, or two of one name.
        TypeError: Something else than a leg.
    """
    if isinstance(legs, str) or not isinstance(legs, Sequence):
        raise TypeError(f"Legs are a list of Bm25Leg, SparseLeg and DenseLeg, got {type(legs).__name__}.")
    if not FEWEST_LEGS <= len(legs) <= MOST_LEGS:
        raise ValueError(f"A hybrid query has {FEWEST_LEGS} to {MOST_LEGS} legs, got {len(legs)}.")
    for leg in legs:
        if not isinstance(leg, Leg):
            raise TypeError(f"A leg is a Bm25Leg, SparseLeg or DenseLeg, got {type(leg).__name__}.")
    names = [leg.name for leg in legs]
    if len(set(names)) < len(names) or not all(names):
        raise ValueError(f"Legs need different names, got {names}. Give one: SparseLeg(name='titles', ...).")
    return tuple(legs)


def has_embedder(legs: Sequence[Leg]) -> bool:
    """Tell whether an embedder, which may be a network or ask one, makes the vector of a leg."""
    return any(isinstance(leg, DenseLeg) and leg.embedder is not None for leg in legs)


def embedding_once(legs: Sequence[Leg]) -> tuple[Leg, ...]:
    """Return the legs of one search: however often they are filled, each embedder is called once for a text."""
    return tuple(
        replace(leg, embedder=cache(leg.embedder)) if isinstance(leg, DenseLeg) and leg.embedder is not None else leg
        for leg in legs
    )


async def embedded(legs: Sequence[Leg], text: str) -> tuple[Leg, ...]:
    """Return the legs with the vectors that awaited embedders make of a text; other embedders stay.

    Args:
        legs: The legs.
        text: The text of the query.
    """
    filled: list[Leg] = []
    for leg in legs:
        if isinstance(leg, DenseLeg) and leg.embedder is not None and _is_awaited(leg.embedder):
            made: Any = leg.embedder(text)
            filled.append(replace(leg, vector=await made, embedder=None))
        else:
            filled.append(leg)
    return tuple(filled)


def _is_awaited(embedder: object) -> bool:
    return iscoroutinefunction(embedder) or iscoroutinefunction(getattr(embedder, "__call__", None))  # noqa: B004


def fill_legs(
    legs: Sequence[Leg],
    text: str,
    schema: IndexSchema,
    encode: Callable[[], SparseVector],
    more: Mapping[str, Callable[[], SparseVector]] = MappingProxyType({}),
) -> tuple[ReadyLeg, ...]:
    """Return the legs with the query in them.

    Args:
        legs: The legs.
        text: The text of the query.
        schema: Names of the fields.
        encode: Makes the sparse vector of the query; called once at most, where a leg needs it.
        more: Field of another model -> what does the same by that model.
    """
    needed = any(isinstance(leg, SparseLeg) and leg.vector is None and leg.field not in more for leg in legs)
    vector = encode() if needed else SparseVector()
    by_field = {field: make() for field, make in more.items() if any(_needs(leg, field) for leg in legs)}
    return tuple(_fill(leg, text, schema, by_field.get(leg.field or "", vector)) for leg in legs)


def _needs(leg: Leg, field: str) -> bool:
    return isinstance(leg, SparseLeg) and leg.vector is None and leg.field == field


def pruned(legs: Sequence[ReadyLeg], rule: Prune | None) -> tuple[ReadyLeg, ...]:
    """Return the legs with their sparse vectors pruned; one that is left empty finds nothing."""
    if rule is None:
        return tuple(legs)
    return tuple(with_vector(leg, rule(leg.vector)) if isinstance(leg, Weights) else leg for leg in legs)


def with_text(leg: Words, text: str) -> Words:
    """Return the leg with another text."""
    return replace(leg, text=text)


def with_vector(leg: Weights, vector: SparseVector) -> Weights:
    """Return the leg with another vector."""
    return replace(leg, vector=vector)


def _fill(leg: Leg, text: str, schema: IndexSchema, vector: SparseVector) -> ReadyLeg:
    if isinstance(leg, Bm25Leg):
        return Words(name=leg.name, field=leg.field or schema.text_field, text=text if leg.text is None else leg.text)
    if isinstance(leg, SparseLeg):
        own = vector if leg.vector is None else SparseVector(leg.vector)
        if leg.field not in (None, schema.sparse_field):
            return Weights(name=leg.name, field=leg.field, vector=own)
        token_ids, chunk_field = schema.token_ids, schema.nested_field
        return Weights(
            name=leg.name, field=schema.sparse_path, vector=own, token_ids=token_ids, chunk_field=chunk_field
        )
    return Nearest(name=leg.name, field=leg.field or schema.embedding_field, vector=_embed(leg, text))


def _embed(leg: DenseLeg, text: str) -> tuple[float, ...]:
    if leg.embedder is None:
        return _numbers(leg.vector, leg.name)
    made = leg.embedder(text)
    if isawaitable(made):
        if iscoroutine(made):
            made.close()
        raise TypeError(
            f"Leg {leg.name!r}: its embedder is to be awaited, which AsyncNeuralSparseStore does; the blocking store "
            "takes one that returns the vector."
        )
    return _numbers(made, leg.name)


def _numbers(vector: object, name: str) -> tuple[float, ...]:
    try:
        return tuple(to_floats(vector))
    except ValueError as error:
        raise ValueError(f"Leg {name!r}: {error}.") from None

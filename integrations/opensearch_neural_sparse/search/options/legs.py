"""Legs of a hybrid search, as frozen values."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from inspect import iscoroutinefunction
from typing import Any

from opensearch_neural_sparse.arguments import check_text, check_type
from opensearch_neural_sparse.encode.sparse_vector import SparseVector
from opensearch_neural_sparse.error_reasons import shown_value
from opensearch_neural_sparse.index.documents.dense_vectors import DenseVector, to_floats
from opensearch_neural_sparse.search.options.query_text import check_language
from opensearch_neural_sparse.search.options.server_query import ServerQuery
from opensearch_neural_sparse.short_repr import short_repr

FEWEST_LEGS, MOST_LEGS = 2, 5
Embedder = Callable[[str], DenseVector | Awaitable[DenseVector]]
"""Function from text to dense vector; `AsyncNeuralSparseStore` also takes an `async def`."""


@dataclass(frozen=True, kw_only=True)
class Bm25Leg:
    """BM25 leg: full-text search.

    Attributes:
        text: What is searched for; None is the text of the query.
        field: A text field; None is the schema's, by the best of its languages (`IndexSchema.languages`).
        name: What the leg is called in `SearchHit.legs`.
        language: The language of the query, which is searched for in the sub-field of that name alone, such as
            `content.de`; a filter leaves texts in other languages out.

    Raises:
        TypeError: A language that is no text.
    """

    text: str | None = dataclasses.field(default=None, repr=False)
    field: str | None = None
    name: str = "bm25"
    language: str | None = None

    __repr__ = short_repr

    def __post_init__(self) -> None:
        check_language(self.language)
        check_text(name=self.name)
        check_text(optional=True, text=self.text, field=self.field)


@dataclass(frozen=True, kw_only=True)
class SparseLeg:
    """Sparse leg: search by token weights.

    Attributes:
        vector: Token -> weight; None is the vector of the query, made by the model that the field is bound to, or by
            that of the schema's field where it is bound to none.
        field: A field of type `rank_features`; None is the schema's.
        name: What the leg is called in `SearchHit.legs`.
        server_query: What in the server encodes the text of the query for this leg; None leaves it to the options of
            the search, and for a further field to that field's stamp.

    Raises:
        ValueError: Both a vector and a server's encoding.
    """

    vector: Mapping[str, float] | None = dataclasses.field(default=None, repr=False)
    field: str | None = None
    name: str = "sparse"
    server_query: ServerQuery | None = None

    __repr__ = short_repr

    def __post_init__(self) -> None:
        check_text(name=self.name)
        check_text(optional=True, field=self.field)
        check_type(ServerQuery, optional=True, server_query=self.server_query)
        if self.server_query is not None and self.vector is not None:
            raise ValueError(f"Leg {self.name!r} has either a vector or a server_query; leave one out.")
        if self.vector is not None and not isinstance(self.vector, SparseVector):
            object.__setattr__(self, "vector", SparseVector(self.vector))


@dataclass(frozen=True, kw_only=True)
class DenseLeg:
    """Dense leg: the nearest vectors of each shard, as many as the fusion ranks.

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

    __repr__ = short_repr

    def __post_init__(self) -> None:
        check_text(name=self.name)
        check_text(optional=True, field=self.field)
        if (self.vector is None) == (self.embedder is None):
            raise ValueError(f"Leg {shown_value(self.name)} needs either a vector or an embedder.")
        if self.embedder is not None and not callable(self.embedder):
            raise TypeError(
                f"Leg {self.name!r}: an embedder is called with a text, got {type(self.embedder).__name__}."
            )
        if self.vector is not None:
            object.__setattr__(self, "vector", dense_vector(self.vector, self.name))


Leg = Bm25Leg | SparseLeg | DenseLeg


def check_legs(legs: Sequence[Leg]) -> tuple[Leg, ...]:
    """Validate the legs of a hybrid search.

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
    """Return whether an embedder makes the vector of a leg."""
    return any(isinstance(leg, DenseLeg) and leg.embedder is not None for leg in legs)


def embedding_once(legs: Sequence[Leg], call: Callable[[Embedder, str], Any]) -> tuple[Leg, ...]:
    """Cache the embedders for one search: each is called once per text.

    Args:
        legs: The legs.
        call: Calls an embedder with a text, and returns what that returns.
    """
    return tuple(
        replace(leg, embedder=cache(partial(call, leg.embedder)))
        if isinstance(leg, DenseLeg) and leg.embedder is not None
        else leg
        for leg in legs
    )


async def embedded(legs: Sequence[Leg], text: str) -> tuple[Leg, ...]:
    """Embed a text with the async embedders of the legs; other embedders stay.

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


def dense_vector(vector: object, name: str) -> tuple[float, ...]:
    """Return the dense vector of the leg `name` as floats."""
    try:
        return tuple(to_floats(vector))
    except ValueError as error:
        raise ValueError(f"Leg {name!r}: {error}.") from None

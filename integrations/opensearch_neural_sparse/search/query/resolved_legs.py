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
from opensearch_neural_sparse.search.options.server_query import ServerQuery
from opensearch_neural_sparse.search.query.query_text import EncodedQuery, pruned_query


@dataclass(frozen=True, kw_only=True)
class ResolvedBm25Leg:
    """BM25 leg with the query's text, and the fields of the same text by language."""

    name: str
    field: str
    text: str = dataclasses.field(repr=False)
    language_fields: tuple[str, ...] = ()

    @property
    def searched(self) -> int:
        """Number of fields that are searched."""
        return 1 + len(self.language_fields)


@dataclass(frozen=True, kw_only=True)
class ResolvedSparseLeg:
    """Sparse leg with the query's vector, or the text that the server encodes."""

    name: str
    field: str
    vector: EncodedQuery = dataclasses.field(repr=False)
    token_ids: TokenIds | None = dataclasses.field(default=None, repr=False)
    chunk_field: str | None = None


@dataclass(frozen=True, kw_only=True)
class ResolvedDenseLeg:
    """Dense leg with the query's vector."""

    name: str
    field: str
    vector: tuple[float, ...] = dataclasses.field(repr=False)


ResolvedLeg = ResolvedBm25Leg | ResolvedSparseLeg | ResolvedDenseLeg
EncodeField = Callable[[str, ServerQuery | None], EncodedQuery]
"""A sparse field, and what a leg says of who encodes -> the query, encoded here or for the server to encode."""


def resolve_legs(legs: Sequence[Leg], text: str, schema: IndexSchema, encode: EncodeField) -> tuple[ResolvedLeg, ...]:
    """Resolve legs: fill in the query's text and vectors.

    Args:
        legs: The legs.
        text: The text of the query.
        schema: Names of the fields.
        encode: Encodes the query for a sparse field; called once at most for each, where a leg needs it.
    """
    encode_once = cache(encode)
    return tuple(_fill(leg, text, schema, encode_once) for leg in legs)


def words_fields(
    schema: IndexSchema, field: str | None = None, language: str | None = None
) -> tuple[str, tuple[str, ...]]:
    """Return the field that a search by words is in, and the fields of the same text by language.

    Args:
        schema: Names of the fields.
        field: A text field; None is the schema's.
        language: The language of the query; None takes them all.
    """
    if language is not None:
        return f"{field or schema.text_field}.{language}", ()
    return field or schema.text_field, schema.language_fields if field in (None, schema.text_field) else ()


def pruned(legs: Sequence[ResolvedLeg], rule: Prune | None) -> tuple[ResolvedLeg, ...]:
    """Prune the sparse vectors of legs; an empty one finds nothing.

    Raises:
        ValueError: The server encodes the query of a leg.
    """
    if rule is None:
        return tuple(legs)
    return tuple(
        with_vector(leg, pruned_query(leg.vector, rule)) if isinstance(leg, ResolvedSparseLeg) else leg for leg in legs
    )


def with_text(leg: ResolvedBm25Leg, text: str) -> ResolvedBm25Leg:
    """Return the leg with another text."""
    return replace(leg, text=text)


def with_vector(leg: ResolvedSparseLeg, vector: EncodedQuery) -> ResolvedSparseLeg:
    """Return the leg with another vector."""
    return replace(leg, vector=vector)


def _fill(leg: Leg, text: str, schema: IndexSchema, encode: EncodeField) -> ResolvedLeg:
    if isinstance(leg, Bm25Leg):
        field, languages = words_fields(schema, leg.field, leg.language)
        words = text if leg.text is None else leg.text
        return ResolvedBm25Leg(name=leg.name, field=field, text=words, language_fields=languages)
    if isinstance(leg, SparseLeg):
        own = _encoded(leg, schema, encode)
        if leg.field not in (None, schema.sparse_field):
            return ResolvedSparseLeg(name=leg.name, field=leg.field, vector=own)
        token_ids, chunk_field = schema.token_ids, schema.nested_field
        return ResolvedSparseLeg(
            name=leg.name, field=schema.sparse_path, vector=own, token_ids=token_ids, chunk_field=chunk_field
        )
    return ResolvedDenseLeg(name=leg.name, field=leg.field or schema.embedding_field, vector=_embed(leg, text))


def _encoded(leg: SparseLeg, schema: IndexSchema, encode: EncodeField) -> EncodedQuery:
    if leg.vector is not None:
        return SparseVector(leg.vector)
    return encode(leg.field or schema.sparse_field, leg.server_query)


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

"""Answers of the tools, as values that the protocol sends as structured content."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from opensearch_neural_sparse.search.results.hits import SearchHit, SearchHits


@dataclass(frozen=True, kw_only=True)
class IndexFacts:
    """An index that can be searched.

    Attributes:
        name: Its name.
        models: The models that its vectors are of; several for an alias over indices of several.
        documents: How many of its documents can be found.
    """

    name: str
    models: list[str]
    documents: int


@dataclass(frozen=True, kw_only=True)
class IndexList:
    """The indices that can be searched.

    Attributes:
        indices: The indices, by name.
        notes: Remarks, such as on an index that cannot be read.
    """

    indices: list[IndexFacts]
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Match:
    """A token of both query and document.

    Attributes:
        token: The token.
        score: Its part of the score of a sparse search.
    """

    token: str
    score: float


@dataclass(frozen=True, kw_only=True)
class Passage:
    """The best passage of a long document.

    Attributes:
        start: Where it begins in the text, in characters.
        end: Where it ends.
    """

    start: int
    end: int


@dataclass(frozen=True, kw_only=True)
class Leg:
    """One query of a hybrid search.

    Attributes:
        score: Its score of the document.
        rank: Rank of the document in it, from 1, or None.
    """

    score: float
    rank: int | None = None


@dataclass(frozen=True, kw_only=True)
class Hit:
    """A document that was found.

    Attributes:
        id: Its id.
        score: Its score; comparable within one search alone. None where it has none.
        text: Its text, or None.
        metadata: Its metadata.
        passage: Its best passage, in an index of passages.
        matches: Tokens of both query and document, where an explanation was asked for.
        legs: Leg -> its score and rank, where an explanation of a hybrid search was asked for.
    """

    id: str
    score: float | None
    text: str | None
    metadata: dict[str, Any]
    passage: Passage | None = None
    matches: list[Match] | None = None
    legs: dict[str, Leg] | None = None


@dataclass(frozen=True, kw_only=True)
class Found:
    """The answer of a search.

    Attributes:
        hits: The documents, best first.
        total: How many documents match; at least so many where `total_is_exact` is false.
        total_is_exact: Whether all were counted.
        notes: Remarks, such as on a field in the filter that no document has.
    """

    hits: list[Hit]
    total: int
    total_is_exact: bool
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class StoredDocument:
    """A document by its id.

    Attributes:
        id: Its id.
        text: Its text, or None.
        metadata: Its metadata.
    """

    id: str
    text: str | None
    metadata: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Documents:
    """Documents by their ids.

    Attributes:
        documents: Those that are there, in the order of the ids.
        missing: Ids without a document that can be seen.
        notes: Remarks.
    """

    documents: list[StoredDocument]
    missing: list[str]
    notes: list[str] = field(default_factory=list)


def found(hits: SearchHits, notes: Iterable[str] = ()) -> Found:
    """Return the answer of a search.

    Args:
        hits: Its hits.
        notes: Remarks.
    """
    return Found(
        hits=[hit_of(hit) for hit in hits],
        total=hits.total,
        total_is_exact=hits.total_is_exact,
        notes=list(notes),
    )


def hit_of(hit: SearchHit) -> Hit:
    """Return a hit without its vectors.

    Args:
        hit: The hit.
    """
    chunk = None if hit.chunk is None else Passage(start=hit.chunk.start, end=hit.chunk.end)
    matches = None if hit.matches is None else [Match(token=row.token, score=row.score) for row in hit.matches]
    legs = None if hit.legs is None else {name: Leg(score=leg.score, rank=leg.rank) for name, leg in hit.legs.items()}
    return Hit(
        id=hit.id,
        score=hit.score if isfinite(hit.score) else None,
        text=hit.text,
        metadata=dict(hit.metadata),
        passage=chunk,
        matches=matches,
        legs=legs,
    )


def documents(hits: Iterable[SearchHit], ids: Iterable[str], notes: Iterable[str] = ()) -> Documents:
    """Return documents in the order of their ids.

    Args:
        hits: What the server has of them.
        ids: The ids that were asked for.
        notes: Remarks.
    """
    there: Mapping[str, SearchHit] = {hit.id: hit for hit in hits}
    wanted = list(dict.fromkeys(ids))
    return Documents(
        documents=[
            StoredDocument(id=hit.id, text=hit.text, metadata=dict(hit.metadata))
            for name in wanted
            if (hit := there.get(name)) is not None
        ],
        missing=[name for name in wanted if name not in there],
        notes=list(notes),
    )

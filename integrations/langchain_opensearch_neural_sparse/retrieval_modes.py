"""Retrieval modes of a vector store: by which search it finds documents for a text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Literal

from langchain_core.embeddings import Embeddings

from langchain_opensearch_neural_sparse.searches import Clauses, dense_leg_search
from opensearch_neural_sparse import DenseLeg, HybridOptions, HybridSearch, MatchSearch, SearchOptions, SparseSearch
from opensearch_neural_sparse.layer_support import Choice, Search


class RetrievalMode(Choice):
    """Search by which a vector store finds documents for a text.

    `SPARSE` compares the tokens' weights, `BM25` the words, `DENSE` dense vectors; `HYBRID` fuses legs, by default BM25
    and sparse.
    """

    SPARSE = "sparse"
    BM25 = "bm25"
    HYBRID = "hybrid"
    DENSE = "dense"


RetrievalModeLike = RetrievalMode | Literal["sparse", "bm25", "hybrid", "dense"]
"""A `RetrievalMode`, or its value as text."""


def check_mode(mode: RetrievalMode, embedding: Embeddings | None) -> None:
    """Raise ValueError for a mode that lacks its dense model."""
    if mode is RetrievalMode.DENSE and embedding is None:
        raise ValueError(
            "retrieval_mode is 'dense', and the vector store has no dense model. Give embedding=... and "
            "schema=IndexSchema(embedding_dimension=...)."
        )


def refuse_cosines(mode: RetrievalMode) -> None:
    """Raise ValueError where documents are to be ordered by sparse vectors, and the mode finds by something else."""
    if mode is not RetrievalMode.SPARSE:
        raise ValueError(
            f"mmr and relevance scores compare sparse vectors, and retrieval_mode is {str(mode)!r}. Search by "
            "'similarity', 'sparse' or 'hybrid', or use a vector store with retrieval_mode='sparse'."
        )


def search_by_mode(
    mode: RetrievalMode,
    query: str,
    clauses: Clauses,
    size: int,
    options: SearchOptions,
    *,
    vector: Sequence[float] | None,
    field: str,
) -> Search:
    """Return the search for a text.

    Args:
        mode: The mode.
        query: The text; a blank one finds nothing.
        clauses: The filter as query clauses.
        size: Most hits.
        options: How to search; what concerns other searches than the mode's has no effect.
        vector: The dense vector of the text, in the mode `dense`.
        field: The dense field.
    """
    if mode is RetrievalMode.SPARSE or not query.strip():
        return SparseSearch(query, size=size, filter=clauses, options=options)
    hybrid = _hybrid(options)
    if mode is RetrievalMode.HYBRID:
        return HybridSearch(query, size=size, filter=clauses, options=hybrid)
    if mode is RetrievalMode.DENSE:
        return dense_leg_search(DenseLeg(vector=vector), clauses, size, hybrid, field=field)
    return MatchSearch(
        query,
        size=size,
        filter=clauses,
        request=options.request,
        aggregations=options.aggregations,
        boosts=options.boosts,
        collapse=options.collapse,
        rerank=options.rerank,
    )


def _hybrid(options: SearchOptions) -> HybridOptions:
    if isinstance(options, HybridOptions):
        return options
    return HybridOptions(**{each.name: getattr(options, each.name) for each in fields(options) if each.init})

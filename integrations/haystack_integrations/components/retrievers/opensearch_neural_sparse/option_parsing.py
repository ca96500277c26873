"""A retriever's plain values -> the core's options; Haystack's filters and policies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from haystack.document_stores.types import FilterPolicy

from haystack_integrations.document_stores.opensearch_neural_sparse import OpenSearchNeuralSparseDocumentStore
from haystack_integrations.document_stores.opensearch_neural_sparse.filters import Filters, ensure_mapping
from opensearch_neural_sparse import Bm25Leg, Bound, DenseLeg, SeismicSearch, SparseLeg, TwoPhase
from opensearch_neural_sparse.layer_support import Leg, check_size

BM25, SPARSE, DENSE = "bm25", "sparse", "dense"


def checked_store(store: OpenSearchNeuralSparseDocumentStore) -> OpenSearchNeuralSparseDocumentStore:
    """Return a document store.

    Raises:
        TypeError: It is of another kind.
    """
    if not isinstance(store, OpenSearchNeuralSparseDocumentStore):
        raise TypeError(f"document_store is an OpenSearchNeuralSparseDocumentStore, got {type(store).__name__}.")
    return store


def checked_query(query: str) -> str:
    """Return a query.

    Raises:
        TypeError: It is no text.
    """
    if not isinstance(query, str):
        raise TypeError(f"query is a text, got {type(query).__name__}.")
    return query


def checked_top_k(top_k: int) -> int:
    """Return a number of documents.

    Raises:
        ValueError: No search gives so many.
    """
    check_size(top_k, name="top_k")
    return top_k


def custom_body(custom_query: Mapping[str, Any], top_k: int) -> dict[str, Any]:
    """Return the body of a user-supplied search; its own size takes precedence.

    Raises:
        TypeError: It is no mapping.
    """
    if not isinstance(custom_query, Mapping):
        raise TypeError(f"custom_query is the body of a search, a mapping, got {type(custom_query).__name__}.")
    return {"size": top_k, **custom_query}


def filter_policy_of(policy: str | FilterPolicy) -> FilterPolicy:
    """Return a policy given by name or as itself.

    Raises:
        ValueError: No such policy.
    """
    return policy if isinstance(policy, FilterPolicy) else FilterPolicy.from_str(policy)


def combine_filters(policy: FilterPolicy, own: Filters | None, given: Filters | None) -> Filters | None:
    """Return the filters of a run.

    Replacing, those given stand in for the retriever's own; merging, documents satisfy both, always. (Haystack's
    `apply_filter_policy` drops the retriever's own where both name a field or their operators differ.)

    Args:
        policy: Whether filters given to a run replace the retriever's own or are merged with them.
        own: Filters of the retriever.
        given: Filters of the run; None or empty leaves the retriever's own.

    Raises:
        FilterError: Either is no mapping.
    """
    ensure_mapping(own)
    ensure_mapping(given)
    if policy is FilterPolicy.MERGE and own and given:
        return {"operator": "AND", "conditions": [own, given]}
    return given or own


def two_phase_of(value: bool | Mapping[str, Any] | None) -> TwoPhase | None:
    """Return the parameters of a two-phase search: the server's defaults, or those given."""
    if isinstance(value, Mapping):
        return TwoPhase(**value)
    return TwoPhase() if value else None


def seismic_of(value: Mapping[str, Any] | None) -> SeismicSearch | None:
    """Return the parameters of a search of a `sparse_vector` field."""
    return None if value is None else SeismicSearch(**value)


def bounds_of(values: Sequence[Mapping[str, Any]] | None) -> list[Bound] | None:
    """Return the bounds of scores, one for each leg."""
    return None if values is None else [Bound(**value) for value in values]


def legs_of(names: Sequence[str], query_embedding: Sequence[float] | None) -> list[Leg]:
    """Return legs by their names.

    Raises:
        ValueError: No legs, one twice, an unknown one, or `dense` alone; or one of a dense leg and an embedding for it
            without the other.
    """
    known = (BM25, SPARSE, DENSE)
    if not names or len(set(names)) < len(names) or not set(names) <= set(known):
        raise ValueError(f"legs are some of {list(known)}, each once, got {list(names)}.")
    if list(names) == [DENSE]:
        raise ValueError(
            "legs has 'bm25' or 'sparse' beside 'dense'; opensearch-haystack searches dense vectors alone."
        )
    if (DENSE in names) != (query_embedding is not None):
        raise ValueError("query_embedding is for a leg 'dense', and such a leg needs it.")
    made: dict[str, Leg] = {BM25: Bm25Leg(), SPARSE: SparseLeg()}
    return [made.get(name) or DenseLeg(vector=query_embedding) for name in names]

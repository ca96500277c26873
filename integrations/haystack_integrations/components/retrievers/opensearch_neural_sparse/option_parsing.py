"""A retriever's plain values in the core's words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from haystack.document_stores.types import FilterPolicy

from haystack_integrations.document_stores.opensearch_neural_sparse import OpenSearchNeuralSparseDocumentStore
from opensearch_neural_sparse.search.options.fusion import Bound
from opensearch_neural_sparse.search.options.legs import Bm25Leg, DenseLeg, Leg, SparseLeg
from opensearch_neural_sparse.search.options.seismic_search import SeismicSearch
from opensearch_neural_sparse.search.options.two_phase import TwoPhase

BM25, SPARSE, DENSE = "bm25", "sparse", "dense"


def checked_store(store: OpenSearchNeuralSparseDocumentStore) -> OpenSearchNeuralSparseDocumentStore:
    """Return a document store.

    Raises:
        TypeError: It is of another kind.
    """
    if not isinstance(store, OpenSearchNeuralSparseDocumentStore):
        raise TypeError(f"document_store is an OpenSearchNeuralSparseDocumentStore, got {type(store).__name__}.")
    return store


def filter_policy_of(policy: str | FilterPolicy) -> FilterPolicy:
    """Return a policy given by name or as itself.

    Raises:
        ValueError: No such policy.
    """
    return policy if isinstance(policy, FilterPolicy) else FilterPolicy.from_str(policy)


def two_phase_of(value: bool | Mapping[str, Any] | None) -> TwoPhase | None:
    """Return how to search in two phases: as the server does by default, or by the parameters given."""
    if isinstance(value, Mapping):
        return TwoPhase(**value)
    return TwoPhase() if value else None


def seismic_of(value: Mapping[str, Any] | None) -> SeismicSearch | None:
    """Return how to search a `sparse_vector` field."""
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

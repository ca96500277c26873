"""Open or create the index of a document store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from opensearch_neural_sparse import AsyncNeuralSparseStore, IndexNotFoundError, NeuralSparseStore
from opensearch_neural_sparse.layer_support import translated_errors, without_model

if TYPE_CHECKING:
    from opensearch_neural_sparse.layer_support import IndexInfo


@dataclass
class AwaitedStore:
    """The asynchronous store of an index.

    Attributes:
        store: The store.
        opened: Whether its index was opened or created before: one that vanishes is not created again.
    """

    store: AsyncNeuralSparseStore
    opened: bool = False


def open_or_create(store: NeuralSparseStore, settings: Mapping[str, Any] | None, *, create: bool) -> IndexInfo:
    """Open an index, created before if it is missing; one without a model serves queries that the server encodes.

    Raises:
        IndexNotFoundError: It is missing, and not to be created.
    """
    try:
        return store.open(unbound=True)
    except IndexNotFoundError as error:
        if not create:
            raise (error if store.is_creatable else without_model(error)) from None
    store.create(exist_ok=True, settings=settings)
    return store.open()


async def open_or_create_async(
    store: AsyncNeuralSparseStore, settings: Mapping[str, Any] | None, *, create: bool
) -> IndexInfo:
    """Open an index, created before if it is missing; see `open_or_create`."""
    try:
        return await store.open(unbound=True)
    except IndexNotFoundError as error:
        if not create:
            raise (error if store.is_creatable else without_model(error)) from None
    await store.create(exist_ok=True, settings=settings)
    return await store.open()


def create_unstamped(store: NeuralSparseStore, mappings: Mapping[str, Any], settings: Mapping[str, Any] | None) -> None:
    """Create an index by user-supplied mappings, without a stamp; one that exists is left as it is."""
    client = store.client()
    with translated_errors(client, store.index):
        if not client.indices.exists(index=store.index):
            client.indices.create(index=store.index, body={"mappings": mappings, "settings": settings or {}})

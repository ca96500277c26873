"""An index that is there for as long as it is measured."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from opensearch_neural_sparse.encode.query_encoder import QueryEncoder
from opensearch_neural_sparse.index.document import SparseDocument
from opensearch_neural_sparse.index.fields import IndexSchema
from opensearch_neural_sparse.store.connection import translated_errors
from opensearch_neural_sparse.store.options import WriteOptions
from opensearch_neural_sparse.store.sync import NeuralSparseStore

if TYPE_CHECKING:
    from opensearchpy import OpenSearch


@contextmanager
def scratch_index(
    client: OpenSearch, prefix: str, *, model: str | Path, query_encoder: QueryEncoder, dimension: int | None = None
) -> Iterator[NeuralSparseStore]:
    """Create an index of one shard under a name of its own, and delete it whatever happens.

    Args:
        client: A client of the server.
        prefix: What its name begins with.
        model: The model it is bound to.
        query_encoder: Encodes the queries.
        dimension: That of the dense vectors, or None.
    """
    store = NeuralSparseStore(
        f"{prefix}-{uuid4().hex}",
        client=client,
        model=model,
        query_encoder=query_encoder,
        schema=IndexSchema(embedding_dimension=dimension),
    )
    try:
        store.create(settings={"number_of_shards": 1, "number_of_replicas": 0})
        yield store
    finally:
        with translated_errors(client, store.index):
            client.indices.delete(index=store.index, ignore_unavailable=True)


def fill(store: NeuralSparseStore, documents: Iterable[SparseDocument]) -> None:
    """Write documents and bring the index to rest: one segment, and those that were merged into it let go."""
    store.write(documents, options=WriteOptions(refresh=True))
    settle(store)


def settle(store: NeuralSparseStore) -> None:
    """Merge an index to one segment and let go of the others, which count to its size."""
    store.force_merge()
    store.refresh()


def index_bytes(client: OpenSearch, index: str) -> int:
    """Return the size of an index on disk."""
    found = client.indices.stats(index=index, metric="store")
    return int(found["_all"]["primaries"]["store"]["size_in_bytes"])

"""Create, fill and delete a temporary index."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from opensearch_neural_sparse.encode.query_encoder import QueryEncoder
from opensearch_neural_sparse.errors import IndexSchemaError, ServerRequestError
from opensearch_neural_sparse.index.analyzers import ANALYZERS, STANDARD, analyzer_for
from opensearch_neural_sparse.index.documents.document import SparseDocument
from opensearch_neural_sparse.index.schema import IndexSchema
from opensearch_neural_sparse.models.registry import get_model
from opensearch_neural_sparse.store._sync.store import NeuralSparseStore
from opensearch_neural_sparse.store.write_options import WriteOptions
from opensearch_neural_sparse.transport.errors import translated_errors

if TYPE_CHECKING:
    from opensearchpy import OpenSearch

BAD_REQUEST = 400
SETTINGS = {
    "number_of_shards": 1,
    "number_of_replicas": 0,
    "refresh_interval": -1,
    "store.stats_refresh_interval": "0s",
}
"""Settings for stable measurements.

No refresh while writing keeps one segment and so the documents' order, which ranks equal scores; several are merged in
any order. No cached index size, which the server keeps for ten seconds by default.
"""


@contextmanager
def temporary_index(
    client: OpenSearch,
    prefix: str,
    *,
    model: str | Path,
    query_encoder: QueryEncoder,
    dimension: int | None = None,
    analyzers: Sequence[str] = (),
) -> Iterator[NeuralSparseStore]:
    """Create an index of one shard under a unique name, and delete it at the end of the block.

    Args:
        client: A client of the server.
        prefix: Beginning of its name.
        model: Model of the index.
        query_encoder: Encoder of the queries.
        dimension: Dimension of the dense vectors, or None.
        analyzers: Analyzer of the text field, then one for each of its subfields; by default that of the model's
            language.
    """
    first, *others = analyzers or [analyzer_for(get_model(model).languages) or STANDARD]
    store = NeuralSparseStore(
        f"{prefix}-{uuid4().hex}",
        client=client,
        model=model,
        query_encoder=query_encoder,
        schema=IndexSchema(
            embedding_dimension=dimension, text_analyzer=first, text_subfields={name: name for name in others}
        ),
    )
    try:
        store.create(settings=SETTINGS)
        yield store
    finally:
        with translated_errors(client, store.index):
            client.indices.delete(index=store.index, ignore_unavailable=True)


def fill(store: NeuralSparseStore, documents: Iterable[SparseDocument]) -> None:
    """Write documents in their order, which ranks equal scores, and merge them to one segment."""
    store.write(documents, options=WriteOptions(refresh=True, in_flight=1))
    settle(store)


def settle(store: NeuralSparseStore) -> None:
    """Merge an index to one segment and drop the old ones, which count towards its size."""
    store.force_merge()
    store.refresh()


def check_analyzers(client: OpenSearch, analyzers: Iterable[str]) -> None:
    """Check that the server has the analyzers, before anything is encoded.

    Raises:
        IndexSchemaError: The server lacks one.
    """
    for name in analyzers:
        try:
            with translated_errors(client, ""):
                client.indices.analyze(body={"analyzer": name, "text": ""})
        except ServerRequestError as error:
            if error.status != BAD_REQUEST:
                raise
            known = ", ".join([STANDARD, *sorted(set(ANALYZERS.values()))])
            raise IndexSchemaError(f"The server has no analyzer {name!r}. Those of languages are {known}.") from None


def index_bytes(client: OpenSearch, index: str) -> int:
    """Return the size of an index on disk."""
    found = client.indices.stats(index=index, metric="store")
    return int(found["_all"]["primaries"]["store"]["size_in_bytes"])

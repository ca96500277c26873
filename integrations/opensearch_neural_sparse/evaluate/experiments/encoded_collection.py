"""Encode a collection, and record the cost."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter

from opensearch_neural_sparse.encode.cache.cached_encoder import CachedDocumentEncoder
from opensearch_neural_sparse.encode.document_encoder import load_document_encoder
from opensearch_neural_sparse.encode.query_encoder import QueryEncoder, load_query_encoder
from opensearch_neural_sparse.encode.sparse_vector import SparseVector
from opensearch_neural_sparse.evaluate.datasets.beir import Collection
from opensearch_neural_sparse.evaluate.experiments.dense_encoder import DenseEncoder, RememberedQueries
from opensearch_neural_sparse.evaluate.experiments.runs import Cost, Setting
from opensearch_neural_sparse.evaluate.metrics.flops import average_flops, mean_tokens

Progress = Callable[[str, int, int], None]
"""Called with the name of a step, the number of items done, and their total."""


def ignore_progress(what: str, done: int, total: int) -> None:
    """Ignore the progress."""


@dataclass(frozen=True, kw_only=True)
class Encoded:
    """Sparse vectors of a collection in one setting, its query encoder, and the cost."""

    documents: Mapping[str, SparseVector]
    queries: Mapping[str, SparseVector]
    query_encoder: QueryEncoder
    cost: Cost


@dataclass(frozen=True, kw_only=True)
class DenselyEncoded:
    """Dense vectors of a collection's documents, the encoder of its queries, and the cost."""

    name: str
    documents: Mapping[str, Sequence[float]]
    queries: RememberedQueries
    cost: Cost

    @property
    def dimension(self) -> int:
        """Number of dimensions."""
        return len(next(iter(self.documents.values())))


def encode(collection: Collection, setting: Setting, cache: Path, progress: Progress) -> Encoded:
    """Encode the queries, and the documents that the cache lacks."""
    query_encoder = load_query_encoder(setting.model)
    queries = dict(
        zip(collection.queries, query_encoder.encode_queries(list(collection.queries.values())), strict=True)
    )
    began = perf_counter()
    with CachedDocumentEncoder(load_document_encoder(setting.model, max_length=setting.max_length), cache) as encoder:
        vectors = encoder.encode_documents(
            list(collection.documents.values()), progress=_counting(f"encoding {collection.name}", collection, progress)
        )
    seconds = perf_counter() - began
    if setting.prune is not None:
        vectors = list(map(setting.prune, vectors))
    documents = dict(zip(collection.documents, vectors, strict=True))
    cost = replace(vector_cost(documents, queries), encode_seconds=seconds, encoded=encoder.misses)
    return Encoded(documents=documents, queries=queries, query_encoder=query_encoder, cost=cost)


def encode_densely(collection: Collection, encoder: DenseEncoder, progress: Progress) -> DenselyEncoded:
    """Encode the documents that the encoder's cache lacks."""
    before, began = encoder.encoded, perf_counter()
    what = f"encoding {collection.name} by {encoder.name}"
    vectors = encoder.encode_documents(
        list(collection.documents.values()), progress=_counting(what, collection, progress)
    )
    cost = Cost(encode_seconds=perf_counter() - began, encoded=encoder.encoded - before)
    encoder.encode_query(what)  # loading the model is no part of a query's time
    return DenselyEncoded(
        name=encoder.name,
        documents=dict(zip(collection.documents, vectors, strict=True)),
        queries=RememberedQueries(encoder.encode_query),
        cost=cost,
    )


def vector_cost(documents: Mapping[str, SparseVector], queries: Mapping[str, SparseVector]) -> Cost:
    """Compute the cost of a search from its vectors."""
    return Cost(
        flops=average_flops(list(queries.values()), list(documents.values())),
        document_tokens=mean_tokens(documents.values()),
        query_tokens=mean_tokens(queries.values()),
    )


def _counting(what: str, collection: Collection, progress: Progress) -> Callable[[int], None]:
    done = 0

    def show(count: int) -> None:
        nonlocal done
        done += count
        progress(what, done, len(collection.documents))

    return show

"""The ways of searching an index that are held against each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from opensearch_neural_sparse.evaluate.experiments.hybrid_spec import BM25, DENSE, SPARSE, Hybrid
from opensearch_neural_sparse.evaluate.experiments.runs import SIZE
from opensearch_neural_sparse.index.documents.dense_vectors import to_floats
from opensearch_neural_sparse.search.options.legs import Embedder
from opensearch_neural_sparse.search.results.hits import SearchHits
from opensearch_neural_sparse.store._sync.store import NeuralSparseStore

Search = Callable[[str], SearchHits]


@dataclass(frozen=True, kw_only=True)
class Way:
    """A way of searching.

    Attributes:
        name: What it is called in tables.
        legs: Of which searches it is made: names of `hybrids.WAYS`.
        search: Searches by a text.
    """

    name: str
    legs: Sequence[str]
    search: Search


def ways(
    store: NeuralSparseStore, hybrids: Sequence[Hybrid] = (), embedder: Embedder | None = None, *, size: int = SIZE
) -> Iterator[Way]:
    """Yield BM25 by each analyzer, sparse, dense search where something makes dense vectors, and the hybrids.

    Args:
        store: A scratch index; the hybrids fuse BM25 by the first of its analyzers.
        hybrids: What is fused, and how.
        embedder: Makes dense vectors of queries.
        size: How many hits are asked for.
    """
    yield Way(name=f"{BM25} {store.schema.text_analyzer}", legs=(BM25,), search=partial(store.match_search, size=size))
    for name, analyzer in store.schema.text_subfields.items():
        field = f"{store.schema.text_field}.{name}"
        yield Way(name=f"{BM25} {analyzer}", legs=(BM25,), search=partial(_search_field, store, field, size=size))
    yield Way(name=SPARSE, legs=(SPARSE,), search=partial(store.search, size=size))
    if embedder is not None:
        yield Way(name=DENSE, legs=(DENSE,), search=lambda text: _search_densely(store, embedder(text), size))
    for hybrid in hybrids:
        search = partial(store.hybrid_search, size=size, options=hybrid.options(embedder))
        yield Way(name=f"hybrid {hybrid}", legs=hybrid.legs, search=search)


def _search_field(store: NeuralSparseStore, field: str, text: str, *, size: int) -> SearchHits:
    return store.custom_search({"size": size, "query": {"match": {field: {"query": "$text"}}}}, query=text)


def _search_densely(store: NeuralSparseStore, vector: object, size: int) -> SearchHits:
    clause = {"vector": to_floats(vector), "k": size}
    return store.custom_search({"size": size, "query": {"knn": {store.schema.embedding_field: clause}}})

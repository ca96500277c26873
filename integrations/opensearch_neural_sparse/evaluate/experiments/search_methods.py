"""Define the search methods that an evaluation compares."""

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
class SearchMethod:
    """A named search over one index.

    Attributes:
        name: Name in tables.
        legs: Its legs, of `hybrid_spec.LEGS`.
        search: Runs the search for a text.
    """

    name: str
    legs: Sequence[str]
    search: Search


def search_methods(
    store: NeuralSparseStore, hybrids: Sequence[Hybrid] = (), embedder: Embedder | None = None, *, size: int = SIZE
) -> Iterator[SearchMethod]:
    """Yield BM25 by each analyzer, sparse search, dense search if there is an embedder, and the hybrids.

    Args:
        store: A temporary index; the hybrids use BM25 by the first of its analyzers.
        hybrids: Hybrid searches.
        embedder: Embeds query texts.
        size: Number of hits.
    """
    yield SearchMethod(
        name=f"{BM25} {store.schema.text_analyzer}", legs=(BM25,), search=partial(store.match_search, size=size)
    )
    for name, analyzer in store.schema.text_subfields.items():
        field = f"{store.schema.text_field}.{name}"
        yield SearchMethod(
            name=f"{BM25} {analyzer}", legs=(BM25,), search=partial(_search_field, store, field, size=size)
        )
    yield SearchMethod(name=SPARSE, legs=(SPARSE,), search=partial(store.search, size=size))
    if embedder is not None:
        yield SearchMethod(name=DENSE, legs=(DENSE,), search=lambda text: _search_densely(store, embedder(text), size))
    for hybrid in hybrids:
        search = partial(store.hybrid_search, size=size, options=hybrid.options(embedder))
        yield SearchMethod(name=f"hybrid {hybrid}", legs=hybrid.legs, search=search)


def _search_field(store: NeuralSparseStore, field: str, text: str, *, size: int) -> SearchHits:
    return store.custom_search({"size": size, "query": {"match": {field: {"query": "$text"}}}}, query=text)


def _search_densely(store: NeuralSparseStore, vector: object, size: int) -> SearchHits:
    clause = {"vector": to_floats(vector), "k": size}
    return store.custom_search({"size": size, "query": {"knn": {store.schema.embedding_field: clause}}})

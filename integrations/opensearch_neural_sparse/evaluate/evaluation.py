"""Judged collections answered by a real index: BM25, sparse, dense and hybrid search, beside exact scoring."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING
from uuid import uuid4

from opensearch_neural_sparse.encode.cache import CachedDocumentEncoder
from opensearch_neural_sparse.encode.document_encoder import load_document_encoder
from opensearch_neural_sparse.encode.query_encoder import IdfQueryEncoder, QueryEncoder, load_query_encoder
from opensearch_neural_sparse.encode.sparse_vector import SparseVector
from opensearch_neural_sparse.evaluate.collection import Collection
from opensearch_neural_sparse.evaluate.cost import average_flops, mean_tokens, quantile
from opensearch_neural_sparse.evaluate.exact import ExactRanker, Ranking
from opensearch_neural_sparse.evaluate.lexical import lexical_documents
from opensearch_neural_sparse.evaluate.runs import SIZE, Cost, Run, Setting, parse_hybrid
from opensearch_neural_sparse.index.document import SparseDocument
from opensearch_neural_sparse.index.fields import IndexSchema
from opensearch_neural_sparse.search.hits import SearchHits
from opensearch_neural_sparse.search.legs import DenseLeg, Embedder
from opensearch_neural_sparse.search.options import DEFAULT_LEGS, HybridOptions
from opensearch_neural_sparse.store.options import WriteOptions
from opensearch_neural_sparse.store.sync import NeuralSparseStore

if TYPE_CHECKING:
    from opensearchpy import OpenSearch

Progress = Callable[[str, int, int], None]
"""Is told what is being done, how many are done, and of how many."""
Search = Callable[[str], SearchHits]
WARM_UP = 5
BM25, SPARSE, SPARSE_EXACT, DENSE, LEXICAL = "bm25", "sparse", "sparse exact", "dense", "idf lexical"


@dataclass(frozen=True, kw_only=True)
class Encoded:
    """A collection in one setting: its vectors, what encodes queries, and what all that costs."""

    documents: Mapping[str, SparseVector]
    queries: Mapping[str, SparseVector]
    query_encoder: QueryEncoder
    cost: Cost


def ignore_progress(what: str, done: int, total: int) -> None:
    """Show nothing."""


def evaluate(
    client: OpenSearch,
    collection: Collection,
    settings: Sequence[Setting],
    *,
    cache: Path,
    hybrids: Sequence[str] = (),
    embedder: Embedder | None = None,
    progress: Progress = ignore_progress,
) -> Iterator[Run]:
    """Index a collection in each setting and search it in every way; each run comes as soon as it is measured.

    The indices have names of their own and are deleted. BM25 and dense search, which no setting changes, run once.

    Args:
        client: A client of the server.
        collection: The collection.
        settings: Models, and how their documents are encoded.
        cache: File of the vectors; an evaluation that was broken off goes on where it was.
        hybrids: How BM25 and sparse search are fused, as `parse_hybrid` reads it.
        embedder: Makes dense vectors of texts, for dense search and a hybrid of all three.
        progress: Is told how far the work has come.
    """
    for number, setting in enumerate(settings):
        encoded = encode(collection, setting, cache, progress)
        with _index(client, collection, setting, encoded, embedder) as store:
            cost = replace(encoded.cost, index_bytes=_index_bytes(client, store.index))
            for way, search in _ways(store, hybrids, embedder, with_others=number == 0).items():
                rankings, times = _ask(collection, search, partial(progress, f"{collection.name}: {way}"))
                own = (Cost(), "") if way in (BM25, DENSE) else (cost, setting.label)
                spent = replace(own[0], p50_ms=quantile(times, 0.5), p99_ms=quantile(times, 0.99))
                yield Run.of(collection, way, rankings, setting=own[1], cost=spent)
        exact = rank_exactly(encoded.documents, encoded.queries)
        yield Run.of(collection, SPARSE_EXACT, exact, setting=setting.label, cost=encoded.cost)


def evaluate_lexically(collection: Collection, encoder: IdfQueryEncoder, *, setting: str) -> Run:
    """Score the baseline of tokens weighed without a network, without a server either."""
    documents = lexical_documents(encoder, collection.documents)
    queries = {key: encoder.encode_query(text) for key, text in collection.queries.items()}
    rankings = rank_exactly(documents, queries)
    return Run.of(collection, LEXICAL, rankings, setting=setting, cost=_vector_cost(documents, queries))


def encode(collection: Collection, setting: Setting, cache: Path, progress: Progress) -> Encoded:
    """Encode documents and queries; vectors that the cache holds are not made again."""
    query_encoder = load_query_encoder(setting.model)
    queries = dict(
        zip(collection.queries, query_encoder.encode_queries(list(collection.queries.values())), strict=True)
    )
    done, total = 0, len(collection.documents)

    def show(count: int) -> None:
        nonlocal done
        done += count
        progress(f"encoding {collection.name}", done, total)

    began = perf_counter()
    with CachedDocumentEncoder(load_document_encoder(setting.model, max_length=setting.max_length), cache) as encoder:
        vectors = encoder.encode_documents(list(collection.documents.values()), progress=show)
    seconds = perf_counter() - began
    if setting.prune is not None:
        vectors = list(map(setting.prune, vectors))
    documents = dict(zip(collection.documents, vectors, strict=True))
    cost = replace(_vector_cost(documents, queries), encode_seconds=seconds, encoded=encoder.misses)
    return Encoded(documents=documents, queries=queries, query_encoder=query_encoder, cost=cost)


def rank_exactly(documents: Mapping[str, SparseVector], queries: Mapping[str, SparseVector]) -> dict[str, Ranking]:
    """Rank without a server."""
    ranker = ExactRanker(documents)
    return {key: ranker.rank(query, SIZE) for key, query in queries.items()}


def _vector_cost(documents: Mapping[str, SparseVector], queries: Mapping[str, SparseVector]) -> Cost:
    return Cost(
        flops=average_flops(list(queries.values()), list(documents.values())),
        document_tokens=mean_tokens(documents.values()),
        query_tokens=mean_tokens(queries.values()),
    )


@contextmanager
def _index(
    client: OpenSearch, collection: Collection, setting: Setting, encoded: Encoded, embedder: Embedder | None
) -> Iterator[NeuralSparseStore]:
    texts = collection.documents
    dense = {key: list(embedder(text)) for key, text in texts.items()} if embedder else {}
    dimension = len(next(iter(dense.values()))) if dense else None
    store = NeuralSparseStore(
        f"evaluate-{uuid4().hex}",
        client=client,
        model=setting.model,
        query_encoder=encoded.query_encoder,
        schema=IndexSchema(embedding_dimension=dimension),
    )
    store.create(settings={"number_of_shards": 1, "number_of_replicas": 0})
    try:
        rows = (
            SparseDocument(id=key, text=text, vector=encoded.documents[key], embedding=dense.get(key))
            for key, text in texts.items()
        )
        store.write(rows, options=WriteOptions(refresh=True))
        store.force_merge()
        store.refresh()  # lets go of the segments that were merged: they count to its size
        yield store
    finally:
        store.delete_index()


def _ways(
    store: NeuralSparseStore, hybrids: Sequence[str], embedder: Embedder | None, *, with_others: bool
) -> dict[str, Search]:
    """Return name -> way of searching the index; with those that no setting changes, or without."""
    ways: dict[str, Search] = {SPARSE: partial(store.search, size=SIZE)}
    if with_others:
        ways = {BM25: partial(store.match_search, size=SIZE), **ways}
    for name in hybrids:
        ways[f"hybrid {name}"] = partial(store.hybrid_search, size=SIZE, options=parse_hybrid(name))
    if embedder is None:
        return ways
    if with_others:
        ways[DENSE] = lambda text: store.custom_search(_nearest(store, embedder(text)))
    options = HybridOptions(legs=(*DEFAULT_LEGS, DenseLeg(embedder=embedder)))
    ways["hybrid rrf with dense"] = partial(store.hybrid_search, size=SIZE, options=options)
    return ways


def _nearest(store: NeuralSparseStore, vector: Sequence[float]) -> dict[str, object]:
    clause = {"vector": [float(number) for number in vector], "k": SIZE}
    return {"size": SIZE, "query": {"knn": {store.schema.embedding_field: clause}}}


def _ask(
    collection: Collection, search: Search, progress: Callable[[int, int], None]
) -> tuple[dict[str, Ranking], list[float]]:
    """Return what each query finds, and how many milliseconds each took."""
    for text in list(collection.queries.values())[:WARM_UP]:
        search(text)
    rankings, times = {}, []
    for number, (query, text) in enumerate(collection.queries.items(), 1):
        began = perf_counter()
        hits = search(text)
        times.append((perf_counter() - began) * 1000)
        rankings[query] = {hit.id: hit.score for hit in hits}
        progress(number, len(collection.queries))
    return rankings, times


def _index_bytes(client: OpenSearch, index: str) -> int:
    found = client.indices.stats(index=index, metric="store")
    return int(found["_all"]["primaries"]["store"]["size_in_bytes"])

"""Judged collections answered by a real index: BM25, sparse, dense and hybrid search, beside exact scoring."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from opensearch_neural_sparse.encode.query_encoder import IdfQueryEncoder
from opensearch_neural_sparse.encode.sparse_vector import SparseVector
from opensearch_neural_sparse.evaluate.datasets.beir import Collection
from opensearch_neural_sparse.evaluate.experiments.dense_encoder import DenseEncoder
from opensearch_neural_sparse.evaluate.experiments.encoded_collection import (
    DenselyEncoded,
    Encoded,
    Progress,
    encode,
    encode_densely,
    ignore_progress,
    vector_cost,
)
from opensearch_neural_sparse.evaluate.experiments.exact_search import ExactRanker, Ranking
from opensearch_neural_sparse.evaluate.experiments.hybrid_spec import DENSE, SPARSE, Hybrid
from opensearch_neural_sparse.evaluate.experiments.lexical_baseline import lexical_documents
from opensearch_neural_sparse.evaluate.experiments.runs import SIZE, Cost, Run, Setting
from opensearch_neural_sparse.evaluate.experiments.search_methods import Way, ways
from opensearch_neural_sparse.evaluate.experiments.temporary_index import (
    check_analyzers,
    fill,
    index_bytes,
    scratch_index,
)
from opensearch_neural_sparse.evaluate.metrics.flops import quantile
from opensearch_neural_sparse.index.documents.document import SparseDocument

if TYPE_CHECKING:
    from opensearchpy import OpenSearch

WARM_UP = 5
SPARSE_EXACT, LEXICAL = "sparse exact", "idf lexical"


def evaluate(
    client: OpenSearch,
    collection: Collection,
    settings: Sequence[Setting],
    *,
    cache: Path,
    hybrids: Sequence[Hybrid] = (),
    dense: DenseEncoder | None = None,
    analyzers: Sequence[str] = (),
    progress: Progress = ignore_progress,
) -> Generator[Run, None, None]:
    """Index a collection in each setting and search it in every way; each run comes as soon as it is measured.

    The indices have names of their own and are deleted. What no setting changes, as BM25 by one analyzer and dense
    search, runs once.

    Args:
        client: A client of the server.
        collection: The collection.
        settings: Models, and how their documents are encoded.
        cache: File of the vectors; what it holds is not encoded again.
        hybrids: What is fused, and how.
        dense: Makes dense vectors, for dense search and the hybrids that have it.
        analyzers: Analyzers of the texts that BM25 is measured by; hybrids fuse the first. By default that of each
            model's language.
        progress: Is told how far the work has come.

    Raises:
        IndexSchemaError: The server lacks an analyzer.
    """
    check_analyzers(client, analyzers)
    measured = set[str]()
    others = None if dense is None else encode_densely(collection, dense, progress)
    for setting in settings:
        encoded = encode(collection, setting, cache, progress)
        with scratch_index(
            client,
            "evaluate",
            model=setting.model,
            query_encoder=encoded.query_encoder,
            dimension=None if others is None else others.dimension,
            analyzers=analyzers,
        ) as store:
            fill(store, _documents(collection, encoded, others))
            cost = replace(encoded.cost, index_bytes=index_bytes(client, store.index))
            for way in ways(store, hybrids, None if others is None else others.queries):
                if SPARSE in way.legs or way.name not in measured:
                    measured.add(way.name)
                    yield _run(collection, way, setting.label, cost, others, progress)
        exact = rank_exactly(encoded.documents, encoded.queries)
        yield Run.of(collection, SPARSE_EXACT, exact, setting=setting.label, cost=encoded.cost)


def evaluate_lexically(collection: Collection, encoder: IdfQueryEncoder, *, setting: str) -> Run:
    """Score the baseline of tokens weighed without a network, without a server either."""
    documents = lexical_documents(encoder, collection.documents)
    queries = {key: encoder.encode_query(text) for key, text in collection.queries.items()}
    rankings = rank_exactly(documents, queries)
    return Run.of(collection, LEXICAL, rankings, setting=setting, cost=vector_cost(documents, queries))


def rank_exactly(documents: Mapping[str, SparseVector], queries: Mapping[str, SparseVector]) -> dict[str, Ranking]:
    """Rank without a server."""
    ranker = ExactRanker(documents)
    return {key: ranker.rank(query, SIZE) for key, query in queries.items()}


def _documents(collection: Collection, encoded: Encoded, others: DenselyEncoded | None) -> Iterator[SparseDocument]:
    for key, text in collection.documents.items():
        embedding = None if others is None else others.documents[key]
        yield SparseDocument(id=key, text=text, vector=encoded.documents[key], embedding=embedding)


def _run(
    collection: Collection, way: Way, setting: str, cost: Cost, others: DenselyEncoded | None, progress: Progress
) -> Run:
    """Measure a way of searching; one without the sparse model does not cost what that costs."""
    names = {SPARSE: setting, DENSE: "" if others is None else others.name}
    label = " + ".join(names[leg] for leg in way.legs if leg in names)
    dense = others if DENSE in way.legs else None
    if SPARSE not in way.legs:
        cost = Cost() if dense is None else dense.cost
    rankings, times = _ask(collection, way, dense, partial(progress, f"{collection.name}: {way.name}"))
    spent = replace(cost, p50_ms=quantile(times, 0.5), p99_ms=quantile(times, 0.99))
    return Run.of(collection, way.name, rankings, setting=label, cost=spent)


def _ask(
    collection: Collection, way: Way, dense: DenselyEncoded | None, progress: Callable[[int, int], None]
) -> tuple[dict[str, Ranking], list[float]]:
    """Return what each query finds, and how many milliseconds each took, its encoding included."""
    for text in list(collection.queries.values())[:WARM_UP]:
        way.search(text)
    rankings, times = {}, []
    for number, (query, text) in enumerate(collection.queries.items(), 1):
        encoding = 0.0 if dense is None else dense.queries.milliseconds(text)
        began = perf_counter()
        hits = way.search(text)
        times.append(encoding + (perf_counter() - began) * 1000)
        rankings[query] = {hit.id: hit.score for hit in hits}
        progress(number, len(collection.queries))
    return rankings, times

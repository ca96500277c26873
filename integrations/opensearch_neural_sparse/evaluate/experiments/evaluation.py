"""Evaluate BM25, sparse, dense and hybrid search on judged collections, and check them against exact scoring."""

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
from opensearch_neural_sparse.evaluate.experiments.search_methods import SearchMethod, search_methods
from opensearch_neural_sparse.evaluate.experiments.temporary_index import (
    check_analyzers,
    fill,
    index_bytes,
    temporary_index,
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
    """Index a collection in each setting and run every search method; yields each run once it is measured.

    The indices are temporary. A method that no setting changes (BM25 by one analyzer, dense search) runs once.

    Args:
        client: A client of the server.
        collection: The collection.
        settings: Models, and how their documents are encoded.
        cache: File of the vector cache; documents in it are not encoded again.
        hybrids: Hybrid searches to run.
        dense: Dense encoder, for dense search and the hybrids with a dense leg.
        analyzers: Text analyzers to run BM25 with; hybrids use the first. By default that of each model's language.
        progress: Called as the work goes on.

    Raises:
        IndexSchemaError: The server lacks an analyzer.
    """
    check_analyzers(client, analyzers)
    measured = set[str]()
    others = None if dense is None else encode_densely(collection, dense, progress)
    for setting in settings:
        encoded = encode(collection, setting, cache, progress)
        with temporary_index(
            client,
            "evaluate",
            model=setting.model,
            query_encoder=encoded.query_encoder,
            dimension=None if others is None else others.dimension,
            analyzers=analyzers,
        ) as store:
            fill(store, _documents(collection, encoded, others))
            cost = replace(encoded.cost, index_bytes=index_bytes(client, store.index))
            for method in search_methods(store, hybrids, None if others is None else others.queries):
                if SPARSE in method.legs or method.name not in measured:
                    measured.add(method.name)
                    yield _run(collection, method, setting.label, cost, others, progress)
        exact = rank_exactly(encoded.documents, encoded.queries)
        yield Run.of(collection, SPARSE_EXACT, exact, setting=setting.label, cost=encoded.cost)


def evaluate_lexically(collection: Collection, encoder: IdfQueryEncoder, *, setting: str) -> Run:
    """Evaluate the lexical baseline, without a server."""
    documents = lexical_documents(encoder, collection.documents)
    queries = {key: encoder.encode_query(text) for key, text in collection.queries.items()}
    rankings = rank_exactly(documents, queries)
    return Run.of(collection, LEXICAL, rankings, setting=setting, cost=vector_cost(documents, queries))


def rank_exactly(documents: Mapping[str, SparseVector], queries: Mapping[str, SparseVector]) -> dict[str, Ranking]:
    """Rank all documents for each query without a server."""
    ranker = ExactRanker(documents)
    return {key: ranker.rank(query, SIZE) for key, query in queries.items()}


def _documents(collection: Collection, encoded: Encoded, others: DenselyEncoded | None) -> Iterator[SparseDocument]:
    for key, text in collection.documents.items():
        embedding = None if others is None else others.documents[key]
        yield SparseDocument(id=key, text=text, vector=encoded.documents[key], embedding=embedding)


def _run(
    collection: Collection,
    method: SearchMethod,
    setting: str,
    cost: Cost,
    others: DenselyEncoded | None,
    progress: Progress,
) -> Run:
    """Measure a search method; the cost of the sparse model counts only where the method uses it."""
    names = {SPARSE: setting, DENSE: "" if others is None else others.name}
    label = " + ".join(names[leg] for leg in method.legs if leg in names)
    dense = others if DENSE in method.legs else None
    if SPARSE not in method.legs:
        cost = Cost() if dense is None else dense.cost
    rankings, times = _ask(collection, method, dense, partial(progress, f"{collection.name}: {method.name}"))
    spent = replace(cost, p50_ms=quantile(times, 0.5), p99_ms=quantile(times, 0.99))
    return Run.of(collection, method.name, rankings, setting=label, cost=spent)


def _ask(
    collection: Collection, method: SearchMethod, dense: DenselyEncoded | None, progress: Callable[[int, int], None]
) -> tuple[dict[str, Ranking], list[float]]:
    """Run all queries and return their rankings and their times in milliseconds, encoding included."""
    for text in list(collection.queries.values())[:WARM_UP]:
        method.search(text)
    rankings, times = {}, []
    for number, (query, text) in enumerate(collection.queries.items(), 1):
        encoding = 0.0 if dense is None else dense.queries.milliseconds(text)
        began = perf_counter()
        hits = method.search(text)
        times.append(encoding + (perf_counter() - began) * 1000)
        rankings[query] = {hit.id: hit.score for hit in hits}
        progress(number, len(collection.queries))
    return rankings, times

"""Evaluations of models of one weight for each token, on a real server of each line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from opensearch_neural_sparse import Prune, load_document_encoder, load_query_encoder
from opensearch_neural_sparse.evaluate.experiments.evaluation import evaluate
from opensearch_neural_sparse.evaluate.experiments.hybrid_spec import parse_hybrid
from opensearch_neural_sparse.evaluate.experiments.runs import Setting
from opensearch_neural_sparse.evaluate.metrics.relevance import METRICS, NDCG_AT_10
from tests.evaluate.collections import DOCUMENTS, QUERIES, SENTENCES
from tests.scalar_snapshots import ScalarFamily


@pytest.mark.parametrize("family", ["bge-m3", "unicoil", "deepimpact"])
def test_each_family_is_measured_on_an_index_and_exactly(
    family: ScalarFamily, client: Any, scalar_snapshot: Callable[..., Path], tmp_path: Path
) -> None:
    folder, cache = scalar_snapshot(family), tmp_path / "vectors.sqlite"
    settings = (Setting(model=folder), Setting(model=folder, prune=Prune.parse("top_k:3")))
    runs = list(evaluate(client, SENTENCES, settings, cache=cache, hybrids=[parse_hybrid("rrf")]))
    found = {(run.way, run.setting): run for run in runs}
    analyzer = "standard" if family == "bge-m3" else "english"  # of many languages
    assert {way for way, _ in found} == {f"bm25 {analyzer}", "sparse", "hybrid rrf", "sparse exact"}
    assert all(set(run.metrics) == set(METRICS) and run.per_query.keys() == QUERIES.keys() for run in runs)
    for setting in settings:
        server, exact = found["sparse", setting.label], found["sparse exact", setting.label]
        assert server.metrics[NDCG_AT_10] == pytest.approx(exact.metrics[NDCG_AT_10], abs=0.002)
        assert {key: set(ranking) for key, ranking in server.rankings.items()} == {
            key: set(ranking) for key, ranking in exact.rankings.items()
        }
        assert server.cost.index_bytes
        assert server.cost.p50_ms is not None
    whole, pruned = (found["sparse", setting.label].cost for setting in settings)
    assert (whole.encoded, pruned.encoded) == (len(DOCUMENTS), 0)
    tokens = [cost.document_tokens for cost in (pruned, whole) if cost.document_tokens is not None]
    assert 0 < tokens[0] <= 3 < tokens[1]


@pytest.mark.parametrize("family", ["bge-m3", "unicoil", "deepimpact"])
def test_rankings_are_those_of_the_model_s_own_queries_and_documents(
    family: ScalarFamily, client: Any, scalar_snapshot: Callable[..., Path], tmp_path: Path
) -> None:
    folder = scalar_snapshot(family)
    runs = list(evaluate(client, SENTENCES, [Setting(model=folder)], cache=tmp_path / "vectors.sqlite"))
    (sparse,) = (run for run in runs if run.way == "sparse")
    queries, documents = load_query_encoder(folder), load_document_encoder(folder)
    vectors = dict(zip(DOCUMENTS, documents.encode_documents(list(DOCUMENTS.values())), strict=True))
    for key, text in QUERIES.items():
        query = queries.encode_query(text)
        scores = {name: sum(vector.get(token, 0) * query[token] for token in query) for name, vector in vectors.items()}
        assert set(sparse.rankings[key]) == {name for name, score in scores.items() if score > 0}
        ranked = [scores[name] for name in sparse.rankings[key]]
        assert ranked == pytest.approx(sorted(ranked, reverse=True), rel=0.01)

"""The smoke numbers: what our own builders score on a real server."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import pytest

from opensearch_neural_sparse import IndexSchema, PruneType, SparseDocument, SparseVector
from opensearch_neural_sparse.index.documents.document import to_source
from opensearch_neural_sparse.index.documents.serializer import to_json
from opensearch_neural_sparse.index.mapping import create_index_body
from opensearch_neural_sparse.search.filters.filter_clauses import filtered
from opensearch_neural_sparse.search.fusion.pipelines import rrf_pipeline
from opensearch_neural_sparse.search.options.two_phase import TwoPhase
from opensearch_neural_sparse.search.query.clauses import (
    hybrid_query,
    match_query,
    neural_sparse_query,
    rank_feature_query,
)
from opensearch_neural_sparse.server_info import ServerInfo, parse_version
from tests.conftest import RunningServer

SCHEMA = IndexSchema()
VECTORS = {"1": {"hello": 1.5, "world": 0.5, ".": 0.3}, "2": {"world": 0.75}, "3": {"other": 1.0}}


@pytest.fixture
def index(client: Any, index_name: str) -> str:
    client.indices.create(index=index_name, body=create_index_body(SCHEMA, settings={"number_of_shards": 1}))
    for name, vector in VECTORS.items():
        text = "hello world" if name == "1" else "nothing of the sort"
        document = SparseDocument(id=name, text=text, vector=vector, metadata={"number": int(name)})
        client.index(index=index_name, id=name, body=to_json(to_source(document, SCHEMA)))
    client.indices.refresh(index=index_name)
    return index_name


def scores(client: Any, index: str, query: Mapping[str, Any], **body: Any) -> dict[str, float]:
    response = client.search(index=index, body={"query": query, **body})
    return {hit["_id"]: hit["_score"] for hit in response["hits"]["hits"]}


def test_neural_sparse_scores_by_stored_weights(client: Any, index: str) -> None:
    assert scores(client, index, neural_sparse_query("sparse_vector", {"hello": 2.0, ".": 1.0})) == {"1": 3.2998047}


def test_rank_feature_scores_alike(client: Any, index: str) -> None:
    assert scores(client, index, rank_feature_query("sparse_vector", {"hello": 2.0, ".": 1.0})) == {"1": 3.0}
    tokens = {"hello": 2.0, "world": 4.0, "other": 640.0}
    plain = scores(client, index, neural_sparse_query("sparse_vector", tokens))
    assert plain == scores(client, index, rank_feature_query("sparse_vector", tokens))
    assert plain == {"3": 640.0, "1": 5.0, "2": 3.0}


def test_filter_keeps_scores(client: Any, index: str) -> None:
    query = filtered(neural_sparse_query("sparse_vector", {"world": 4.0}), [{"term": {"number": 2}}])
    assert scores(client, index, query) == {"2": 3.0}


@pytest.mark.parametrize(("rank_constant", "score"), [(60, 0.032786883), (1, 1.0)])
def test_hybrid_fuses_by_ranks(
    client: Any, index: str, server: RunningServer, rank_constant: int, score: float
) -> None:
    info = ServerInfo(version=parse_version(server.version))
    query = hybrid_query(
        [match_query("content", "hello"), neural_sparse_query("sparse_vector", {"hello": 2.0})], pagination_depth=100
    )
    pipeline = rrf_pipeline(info, rank_constant=rank_constant)
    assert scores(client, index, query, search_pipeline=pipeline) == {"1": score}


def test_shortest_weights_score_as_whole_ones(client: Any, index_name: str) -> None:
    client.indices.create(index=index_name, body=create_index_body(SCHEMA, settings={"number_of_shards": 1}))
    tokens = [f"t{n}" for n in range(40)]
    lines: list[bytes] = []
    for number in range(60):
        weights = {token: 3 / (1 + (number * 7919 + place * 104729) % 997 / 31) for place, token in enumerate(tokens)}
        document = SparseDocument(id=f"{number}", vector=SparseVector(weights))
        for kind, exact in (("whole", True), ("short", False)):
            source = to_json(to_source(document, SCHEMA), exact_weights=exact)
            lines += [to_json({"index": {"_id": f"{kind}{number}"}}), source]
    assert not client.bulk(body=b"\n".join(lines) + b"\n", index=index_name, refresh=True)["errors"]
    found = scores(client, index_name, neural_sparse_query("sparse_vector", dict.fromkeys(tokens[:20], 1.7)), size=200)
    assert len(found) == 120
    assert [found[f"whole{n}"] for n in range(60)] == [found[f"short{n}"] for n in range(60)]


@pytest.mark.parametrize(
    "rule", ["max_ratio:0.4", "max_ratio:0.1", "abs_value:0.7", "top_k:7", "alpha_mass:0.8", "alpha_mass:0.95"]
)
def test_pruning_keeps_the_tokens_that_the_server_keeps(client: Any, index_name: str, rule: str) -> None:
    """A document for each token, and two phases: what the server's own rule took for light finds no document."""
    tokens = [f"t{n}" for n in range(30)]
    client.indices.create(index=index_name, body=create_index_body(SCHEMA, settings={"number_of_shards": 1}))
    lines = [line for token in tokens for line in ({"index": {"_id": token}}, {"sparse_vector": {token: 1.0}})]
    client.bulk(body=lines, index=index_name, refresh=True)
    kind, ratio = rule.split(":")
    two_phase = TwoPhase(prune_type=PruneType(kind), prune_ratio=float(ratio))
    for seed in range(20):
        chance = random.Random(seed)
        some = (chance.uniform(0.05, 3) for _ in tokens[5:])
        weights = dict(zip(tokens, [3.0, 0.3, 1.2, 0.7, 0.02, *some], strict=True))
        heavy, light = two_phase.split(SparseVector(weights))
        assert heavy
        assert light
        query = neural_sparse_query("sparse_vector", weights)
        found = scores(client, index_name, query, search_pipeline=two_phase.pipeline(), size=100)
        assert set(found) == set(heavy)

"""Fusion in this process: that of the client, and that of the server."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opensearch_neural_sparse import Bm25Leg, HybridOptions, Prune, SearchOptions, SparseLeg, TwoPhase
from opensearch_neural_sparse.evaluate.experiments.encoded_collection import encode, ignore_progress
from opensearch_neural_sparse.evaluate.experiments.runs import Setting
from opensearch_neural_sparse.evaluate.metrics.relevance import NDCG_AT_10, query_metrics
from opensearch_neural_sparse.evaluate.tuning.scores.fused_scores import fuse_hits
from opensearch_neural_sparse.evaluate.tuning.scores.leg_runs import LegRuns
from opensearch_neural_sparse.evaluate.tuning.scores.scoring import Scorer
from opensearch_neural_sparse.evaluate.tuning.scores.sparse_ranking import RankedHits, SparseRanker
from opensearch_neural_sparse.evaluate.tuning.settings.index_layout import IndexLayout
from opensearch_neural_sparse.evaluate.tuning.settings.search_setting import FusionSetting, SearchSetting
from opensearch_neural_sparse.evaluate.tuning.stored_search import Vectors, layout_index
from opensearch_neural_sparse.evaluate.tuning.tuning import known_normalizations, tuning_space
from opensearch_neural_sparse.search.fusion.rrf import fuse
from opensearch_neural_sparse.search.options.fusion import Combination, Normalization
from tests.evaluate.collections import QUERIES, SENTENCES
from tests.paths import SMALL_MODEL

MODEL = str(SMALL_MODEL)
RANKINGS = st.lists(st.lists(st.integers(0, 30), unique=True, max_size=12), min_size=2, max_size=5)


def by_rank(ranking: list[int]) -> RankedHits:
    return RankedHits.of(ranking, np.linspace(2.0, 1.0, len(ranking)))


@given(RANKINGS, st.integers(1, 200), st.data())
def test_ranks_are_fused_as_the_client_does_it(rankings: list[list[int]], constant: int, data: st.DataObject) -> None:
    parts = data.draw(st.lists(st.integers(1, 9), min_size=len(rankings), max_size=len(rankings)))
    weights = tuple(part / sum(parts) for part in parts)
    fusions = [FusionSetting(rank_constant=constant), FusionSetting(rank_constant=constant, weights=weights)]
    found = fuse_hits(list(map(by_rank, rankings)), fusions, 10)
    for fusion, ranking in zip(fusions, found, strict=True):
        expected = fuse(rankings, rank_constant=constant, weights=fusion.weights)
        assert ranking.tolist() == [document for document, _ in expected[:10]]


@pytest.fixture(scope="module")
def vectors(tmp_path_factory: pytest.TempPathFactory) -> Vectors:
    cache = tmp_path_factory.mktemp("cache") / "vectors.sqlite"
    return Vectors(encoded={MODEL: encode(SENTENCES, Setting(model=MODEL), cache, ignore_progress)})


LAYOUT = IndexLayout(model=MODEL, analyzers=("english",))
POSITIONS = {key: position for position, key in enumerate(SENTENCES.documents)}


def hits_of(found) -> RankedHits:
    return RankedHits.of((POSITIONS[hit.id] for hit in found), (hit.score for hit in found))


def test_normalised_scores_are_fused_as_the_server_does_it(client, vectors: Vectors) -> None:
    with layout_index(client, SENTENCES, LAYOUT, vectors) as store:
        known = known_normalizations(store, Normalization)
        assert set(Normalization) - set(known) <= {Normalization.Z_SCORE}
        for normalization, combination, weights in product(known, Combination, (None, (0.3, 0.7), (0.8, 0.2))):
            if normalization is Normalization.Z_SCORE and combination is not Combination.ARITHMETIC_MEAN:
                continue
            fusion = FusionSetting(normalization=normalization, combination=combination, weights=weights)
            options = HybridOptions(
                legs=(Bm25Leg(), SparseLeg()), normalization=normalization, combination=combination, weights=weights
            )
            for text in QUERIES.values():
                served = [POSITIONS[hit.id] for hit in store.hybrid_search(text, options=options)]
                legs = [hits_of(store.match_search(text)), hits_of(store.search(text))]
                (computed,) = fuse_hits(legs, [fusion], 10, by_server=True)
                assert computed.tolist()[: len(served)] == served, (fusion.label, text)


def test_sparse_vectors_are_ranked_as_the_server_does_it(client, vectors: Vectors) -> None:
    encoded = vectors.encoded[MODEL]
    ranker = SparseRanker(list(encoded.documents.values()))
    rule = Prune.parse("max_ratio:0.4")
    phases = TwoPhase(prune_ratio=0.6)
    with layout_index(client, SENTENCES, LAYOUT, vectors) as store:
        for query, text in QUERIES.items():
            vector = encoded.queries[query]
            served = hits_of(store.search(text))
            computed = ranker.rank(vector, 10)
            assert computed.documents.tolist() == served.documents.tolist()
            assert computed.scores == pytest.approx(served.scores, rel=1e-5)
            pruned = hits_of(store.search(text, options=SearchOptions(prune=rule)))
            assert ranker.rank(rule(vector), 10).documents.tolist() == pruned.documents.tolist()
            two = hits_of(store.search(text, options=SearchOptions(two_phase=phases)))
            assert ranker.rank(vector, 10, phases).documents.tolist() == two.documents.tolist()


@settings(max_examples=30)
@given(st.permutations(list(SENTENCES.documents)), st.data())
def test_a_score_is_the_ndcg_of_ir_measures(ranking: list[str], data: st.DataObject) -> None:
    length = data.draw(st.integers(0, len(ranking)))
    found = dict.fromkeys(SENTENCES.queries, ranking[:length])
    hits = RankedHits.of((POSITIONS[key] for key in ranking[:length]), range(length, 0, -1))
    (leg,) = [leg for leg in tuning_space([MODEL]).legs if leg.name == "sparse"]

    class Fixed(LegRuns):
        def __init__(self) -> None:
            pass

        def hits(self, leg, variant, query: str) -> RankedHits:
            return hits

    (values,) = Scorer(SENTENCES, Fixed()).score([SearchSetting(legs=(leg,))], list(SENTENCES.queries))
    expected = query_metrics(SENTENCES.judgements, found, (NDCG_AT_10,))
    assert values.tolist() == pytest.approx([expected[query][NDCG_AT_10] for query in SENTENCES.queries])

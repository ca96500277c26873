"""The settings that are tried."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensearch_neural_sparse import HybridOptions, TwoPhase
from opensearch_neural_sparse.evaluate.tuning.settings.index_layout import IndexLayout
from opensearch_neural_sparse.evaluate.tuning.settings.search_setting import (
    FusionSetting,
    SearchSetting,
    SparseVariant,
    TunedLeg,
)
from opensearch_neural_sparse.evaluate.tuning.settings.search_space import SearchSpace, weights_of
from opensearch_neural_sparse.evaluate.tuning.tuning import tuning_space
from opensearch_neural_sparse.search.options.fusion import Normalization, check_weights
from tests.paths import SMALL_MODEL

MODEL = str(SMALL_MODEL)
SPACE = tuning_space([MODEL, "doc-v3-distill"], dense="minilm")


@given(st.integers(2, 5))
def test_weights_are_equal_first_then_distinct_positive_and_of_sum_one(legs: int) -> None:
    first, *others = weights_of(legs)
    assert first is None
    assert len(set(others)) == len(others)
    for weights in others:
        assert weights is not None
        assert len(weights) == legs
        assert min(weights) > 0
        assert abs(sum(check_weights(weights)) - 1) < 1e-9


@given(st.integers(2, 5), st.booleans())
def test_fusions_are_distinct_begin_with_the_default_and_are_options_of_a_search(legs: int, normalized: bool) -> None:
    fusions = list(SPACE.fusions(legs, normalized=normalized))
    assert fusions[0] == FusionSetting()
    assert len(set(fusions)) == len(fusions)
    assert normalized == any(fusion.normalization for fusion in fusions)
    chosen = SPACE.legs[:legs]
    for fusion in fusions[:: max(1, len(fusions) // 20)]:
        setting = SearchSetting(legs=chosen, fusion=fusion)
        options = IndexLayout.of(setting, SPACE.default).hybrid_options(setting, lambda _: [0.0])
        assert isinstance(options, HybridOptions)
        assert options.weights == fusion.weights


@given(st.booleans())
def test_variants_are_distinct_and_begin_with_the_default(two_phases: bool) -> None:
    variants = list(SPACE.variants(two_phases=two_phases))
    assert variants[0] == SparseVariant()
    assert len(set(variants)) == len(variants)
    assert two_phases == any(variant.two_phase for variant in variants)


def test_the_space_has_a_leg_for_each_analyzer_and_model() -> None:
    names = ["bm25 english", "bm25 standard", "sparse", "sparse doc-v3-distill", "dense"]
    assert [leg.name for leg in SPACE.legs] == names
    assert SPACE.default.label == "bm25 english + sparse, rrf"
    alone = tuning_space([MODEL], analyzers=["german", "german"])
    assert [leg.name for leg in alone.legs] == ["bm25 german", "sparse"]


def test_a_layout_has_what_a_setting_searches_and_no_more() -> None:
    english, standard, sparse, other, _ = SPACE.legs
    setting = SearchSetting(legs=(standard, english, other, sparse), fusion=FusionSetting())
    layout = IndexLayout.of(setting, SPACE.default)
    assert (layout.model, layout.more_models) == ("doc-v3-distill", {"sparse_2": MODEL})
    assert (layout.analyzers, layout.subfields) == (("standard", "english"), {"english": "english"})
    assert [layout.field_of(leg) for leg in setting.legs] == [None, "content.english", None, "sparse_2"]
    words = IndexLayout.of(SearchSetting(legs=(standard,)), SPACE.default)
    assert (words.model, words.analyzers, words.more_models) == (MODEL, ("standard",), {})


BM25_LEG, SPARSE_LEG = SPACE.default.legs


@pytest.mark.parametrize(
    ("legs", "fusion", "variant", "message"),
    [
        ((BM25_LEG,), FusionSetting(), SparseVariant(), "Two or more legs are fused, one is not"),
        ((BM25_LEG, SPARSE_LEG), None, SparseVariant(), "Two or more legs are fused, one is not"),
        ((BM25_LEG, SPARSE_LEG), FusionSetting(weights=(1.0,)), SparseVariant(), "Each of 2 legs has a weight"),
        (
            (BM25_LEG, SPARSE_LEG),
            FusionSetting(normalization=Normalization.L2),
            SparseVariant(two_phase=TwoPhase()),
            "fused by reciprocal ranks alone",
        ),
    ],
    ids=["fused alone", "not fused", "weights", "two phases"],
)
def test_parts_that_do_not_match_are_refused(legs, fusion, variant, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SearchSetting(legs=legs, fusion=fusion, variant=variant)


def test_a_space_without_the_default_legs_is_refused() -> None:
    with pytest.raises(ValueError, match="a BM25 leg and a sparse leg"):
        SearchSpace(legs=(TunedLeg(kind="bm25", source="english", name="bm25"),))
    with pytest.raises(ValueError, match="Legs need different names"):
        SearchSpace(legs=(SPARSE_LEG, BM25_LEG, BM25_LEG))
    with pytest.raises(ValueError, match="at most 2 to 5 legs, got a limit of 6"):
        tuning_space([MODEL], most_legs=6)
    with pytest.raises(ValueError, match="needs a sparse model"):
        tuning_space([])

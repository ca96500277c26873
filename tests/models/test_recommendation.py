from pathlib import Path

import pytest

from opensearch_neural_sparse import Mode, Priority, get_model, list_models, recommend_model, register_model
from opensearch_neural_sparse.index.token_ids import LARGEST_TOKEN_ID
from opensearch_neural_sparse.models.catalog.benchmarks import BM25_RELEVANCE
from opensearch_neural_sparse.models.reasons import _LARGEST_TOKEN_ID
from tests import toy
from tests.models.situations import SITUATIONS, Situation


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda situation: situation.description)
def test_situation_has_its_model_and_reasons(situation: Situation) -> None:
    result = recommend_model(**situation.wanted)
    assert result.choice.name == situation.choice
    assert tuple(spec.name for spec in result.runners_up) == situation.runners_up
    for part in situation.reasons:
        assert part in "\n".join(result.reasons)


def test_reasons_give_the_numbers_and_say_what_is_not_zero_shot() -> None:
    text = "\n".join(recommend_model(mode="doc-only").reasons)
    assert "doc-v3-gte 0.546, doc-v3-distill 0.517, doc-v2-distill 0.504" in text
    assert "trained on 7 of these collections (FEVER, FiQA, HotpotQA, NFCorpus, NQ, Quora, SciFact)" in text
    assert "On the others alone: doc-v3-gte 0.4" in text
    assert ", doc-v3-distill 0.394, doc-v2-distill 0.380." in text
    assert "Published FLOPS 1.7" in text
    assert "137 million parameters" in text
    assert "8192 tokens" in text
    assert "Licence: Apache-2.0." in text


def test_several_languages_are_judged_by_those_languages() -> None:
    result = recommend_model(languages=["fi", "en"])
    assert result.choice.name == "multilingual-v1"
    assert result.choice.relevance.mean_for(["fi", "en"]) == pytest.approx((0.767 + 0.575) / 2)
    assert "MIRACL (en, fi): multilingual-v1 0.671" in str(result)
    assert "zero-shot" not in str(result)


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        ({"max_params": 70_000_000}, "v2-distill"),
        ({"max_params": 25_000_000, "mode": "doc-only"}, "doc-v2-mini"),
        ({"priority": Priority.SPEED, "mode": Mode.DOC_ONLY}, "doc-v2-mini"),
        ({"languages": "ko"}, "bge-m3"),
        ({"languages": "ko", "priority": "speed"}, "multilingual-v1"),
        ({"languages": "ko", "mode": "doc-only"}, "multilingual-v1"),
        ({"min_relevance": 0.53}, "doc-v3-gte"),
        ({"min_relevance": 0.5, "priority": "speed", "max_params": 100_000_000}, "doc-v3-distill"),
    ],
)
def test_choice_meets_what_is_asked_for(wanted: dict, name: str) -> None:
    assert recommend_model(**wanted).choice.name == name


@pytest.mark.parametrize("commercial", [True, False])
@pytest.mark.parametrize("priority", Priority)
@pytest.mark.parametrize("languages", [["en"], ["ar"], ["de"], ["es", "zh"], ["en", "yo"]], ids="-".join)
@pytest.mark.parametrize("mode", [None, *Mode], ids=str)
def test_no_recommended_model_is_below_bm25(mode: Mode | None, languages: list, priority: Priority, commercial) -> None:
    try:
        result = recommend_model(languages=languages, mode=mode, priority=priority, commercial=commercial)
    except ValueError:
        assert mode is Mode.DOC_ONLY
        assert not {"de", "yo"}.isdisjoint(languages)
        return
    floor = BM25_RELEVANCE.mean_for(languages)
    assert floor is not None
    assert all(spec.relevance.mean_for(languages) > floor for spec in (result.choice, *result.runners_up))


def test_model_below_bm25_is_had_by_asking_for_it() -> None:
    wanted = {"max_params": 5_000_000}
    with pytest.raises(ValueError, match="min_relevance=None"):
        recommend_model(**wanted)
    assert recommend_model(**wanted, min_relevance=0).choice.name == "splade-tiny"


def test_each_model_is_chosen_next_or_left_out_for_one_reason() -> None:
    result = recommend_model(max_params=70_000_000, mode="doc-only")
    left_out = [name for names in result.left_out.values() for name in names]
    chosen = [result.choice.name, *(spec.name for spec in result.runners_up)]
    assert sorted(left_out + chosen) == sorted(spec.name for spec in list_models())
    assert "doc-v1" in result.left_out["more than 70 million parameters, or an unknown number"]


def test_own_model_without_published_relevance_is_left_out_with_the_reason(tmp_path: Path) -> None:
    register_model(toy.write_doc_only(tmp_path), name="ours", languages="en")
    assert "ours" in recommend_model().left_out["no published NDCG@10 to compare"]


def test_model_of_words_says_which_field_type_holds_them() -> None:
    from opensearch_neural_sparse.models.reasons import _field_type

    (reason,) = _field_type(get_model("deeper-impact"))
    assert reason == "Its keys are words: a field of type rank_features holds them, sparse_vector does not."
    assert not list(_field_type(get_model("doc-v3-gte")))
    assert _LARGEST_TOKEN_ID == LARGEST_TOKEN_ID


def test_licence_is_a_condition_unless_it_is_waived() -> None:
    shares = {"max_params": 110_000_000, "mode": "bi-encoder"}
    strict, free = recommend_model(**shares), recommend_model(**shares, commercial=False)
    assert all(spec.commercial for spec in (strict.choice, *strict.runners_up))
    assert "splade-v3" in {spec.name for spec in (free.choice, *free.runners_up)}


@pytest.mark.parametrize(
    "wanted", [{"languages": "xx"}, {"max_params": 10}, {"min_context": 10_000}, {"min_relevance": 0.9}]
)
def test_wish_that_no_model_meets_is_an_error_that_repeats_it(wanted: dict) -> None:
    with pytest.raises(ValueError, match=rf"{next(iter(wanted))}=.*Relax a requirement"):
        recommend_model(**wanted)


def test_mean_over_languages_needs_a_row_for_each() -> None:
    for spec in list_models():
        assert spec.relevance.mean_for({"en", "xx"}) is None
        assert spec.relevance.mean_for({"en"}) == spec.relevance.beir_average

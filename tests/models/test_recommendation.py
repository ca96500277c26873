import pytest

from opensearch_neural_sparse import Mode, Priority, get_model, list_models, recommend_model
from opensearch_neural_sparse.models.recommendation import relevance_for


def test_english_relevance_comes_first_by_default() -> None:
    result = recommend_model()
    assert result.choice is get_model("doc-v3-gte")
    assert [spec.name for spec in result.runners_up] == ["v2-distill", "v1"]


def test_reasons_give_the_numbers_and_say_what_is_not_zero_shot() -> None:
    reasons = recommend_model(mode="doc-only").reasons
    text = "\n".join(reasons)
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
    assert relevance_for(result.choice, ["fi", "en"]) == pytest.approx((0.767 + 0.575) / 2)
    assert "MIRACL (en, fi): multilingual-v1 0.671" in str(result)
    assert "zero-shot" not in str(result)


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        ({"max_params": 70_000_000}, "v2-distill"),
        ({"max_params": 70_000_000, "mode": Mode.DOC_ONLY}, "doc-v3-distill"),
        ({"max_params": 25_000_000, "mode": "doc-only"}, "doc-v2-mini"),
        ({"min_context": 2000}, "doc-v3-gte"),
        ({"priority": Priority.SPEED, "mode": "doc-only"}, "doc-v2-mini"),
        ({"priority": "speed"}, "splade-tiny"),
        ({"languages": "ko"}, "multilingual-v1"),
    ],
)
def test_choice_meets_what_is_asked_for(wanted: dict, name: str) -> None:
    assert recommend_model(**wanted).choice.name == name


def test_licence_is_a_condition_unless_it_is_waived() -> None:
    shares = {"max_params": 110_000_000, "mode": "bi-encoder"}
    strict, free = recommend_model(**shares), recommend_model(**shares, commercial=False)
    assert all(spec.commercial for spec in (strict.choice, *strict.runners_up))
    assert "splade-v3" in {spec.name for spec in (free.choice, *free.runners_up)}


def test_bi_encoder_is_recommended_with_what_its_queries_cost() -> None:
    assert "Queries run through the transformer" in str(recommend_model(mode="bi-encoder"))


@pytest.mark.parametrize("wanted", [{"languages": "th"}, {"max_params": 10}, {"min_context": 10_000}])
def test_wish_that_no_model_meets_is_an_error_that_repeats_it(wanted: dict) -> None:
    with pytest.raises(ValueError, match=rf"{next(iter(wanted))}=.*Ask for less"):
        recommend_model(**wanted)


def test_every_model_of_the_catalogue_can_be_rated_for_one_of_its_languages() -> None:
    for spec in list_models():
        assert relevance_for(spec, {spec.languages[0]}) is not None
        assert relevance_for(spec, {"en", "xx"}) is None

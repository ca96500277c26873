import pytest

from opensearch_neural_sparse import Activation, Mode, ModelSpec, Prune, Relevance, get_model
from opensearch_neural_sparse.evaluate.reporting.published_scores import Verdict, compare_published

SPEC = ModelSpec(
    id="org/made-up",
    name="made-up",
    mode=Mode.DOC_ONLY,
    activation=Activation.RELU,
    vocabulary_size=12,
    relevance=Relevance(
        beir={"SciFact": 0.715, "TREC-COVID": 0.690, "NQ": 0.528}, miracl={"ar": 0.740}, in_domain=("NQ", "SciFact")
    ),
)


def test_a_run_reproduces_drifts_or_lacks_a_set() -> None:
    rows = compare_published(SPEC, {"scifact": 0.7184, "trec-covid": 0.66, "cranfield": 0.4, "miracl-ar": 0.741})
    assert {row.collection: row.verdict for row in rows} == {
        "SciFact": Verdict.REPRODUCES,
        "TREC-COVID": Verdict.DRIFTS,
        "NQ": Verdict.LACKS,
        "miracl-ar": Verdict.REPRODUCES,
    }
    assert {row.collection: row.measured for row in rows}["TREC-COVID"] == 0.66


def test_collections_that_beir_calls_otherwise_are_found() -> None:
    rows = compare_published(get_model("doc-v3-distill"), {"webis-touche2020": 0.3, "dbpedia-entity": 0.4})
    assert {row.collection for row in rows if row.measured is not None} == {"Touche", "DBPedia"}


def test_sets_whose_training_split_was_seen_are_marked() -> None:
    assert [row.collection for row in compare_published(SPEC, {}) if row.in_domain] == ["SciFact", "NQ"]


@pytest.mark.parametrize(("measured", "verdict"), [(0.710, "reproduces"), (0.720, "reproduces"), (0.7095, "drifts")])
def test_the_tolerance_is_half_a_point_either_way(measured: float, verdict: str) -> None:
    assert compare_published(SPEC, {"SciFact": measured})[0].verdict == verdict


@pytest.mark.parametrize(
    ("prune", "published", "verdict"),
    [(None, 0.740, "drifts"), ("max_ratio:0.1", 0.737, "reproduces"), ("max_ratio:0.2", None, "unpublished")],
)
def test_a_run_is_held_against_the_scores_of_its_pruning(prune: str | None, published: float, verdict: str) -> None:
    rows = compare_published(get_model("multilingual-v1"), {"miracl-ar": 0.733}, prune=Prune.parse(prune))
    (row,) = [row for row in rows if row.measured is not None]
    assert (row.collection, row.published, row.verdict) == ("miracl-ar", published, verdict)


def test_a_rule_that_keeps_all_tokens_is_no_pruning() -> None:
    spec = get_model("multilingual-v1")
    assert compare_published(spec, {}, prune=Prune.parse("none")) == compare_published(spec, {})


def test_of_a_setting_without_published_scores_only_what_was_measured_is_listed() -> None:
    spec = get_model("doc-v3-distill")
    rows = compare_published(spec, {"scifact": 0.7, "ours": 0.5}, prune=Prune.parse("max_ratio:0.1"))
    assert [(row.collection, row.published, row.verdict) for row in rows] == [("SciFact", None, "unpublished")]
    assert rows[0].in_domain


@pytest.mark.parametrize(("max_length", "verdict"), [(None, "drifts"), (512, "drifts"), (256, "unpublished")])
def test_shorter_documents_are_another_setting(max_length: int | None, verdict: str) -> None:
    rows = compare_published(get_model("doc-v2-mini"), {"scifact": 0.5}, max_length=max_length)
    assert {row.verdict for row in rows if row.measured is not None} == {verdict}


def test_the_whole_table_of_a_published_model_is_compared() -> None:
    rows = compare_published(get_model("doc-v3-distill"), {})
    assert len(rows) == 13
    assert {row.verdict for row in rows} == {Verdict.LACKS}

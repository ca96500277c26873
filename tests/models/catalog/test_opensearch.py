import copy
import json
import pickle

import pytest

from opensearch_neural_sparse import Activation, Family, Mode, Prune, get_model
from opensearch_neural_sparse.models.catalog.benchmarks import BM25_RELEVANCE
from opensearch_neural_sparse.models.catalog.opensearch import OPENSEARCH
from opensearch_neural_sparse.models.catalog.splade import SPLADE
from opensearch_neural_sparse.models.catalog.token_weights import TOKEN_WEIGHTS
from opensearch_neural_sparse.models.registry import CATALOGUE
from tests.paths import GOLDEN

ON_SERVER = pytest.mark.parametrize("spec", OPENSEARCH, ids=lambda spec: spec.name)


@pytest.fixture(scope="module")
def published() -> dict:
    path = GOLDEN / "published_relevance.json"
    if not path.is_file():
        pytest.skip(f"the published numbers are not at {path}")
    return json.loads(path.read_text())


@ON_SERVER
def test_relevance_is_the_published_one_to_the_digit(spec, published) -> None:
    beir = published["beir"].get(spec.id)
    if beir is not None:
        assert dict(spec.relevance.beir) == beir["datasets"]
        assert (spec.relevance.beir_average, spec.relevance.flops) == (beir["average"], beir["average_flops"])
    miracl = published["miracl"].get(spec.id)
    if miracl is not None:
        assert dict(spec.relevance.miracl) == miracl["languages"]
        assert spec.relevance.miracl_average == miracl["average"]
    assert beir or miracl


def test_pruned_scores_are_a_setting_of_their_own(published) -> None:
    spec = get_model("multilingual-v1")
    (pruned,) = spec.relevance.pruned
    row = published["miracl"][f"{spec.id}; prune_ratio 0.1"]
    assert (pruned.benchmark, pruned.prune, pruned.average) == ("MIRACL", "max_ratio:0.1", row["average"])
    assert dict(pruned.scores) == row["languages"]
    assert [(table.benchmark, table.prune) for table in spec.relevance.settings] == [
        ("BEIR", None),
        ("MIRACL", None),
        ("MIRACL", "max_ratio:0.1"),
    ]


def test_bm25_has_the_rows_that_stand_beside_the_multilingual_model(published) -> None:
    row = published["miracl"]["BM25"]
    assert {language: BM25_RELEVANCE.miracl[language] for language in row["languages"]} == row["languages"]
    assert BM25_RELEVANCE.mean_for(row["languages"]) == pytest.approx(row["average"], abs=5e-4)


def test_every_published_model_is_in_the_catalogue(published) -> None:
    ids = {spec.id for spec in OPENSEARCH}
    assert ids == set(published["beir"]) | {name for name in published["miracl"] if name in ids}
    assert len(ids) == 8


@ON_SERVER
def test_parameters_agree_with_the_published_millions(spec, published) -> None:
    if spec.name in ("v1", "doc-v1"):
        counted_twice = 768 * 30_522
        assert round((spec.parameters + counted_twice) / 1e6) == 133
        assert "a second time" in spec.note
    elif spec.name == "doc-v3-gte":
        assert round(spec.parameters / 1e6) == 137
        assert "The card says 133M" in spec.note
    else:
        assert abs(spec.parameters / 1e6 - int(published["parameters"][spec.id].rstrip("M"))) < 1


@ON_SERVER
def test_averages_are_the_means_of_their_rows(spec) -> None:
    relevance = spec.relevance
    for rows, average in ((relevance.beir, relevance.beir_average), (relevance.miracl, relevance.miracl_average)):
        if rows:
            assert sum(rows.values()) / len(rows) == pytest.approx(average, abs=1e-3)


@ON_SERVER
def test_facts_that_all_share(spec) -> None:
    assert spec.licence == "Apache-2.0"
    assert spec.id == f"opensearch-project/opensearch-neural-sparse-encoding-{spec.name}"
    assert spec.server_name == f"amazon/neural-sparse/opensearch-neural-sparse-encoding-{spec.name}"
    assert spec.revision is None if spec.name == "v1" else len(spec.revision) == 40
    assert spec.mode is (Mode.DOC_ONLY if "doc" in spec.name or "multi" in spec.name else Mode.BI_ENCODER)
    assert spec.activation is (Activation.LOG1P_RELU if "v3" in spec.name else Activation.RELU)


@ON_SERVER
def test_the_third_generation_states_what_it_was_trained_on(spec) -> None:
    in_domain = {"FEVER", "FiQA", "HotpotQA", "NFCorpus", "NQ", "Quora", "SciFact"} if "v3" in spec.name else set()
    assert set(spec.relevance.in_domain) == in_domain
    assert in_domain <= set(spec.relevance.beir)


def test_gte_takes_long_texts_and_the_multilingual_model_many_languages() -> None:
    assert get_model("doc-v3-gte").max_length == 8192
    multilingual = get_model("multilingual-v1")
    assert (multilingual.vocabulary_size, multilingual.tokenizer) == (105_879, "mbert-uncased")
    assert len(multilingual.languages) == 15


def test_names_and_ids_are_unique() -> None:
    names = [name for spec in CATALOGUE for name in {spec.name, spec.id}]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("spec", SPLADE, ids=lambda spec: spec.name)
def test_models_of_naver_are_not_for_commercial_use_and_the_others_are(spec) -> None:
    assert spec.commercial is not spec.id.startswith("naver/")
    assert not spec.gated or spec.id.startswith("naver/splade-v3")


@pytest.mark.parametrize("spec", TOKEN_WEIGHTS, ids=lambda spec: spec.name)
def test_models_of_one_weight_a_token_have_family_and_activation(spec) -> None:
    assert spec.family is not Family.SPLADE
    assert spec.activation is Activation.PLAIN
    assert spec.mode is (Mode.DOC_ONLY if spec.family is Family.DEEP_IMPACT else Mode.BI_ENCODER)
    assert spec.commercial is not (spec.licence == "NOASSERTION")


def test_bge_m3_knows_the_languages_of_its_backbone_and_of_its_published_rows() -> None:
    spec = get_model("bge-m3")
    assert set(spec.relevance.miracl) <= set(spec.languages)
    assert (len(spec.languages), len(set(spec.languages))) == (94, 94)
    assert (spec.vocabulary_size, spec.max_length, spec.licence) == (250_002, 8192, "MIT")


@pytest.mark.parametrize("name", ["doc-v3-distill", "doc-v3-gte", "multilingual-v1"])
def test_recommended_pruning_is_that_of_the_server_artefacts(name: str) -> None:
    assert Prune.parse(get_model(name).recommended_prune) == Prune(type="max_ratio", ratio=0.1)


def test_every_revision_is_a_whole_commit() -> None:
    revisions = {spec.name: spec.revision for spec in CATALOGUE if spec.revision}
    assert all(len(revision) == 40 for revision in revisions.values())
    assert {"splade-v3", "splade-cocondenser-ensembledistil", "bge-m3", "unicoil-noexp-msmarco-passage"} < set(
        revisions
    )


def test_shapes_behind_the_parameter_counts() -> None:
    def bert(layers: int, hidden: int, inner: int, vocabulary: int = 30_522) -> int:
        embeddings = (vocabulary + 512 + 2) * hidden + 2 * hidden
        layer = 4 * (hidden * hidden + hidden) + 2 * hidden * inner + inner + hidden + 4 * hidden
        head = hidden * hidden + hidden + 2 * hidden + vocabulary
        return embeddings + layers * layer + head

    counts = {spec.name: spec.parameters for spec in CATALOGUE}
    assert counts["v1"] == counts["doc-v1"] == counts["splade-v3"] == bert(12, 768, 3072)
    assert counts["doc-v2-mini"] == bert(6, 384, 1536)
    assert counts["splade-mini"] == bert(4, 256, 1024)
    assert counts["splade-tiny"] == bert(2, 128, 512)
    assert counts["multilingual-v1"] == bert(12, 768, 3072, 105_879)

    def body(layers: int, hidden: int, inner: int, embeddings: int) -> int:
        layer = 4 * (hidden * hidden + hidden) + 2 * hidden * inner + inner + hidden + 4 * hidden
        pooler, weight = hidden * hidden + hidden, hidden + 1
        return embeddings * hidden + 2 * hidden + layers * layer + pooler + weight

    assert counts["unicoil-msmarco-passage"] == counts["deeper-impact"] == body(12, 768, 3072, 30_522 + 512 + 2)
    assert counts["bge-m3"] == body(24, 1024, 4096, 250_002 + 8194 + 1)


@pytest.mark.parametrize(
    "copied", [copy.deepcopy, lambda spec: pickle.loads(pickle.dumps(spec))], ids=["copy", "pickle"]
)
def test_models_can_be_copied_and_stay_read_only(copied) -> None:
    for spec in CATALOGUE:
        twin = copied(spec)
        assert twin == spec
        with pytest.raises(TypeError):
            twin.relevance.beir["FiQA"] = 1.0
        for table in twin.relevance.pruned:
            with pytest.raises(TypeError):
                table.scores["ar"] = 1.0

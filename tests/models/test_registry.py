from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from opensearch_neural_sparse import (
    Mode,
    ModelFilesError,
    UnknownModelError,
    get_model,
    list_models,
    load_query_encoder,
    register_model,
)
from tests import toy
from tests.paths import SMALL_MODEL
from tests.snapshots import to_hub_cache


@pytest.mark.parametrize("spec", list_models(), ids=lambda spec: spec.name)
def test_every_model_is_found_by_name_by_id_and_by_itself(spec) -> None:
    assert get_model(spec.name) is get_model(spec.id) is get_model(spec) is spec


@pytest.mark.parametrize(
    ("typo", "meant"),
    [
        ("doc-v3-destill", "doc-v3-distill"),
        ("DOC-V2-MINI", "doc-v2-mini"),
        ("multilingual", "multilingual-v1"),
        (
            "opensearch-project/opensearch-neural-sparse-encoding-doc-v3-gtee",
            "opensearch-project/opensearch-neural-sparse-encoding-doc-v3-gte",
        ),
    ],
)
def test_typo_names_what_was_meant_first(typo: str, meant: str) -> None:
    with pytest.raises(UnknownModelError) as caught:
        get_model(typo)
    assert caught.value.close_matches[0] == meant
    assert meant in str(caught.value)


def test_name_like_no_other_points_to_the_list() -> None:
    with pytest.raises(UnknownModelError, match=r"list_models\(\) shows them"):
        get_model("qqqqqq")


@pytest.mark.parametrize("kind", [str, Path])
def test_folder_is_read(kind: type) -> None:
    spec = get_model(kind(SMALL_MODEL))
    assert (spec.name, spec.path, spec.mode) == ("small-en", SMALL_MODEL, Mode.DOC_ONLY)


def test_folder_that_is_no_model_names_the_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ModelFilesError, match=r"config\.json is missing"):
        get_model(tmp_path)


def test_registered_model_is_known_by_its_name(tmp_path: Path) -> None:
    spec = register_model(toy.write_doc_only(tmp_path / "ours"), name="medical")
    assert get_model("medical") is spec
    assert (spec.name, spec.path) == ("medical", tmp_path / "ours")
    assert spec in list_models()


def test_registered_model_is_called_like_its_folder_by_default(tmp_path: Path) -> None:
    register_model(toy.write_bi_encoder(tmp_path / "ours"))
    assert get_model("ours").mode is Mode.BI_ENCODER


def test_registering_a_name_again_replaces_the_model(tmp_path: Path) -> None:
    for name in ("one", "two"):
        register_model(toy.write_doc_only(tmp_path / name), name="ours")
    assert get_model("ours").path == tmp_path / "two"


def test_name_of_the_catalogue_cannot_be_taken(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="has a model 'doc-v1'"):
        register_model(toy.write_doc_only(tmp_path), name="doc-v1")


def test_spec_of_ones_own_is_taken_as_it_is() -> None:
    spec = replace(get_model("doc-v1"), name="mine")
    assert get_model(spec) is spec


def test_model_whose_query_tables_disagree_is_not_registered(tmp_path: Path) -> None:
    toy.write_json(toy.write_doc_only(tmp_path) / "idf.json", toy.IDF | {"red": 9.0})
    with pytest.raises(ModelFilesError, match="remove the stale one"):
        register_model(tmp_path)
    with pytest.raises(ModelFilesError, match="remove the stale one"):
        load_query_encoder(tmp_path)


def test_model_without_query_weights_is_not_registered(tmp_path: Path) -> None:
    toy.write_doc_only(tmp_path)
    (tmp_path / "idf.json").unlink()
    (tmp_path / "query_0_SparseStaticEmbedding/model.safetensors").unlink()
    with pytest.raises(ModelFilesError, match=r"idf\.json is missing"):
        register_model(tmp_path)


REPO, COMMIT = "ours/legal-sparse", "89abcdef0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize("write", [toy.write_doc_only, toy.write_bi_encoder])
def test_model_of_the_hub_is_registered_from_its_small_files_and_pinned(tmp_path: Path, write) -> None:
    write(tmp_path / "source", activation="log1p_relu")
    snapshot = to_hub_cache(tmp_path / "source", tmp_path / "cache", repo=REPO, revision=COMMIT)
    for weights in snapshot.rglob("*.safetensors"):
        weights.unlink()
    spec = register_model(
        REPO, languages=("de", "en"), licence="MIT", cache_dir=tmp_path / "cache", local_files_only=True
    )
    assert (spec.id, spec.name, spec.revision, spec.path) == (REPO, "legal-sparse", COMMIT, None)
    assert (spec.activation, spec.max_length, spec.vocabulary_size) == ("log1p_relu", 48, 12)
    assert get_model("legal-sparse") is get_model(REPO) is spec
    assert list_models(languages="de")[-1] is spec


@pytest.mark.parametrize(
    ("given", "languages"), [({}, ()), ({"languages": "de"}, ("de",)), ({"languages": ["de", "en"]}, ("de", "en"))]
)
def test_languages_are_those_that_are_named_else_those_of_the_files(
    tmp_path: Path, given: dict[str, Any], languages: tuple[str, ...]
) -> None:
    assert register_model(toy.write_doc_only(tmp_path), name="ours", **given).languages == languages


def test_model_of_the_hub_that_is_out_of_reach_says_so(tmp_path: Path) -> None:
    with pytest.raises(ModelFilesError, match=r"hf download ours/legal-sparse --revision main"):
        register_model(REPO, cache_dir=tmp_path, local_files_only=True)


def test_source_that_is_neither_folder_nor_hub_id_is_unknown() -> None:
    with pytest.raises(UnknownModelError):
        register_model("no/such/folder")


def names(**wanted) -> set[str]:
    return {spec.name for spec in list_models(**wanted)}


def test_models_are_listed_by_language() -> None:
    assert names(languages="ja") == names(languages=["ja", "fi"]) == {"multilingual-v1", "bge-m3"}
    assert names(languages="xx") == set()
    assert names(languages=()) == names()


def test_models_are_listed_by_mode_size_context_and_licence() -> None:
    assert {"v1", "v2-distill", "splade-v3"} < names(mode="bi-encoder")
    assert names(mode=Mode.DOC_ONLY) | names(mode=Mode.BI_ENCODER) == names()
    assert names(max_params=12_000_000) == {"splade-mini", "splade-tiny"}
    assert names(min_context=513) == {"doc-v3-gte", "bge-m3"}
    restricted = names() - names(commercial=True)
    assert restricted == {spec.name for spec in list_models() if spec.id.startswith(("naver/", "castorini/"))}
    assert "splade-v3" not in names(commercial=True)


def test_model_of_unknown_size_is_in_no_list_by_size(tmp_path: Path) -> None:
    toy.write_bi_encoder(tmp_path / "ours")
    (tmp_path / "ours" / "model.safetensors").rename(tmp_path / "ours" / "pytorch_model.bin")
    register_model(tmp_path / "ours")
    assert "ours" in names()
    assert "ours" not in names(max_params=10**12)

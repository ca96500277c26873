import json
from dataclasses import replace
from pathlib import Path

import pytest

from opensearch_neural_sparse import (
    IndexSchemaError,
    ModelBinding,
    ModelFilesError,
    ModelMismatchError,
    get_model,
    register_model,
    resolve_files,
)
from opensearch_neural_sparse.index.binding.model_binding import read_bindings, unfit_tokens, write_bindings
from opensearch_neural_sparse.models.files.resolve import ModelFiles
from tests.toy import write_doc_only

BINDING = ModelBinding(
    model="org/doc-v9",
    revision="a" * 40,
    query_sha256="q" * 64,
    weights_sha256="w" * 64,
    mode="doc-only",
    activation="relu",
    max_length=512,
    text_field="content",
)


@pytest.fixture
def files(tmp_path: Path) -> ModelFiles:
    return resolve_files(get_model(write_doc_only(tmp_path / "toy")))


def test_stamp_comes_back_through_json() -> None:
    mappings = json.loads(json.dumps({"_meta": write_bindings({"sparse_vector": BINDING})}))
    assert read_bindings(mappings) == {"sparse_vector": BINDING}


def test_index_without_a_stamp_has_no_bindings() -> None:
    assert read_bindings({}) == read_bindings({"_meta": {"other": 1}}) == {}


def test_unknown_keys_of_a_stamp_are_passed_over() -> None:
    assert ModelBinding.from_meta(BINDING.to_meta() | {"colour": "red"}) == BINDING


def test_stamp_of_a_later_layout_is_an_error_that_says_upgrade() -> None:
    with pytest.raises(IndexSchemaError, match=r"layout 2.*reads up to 1.*Upgrade"):
        ModelBinding.from_meta(BINDING.to_meta() | {"schema": 2})


def test_damaged_stamp_is_an_error() -> None:
    with pytest.raises(IndexSchemaError, match=r"damaged.*query_sha256"):
        ModelBinding.from_meta({name: value for name, value in BINDING.to_meta().items() if name != "query_sha256"})


def test_marker_names_the_model_and_its_weights() -> None:
    assert BINDING.marker == "doc-v9@wwwwwwwwwwww"


def test_binding_holds_what_the_files_say(files: ModelFiles) -> None:
    binding = ModelBinding.of(files, text_field="content")
    assert (binding.query_sha256, binding.weights_sha256) == (files.query_sha256, files.weights_sha256)
    assert (binding.mode, binding.activation, binding.max_length) == ("doc-only", "relu", files.spec.max_length)


def test_queries_of_the_same_files_pass_under_any_name(files: ModelFiles) -> None:
    binding = replace(ModelBinding.of(files, text_field="content"), model="elsewhere", revision="b" * 40)
    binding.ensure_matches_query(files, index="i", field="f")


def test_model_whose_package_is_not_installed_is_named_with_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("opensearch_neural_sparse.models.registry.installed_models", dict)
    with pytest.raises(ModelFilesError, match="is not installed: pip install opensearch-neural-sparse-small-en"):
        replace(BINDING, model="small-en").find_model()


def test_a_registered_model_is_found_by_its_files_whatever_it_is_called(files: ModelFiles, tmp_path: Path) -> None:
    binding = ModelBinding.of(files, text_field="content")
    other = replace(binding, query_sha256="0" * 64)
    with pytest.raises(ModelFilesError, match="not known here"):
        binding.find_model()
    spec = register_model(files.root, name="mine")
    assert binding.find_model() == spec
    assert binding.is_of(spec)
    assert not other.is_of(spec)
    with pytest.raises(ModelFilesError, match="not known here"):
        other.find_model()
    named = register_model(files.root, name=binding.model)
    assert binding.find_model() == named  # the stamp's own name comes first
    for file in files.root.rglob("tokenizer.json"):
        file.unlink()
    assert not binding.is_of(spec)
    assert BINDING.is_of(replace(spec, id="org/doc-v9", path=None))


def test_queries_of_other_files_are_refused_and_both_models_named(files: ModelFiles) -> None:
    with pytest.raises(ModelMismatchError) as error:
        BINDING.ensure_matches_query(files, index="articles", field="sparse_vector")
    assert (error.value.bound, error.value.given) == ("org/doc-v9", files.spec.id)
    for part in ("org/doc-v9", files.spec.id, "articles", "sparse_vector"):
        assert part in str(error.value)


def test_write_passes_where_only_the_revision_differs() -> None:
    BINDING.ensure_matches_write(replace(BINDING, revision="c" * 40, model="copy"), index="i", field="f")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"weights_sha256": "x" * 64}, "weights wwwwwwwwwwww and xxxxxxxxxxxx differ"),
        ({"max_length": 128}, "max_length is 512 in the index, 128 given"),
        ({"max_active_dims": 64}, "max_active_dims is None in the index, 64 given"),
        ({"activation": "log1p_relu"}, "activation is 'relu'"),
        ({"prune": {"type": "max_ratio", "ratio": 0.1}}, "prune is None"),
    ],
)
def test_write_with_other_weights_or_settings_is_refused(change: dict[str, object], reason: str) -> None:
    with pytest.raises(ModelMismatchError, match=reason):
        BINDING.ensure_matches_write(replace(BINDING, **change), index="i", field="f")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        ("v2-distill", "mode is 'doc-only' in the index, 'bi-encoder' in the model"),
        ("doc-v3-distill", "activation is 'relu' in the index, 'log1p_relu' in the model"),
        ("doc-v2-mini", "its documents were encoded by another model"),
    ],
)
def test_another_published_model_is_refused_before_its_files_are_had(model: str, reason: str) -> None:
    with pytest.raises(ModelMismatchError, match=reason) as error:
        BINDING.ensure_same_model(get_model(model), index="articles", field="sparse_vector")
    assert (error.value.bound, error.value.given) == ("org/doc-v9", get_model(model).id)


def test_other_keys_of_meta_survive_a_stamp() -> None:
    held = {"owner": "us", "opensearch_neural_sparse": {"note": 1, "fields": {"title_vector": BINDING.to_meta()}}}
    meta = write_bindings({"sparse_vector": BINDING}, held)
    assert (meta["owner"], meta["opensearch_neural_sparse"]["note"]) == ("us", 1)
    assert set(read_bindings({"_meta": meta})) == {"title_vector", "sparse_vector"}
    assert "sparse_vector" not in held["opensearch_neural_sparse"]["fields"]  # type: ignore[operator, index]


def test_unfit_tokens_are_the_most_frequent_first() -> None:
    vectors = [{"a": 1.0, "x": 1.0}, {"y": 1.0, "x": 2.0}, {"a": 3.0}]
    assert unfit_tokens(vectors, {"a": 0}) == ["x", "y"]

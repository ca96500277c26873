import json
from pathlib import Path

import pytest

from opensearch_neural_sparse import Activation, Mode, ModelFilesError, Pooling
from opensearch_neural_sparse.models.files.layout import Route, read_layout, weight_files
from tests import toy
from tests.paths import SMALL_MODEL


def test_router_with_folders_is_doc_only(tmp_path: Path) -> None:
    layout = read_layout(toy.write_doc_only(tmp_path, activation="log1p_relu"))
    assert (layout.mode, layout.activation) == (Mode.DOC_ONLY, Activation.LOG1P_RELU)
    assert (layout.query, layout.document) == ("query_0_SparseStaticEmbedding", "document_0_MLMTransformer")


def test_router_of_the_hub_has_its_transformer_at_the_root(tmp_path: Path) -> None:
    layout = read_layout(toy.write_doc_only(tmp_path, hub=True))
    assert (layout.query, layout.document) == ("query_0_SparseStaticEmbedding", ".")


def test_router_in_a_folder_of_its_own_is_followed(tmp_path: Path) -> None:
    toy.write_doc_only(tmp_path / "0_Router")
    toy.write_json(tmp_path / "modules.json", [{"path": "0_Router", "type": "sentence_transformers.models.Router"}])
    assert read_layout(tmp_path).document == "0_Router/document_0_MLMTransformer"


@pytest.mark.parametrize("folder", ["", "0_MLMTransformer"])
def test_transformer_and_pooling_are_a_bi_encoder(tmp_path: Path, folder: str) -> None:
    layout = read_layout(toy.write_bi_encoder(tmp_path, folder=folder))
    assert (layout.mode, layout.activation) == (Mode.BI_ENCODER, Activation.RELU)
    assert layout.query == layout.document == folder


def test_masked_language_model_without_modules_is_a_bi_encoder(tmp_path: Path) -> None:
    toy.write_transformer(tmp_path)
    assert read_layout(tmp_path).mode is Mode.BI_ENCODER


def test_folder_without_modules_is_what_it_is_known_to_be(tmp_path: Path) -> None:
    toy.write_transformer(tmp_path)
    layout = read_layout(tmp_path, mode=Mode.DOC_ONLY, activation=Activation.LOG1P_RELU)
    assert (layout.mode, layout.activation) == (Mode.DOC_ONLY, Activation.LOG1P_RELU)


def test_model_without_a_language_head_is_refused_by_name_of_its_file(tmp_path: Path) -> None:
    toy.write_transformer(tmp_path, architectures=["BertModel"])
    with pytest.raises(ModelFilesError, match=r"config\.json names \['BertModel'\]"):
        read_layout(tmp_path)


def test_mode_that_contradicts_the_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelFilesError, match=r"modules\.json describes a doc-only model, but a bi-encoder"):
        read_layout(toy.write_doc_only(tmp_path), mode=Mode.BI_ENCODER)


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("modules.json", "{", r"modules\.json is not JSON"),
        (
            "modules.json",
            [{"path": "", "type": "sentence_transformers.models.Pooling"}],
            r"modules\.json lists \['Pooling'\]",
        ),
        ("router_config.json", None, r"router_config\.json is missing"),
        ("router_config.json", {"structure": {"query": [], "document": []}}, r"router_config\.json routes"),
        (
            "document_1_SpladePooling/config.json",
            {"pooling_strategy": "mean"},
            r"config\.json pools with 'mean'; known are max, sum",
        ),
        ("document_1_SpladePooling/config.json", {"activation_function": "plain"}, r"'plain'; known are relu, log1p"),
        ("document_1_SpladePooling/config.json", {"activation_function": "gelu"}, r"config\.json names .*'gelu'"),
    ],
)
def test_file_that_is_missing_or_wrong_is_named(tmp_path: Path, file: str, content: object, message: str) -> None:
    path = toy.write_doc_only(tmp_path) / file
    path.unlink()
    if content is not None:
        path.write_text(content if isinstance(content, str) else json.dumps(content))
    with pytest.raises(ModelFilesError, match=message):
        read_layout(tmp_path)


def test_sum_pooling_is_read(tmp_path: Path) -> None:
    toy.write_pooling(toy.write_bi_encoder(tmp_path) / "1_SpladePooling", "log1p_relu", "sum")
    layout = read_layout(tmp_path)
    assert (layout.activation, layout.pooling) == (Activation.LOG1P_RELU, Pooling.SUM)


def test_two_routes_through_one_transformer_are_a_bi_encoder(tmp_path: Path) -> None:
    router = json.loads(json.dumps(toy.ROUTER))
    router["structure"]["query"] = router["structure"]["document"]
    toy.write_json(toy.write_doc_only(tmp_path) / "router_config.json", router)
    layout = read_layout(tmp_path)
    assert (layout.mode, layout.query_route) == (Mode.BI_ENCODER, None)
    assert layout.query == layout.document == "document_0_MLMTransformer"


def test_two_routes_through_two_transformers_have_each_their_own_settings(tmp_path: Path) -> None:
    layout = read_layout(toy.write_router(tmp_path))
    assert (layout.mode, layout.activation, layout.pooling) == (Mode.BI_ENCODER, Activation.LOG1P_RELU, Pooling.MAX)
    assert layout.document == "document_0_MLMTransformer"
    assert layout.query_route == Route(folder="query_0_MLMTransformer", activation=Activation.RELU, pooling=Pooling.SUM)


@pytest.mark.parametrize("route", [None, "query", "document"])
def test_autoencoder_is_refused_because_its_keys_are_no_tokens(tmp_path: Path, route: str | None) -> None:
    encoder = toy.BASE + "sparse_auto_encoder.SparseAutoEncoder"
    if route is None:
        module = {"path": "2_SparseAutoEncoder", "type": encoder}
        path = toy.write_bi_encoder(tmp_path) / "modules.json"
        path.write_text(json.dumps([*json.loads(path.read_text()), module]))
    else:
        path = toy.write_router(tmp_path) / "router_config.json"
        router = json.loads(path.read_text())
        router["types"] |= {"csr": encoder}
        router["structure"][route] = [*router["structure"][route], "csr"]
        path.write_text(json.dumps(router))
    with pytest.raises(ModelFilesError, match=r"a CSR model.*dimensions of an autoencoder, not tokens"):
        read_layout(tmp_path)


def test_safetensors_come_before_pytorch_files(tmp_path: Path) -> None:
    for name in ("pytorch_model.bin", "model.safetensors"):
        (tmp_path / name).touch()
    assert weight_files(tmp_path) == (tmp_path / "model.safetensors",)


def test_shards_are_listed_in_order_and_a_missing_one_is_named(tmp_path: Path) -> None:
    first, second = (f"model-0000{part}-of-00002.safetensors" for part in (1, 2))
    toy.write_json(tmp_path / "model.safetensors.index.json", {"weight_map": {"b": second, "a": first, "c": first}})
    (tmp_path / first).touch()
    with pytest.raises(ModelFilesError, match=second):
        weight_files(tmp_path)
    (tmp_path / second).touch()
    assert weight_files(tmp_path) == (tmp_path / first, tmp_path / second)


def test_folder_without_weights_says_so(tmp_path: Path) -> None:
    with pytest.raises(ModelFilesError, match=r"neither model\.safetensors nor pytorch_model\.bin"):
        weight_files(tmp_path)


def test_model_of_the_examples_is_read() -> None:
    layout = read_layout(SMALL_MODEL)
    assert (layout.mode, layout.activation) == (Mode.DOC_ONLY, Activation.LOG1P_RELU)

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from opensearch_neural_sparse.encode.document_encoder import load_document_encoder
from opensearch_neural_sparse.encode.engines.torch_engine.gte import native_config, native_model_folder
from opensearch_neural_sparse.encode.engines.torch_engine.network import TorchNetwork
from opensearch_neural_sparse.errors import MissingDependencyError, ModelFilesError
from opensearch_neural_sparse.models.files.json_file import JsonObject
from opensearch_neural_sparse.models.files.resolve import ModelFiles, resolve_files
from opensearch_neural_sparse.models.registry import get_model
from tests.encode.agreement import HAS_GTE, assert_agree, needs_gte
from tests.encode.gte import gte_config, gte_logits, ntk_frequencies, write_gte
from tests.snapshots import to_hub_layout

TEXTS = ("rain", "Currently New York is rainy.", "The quick brown fox jumps over the lazy dog. " * 7, "word " * 700)


class GteModel(NamedTuple):
    files: ModelFiles
    expected: list[dict[str, float]]


@pytest.fixture(scope="module", params=[1.0, 2.0], ids=["plain rotary", "NTK x 2"])
def model(request: pytest.FixtureRequest, snapshot: Callable[..., Path], tmp_path_factory) -> GteModel:
    factor = request.param
    scaling = None if factor == 1 else {"type": "ntk", "factor": factor}
    folder = to_hub_layout(snapshot(activation="log1p_relu"), tmp_path_factory.mktemp("gte") / "model")
    weights = write_gte(folder, vocabulary=30522, rope_scaling=scaling)
    files = resolve_files(get_model(folder))
    tokenizer = load_document_encoder(files, engine="onnx", max_length=2048).tokenizer
    frequencies = ntk_frequencies(160000, factor)
    expected = []
    for ids in tokenizer.batch_document_ids(TEXTS):
        weight = np.log1p(np.log1p(np.maximum(gte_logits(weights, ids, frequencies), 0)))
        found = set(np.flatnonzero(weight).tolist()) - tokenizer.special_ids
        expected.append({tokenizer.tokens[index]: float(weight[index]) for index in found})
    return GteModel(files, expected)


@pytest.mark.parametrize("engine", ["onnx", pytest.param("torch", marks=needs_gte)])
def test_an_engine_computes_rotary_attention_and_gated_blocks_without_remote_code(engine: str, model: GteModel):
    encoder = load_document_encoder(model.files, engine=engine, max_length=2048)
    vectors = encoder.encode_documents(TEXTS)
    assert min(map(len, vectors)) > 50
    assert_agree(vectors, model.expected)
    if isinstance(encoder.network, TorchNetwork):
        assert encoder.network.head is not None


def test_texts_of_8192_tokens_are_taken(model: GteModel):
    encoder = load_document_encoder(model.files, engine="onnx", max_length=8192)
    assert encoder.encode_documents(["word " * 8190])[0]
    assert encoder.truncations.texts == 0
    with pytest.raises(ValueError, match="3 to 8192"):
        load_document_encoder(model.files, max_length=8193)


def test_the_order_of_words_counts(model: GteModel):
    encoder = load_document_encoder(model.files, engine="onnx")
    one, other = encoder.encode_documents(["dog bites man", "man bites dog"])
    assert max(abs(one.get(token, 0.0) - other.get(token, 0.0)) for token in {*one, *other}) > 1e-2


@needs_gte
def test_the_models_own_folder_is_left_as_it_is(model: GteModel):
    before = {path: path.stat().st_mtime_ns for path in model.files.root.rglob("*")}
    with native_model_folder(model.files) as folder:
        assert json.loads((folder / "config.json").read_text())["model_type"] == "gte"
        assert (folder / "modules.json").read_bytes() == (model.files.root / "modules.json").read_bytes()
    assert not folder.exists()
    assert before == {path: path.stat().st_mtime_ns for path in model.files.root.rglob("*")}


def test_the_native_config_keeps_the_shape_and_drops_the_remote_code():
    config = native_config(JsonObject(Path("config.json"), gte_config(30522, None)))
    assert config["model_type"] == "gte"
    assert "auto_map" not in config
    assert (config["hidden_size"], config["type_vocab_size"], config["vocab_size"]) == (32, 0, 30522)
    assert config["rope_parameters"] == {"rope_type": "default", "rope_theta": 160000.0}


def test_a_transformers_without_the_architecture_is_named(monkeypatch: pytest.MonkeyPatch, model: GteModel):
    if HAS_GTE:
        monkeypatch.setattr("opensearch_neural_sparse.encode.engines.torch_engine.gte.find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match=r"GTE model.*'transformers>=5\.18'"):
        load_document_encoder(model.files, engine="torch")


def changed(model: GteModel, folder: Path, **entries: object) -> ModelFiles:
    folder.mkdir()
    for path in model.files.root.iterdir():
        (folder / path.name).symlink_to(path)
    (folder / "config.json").unlink()
    (folder / "config.json").write_text(json.dumps({**gte_config(30522, None), **entries}))
    return replace(model.files, root=folder, document=folder)


@pytest.mark.parametrize(
    "entries",
    [{"logn_attention_scale": True}, {"layer_norm_type": "rms_norm"}, {"rope_scaling": {"type": "ntk", "mixed_b": 1}}],
    ids=["logn", "rms norm", "mixed NTK"],
)
def test_a_variant_that_is_not_known_is_refused_and_not_computed_wrongly(
    entries: dict, model: GteModel, tmp_path: Path
):
    files = changed(model, tmp_path / "model", **entries)
    with pytest.raises(ModelFilesError, match="The ONNX engine cannot run"):
        load_document_encoder(files, engine="onnx")


def test_code_of_another_repository_is_not_run(model: GteModel, tmp_path: Path):
    files = changed(model, tmp_path / "model", logn_attention_scale=True)
    with (
        pytest.raises(ModelFilesError, match="Alibaba-NLP/new-impl"),
        native_model_folder(files, trust_remote_code=True),
    ):
        pass

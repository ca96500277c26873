from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from math import sqrt
from pathlib import Path
from statistics import median

import numpy as np
import pytest

from opensearch_neural_sparse.encode.document_encoder import load_document_encoder
from opensearch_neural_sparse.encode.engines.engine import Engine, NetworkOptions, choose_engine
from opensearch_neural_sparse.encode.engines.onnx_engine.architecture import read_architecture
from opensearch_neural_sparse.encode.engines.onnx_engine.graph_builder import quantise_rows
from opensearch_neural_sparse.encode.engines.onnx_engine.network import document_graph, runs_on_onnx
from opensearch_neural_sparse.encode.sparse_vector import SparseVector
from opensearch_neural_sparse.errors import ModelFilesError
from opensearch_neural_sparse.models.files.resolve import ModelFiles, resolve_files
from opensearch_neural_sparse.models.registry import get_model
from tests.encode.agreement import assert_agree
from tests.encode.texts import ODD_TEXTS
from tests.paths import SMALL_MODEL

FILES = resolve_files(get_model(SMALL_MODEL))
TEXTS = [*ODD_TEXTS, "A heart attack is a medical emergency.", "Berlin is the capital of Germany."]


@pytest.fixture(scope="module")
def expected() -> list[SparseVector]:
    return encode(FILES)


def encode(files: ModelFiles, **options: object) -> list[SparseVector]:
    return load_document_encoder(files, engine="onnx", threads=2, **options).encode_documents(TEXTS)  # type: ignore[arg-type]


def with_transformer(
    folder: Path, write: Callable[[dict[str, np.ndarray], Path], None], **config: object
) -> ModelFiles:
    """Return the bundled model with its weights written anew, and some entries of its config changed."""
    from safetensors.numpy import load_file

    source = FILES.weights[0].parent
    (folder / "tokenizer.json").symlink_to(source / "tokenizer.json")
    settings = json.loads((source / "config.json").read_text()) | config
    (folder / "config.json").write_text(json.dumps(settings))
    write(load_file(source / "model.safetensors"), folder)
    return replace(FILES, document=folder)


def save(weights: dict[str, np.ndarray], folder: Path) -> None:
    from safetensors.numpy import save_file

    save_file(weights, folder / "model.safetensors")


def save_shards(weights: dict[str, np.ndarray], folder: Path) -> None:
    from safetensors.numpy import save_file

    names = sorted(weights)
    halves = {"model-00001-of-00002.safetensors": names[::2], "model-00002-of-00002.safetensors": names[1::2]}
    for file, part in halves.items():
        save_file({name: weights[name] for name in part}, folder / file)
    index = {"weight_map": {name: file for file, part in halves.items() for name in part}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def test_the_graph_holds_no_weight():
    assert len(document_graph(FILES)) < 100_000


@pytest.mark.parametrize("budget", [1, 64, 4096])
def test_the_size_of_batches_changes_nothing(budget: int, expected: list[SparseVector]):
    assert_agree(encode(FILES, batch_tokens=budget), expected)


def test_weights_in_several_files_are_found(tmp_path: Path, expected: list[SparseVector]):
    assert_agree(encode(with_transformer(tmp_path, save_shards)), expected)


def test_weights_in_float32_are_used_as_they_are(tmp_path: Path, expected: list[SparseVector]):
    def widen(weights: dict[str, np.ndarray], folder: Path) -> None:
        save({name: weight.astype(np.float32) for name, weight in weights.items()}, folder)

    assert_agree(encode(with_transformer(tmp_path, widen)), expected)


def test_weights_in_bfloat16_are_read(tmp_path: Path, expected: list[SparseVector]):
    import torch
    from safetensors.torch import save_file

    def narrow(weights: dict[str, np.ndarray], folder: Path) -> None:
        rounded = {name: torch.from_numpy(weight.copy()).to(torch.bfloat16) for name, weight in weights.items()}
        save_file(rounded, folder / "model.safetensors")

    vectors = encode(with_transformer(tmp_path, narrow))
    assert min(cosine(*pair) for pair in zip(vectors, expected, strict=True) if pair[1]) > 0.98


def test_a_weight_that_is_missing_is_named(tmp_path: Path):
    def drop(weights: dict[str, np.ndarray], folder: Path) -> None:
        del weights["bert.encoder.layer.3.output.dense.weight"]
        save(weights, folder)

    with pytest.raises(ModelFilesError, match=r"bert\.encoder\.layer\.3\.output\.dense\.weight"):
        document_graph(with_transformer(tmp_path, drop))


def test_a_file_that_is_cut_short_is_an_error(tmp_path: Path):
    def cut(weights: dict[str, np.ndarray], folder: Path) -> None:
        save(weights, folder)
        whole = (folder / "model.safetensors").read_bytes()
        (folder / "model.safetensors").write_bytes(whole[:-1000])

    with pytest.raises(ModelFilesError, match="cut short"):
        document_graph(with_transformer(tmp_path, cut))


def test_weights_that_give_no_numbers_are_an_error(tmp_path: Path):
    def spoil(weights: dict[str, np.ndarray], folder: Path) -> None:
        weights["cls.predictions.transform.dense.bias"] = np.full(384, np.nan, np.float16)
        save(weights, folder)

    encoder = load_document_encoder(with_transformer(tmp_path, spoil), engine="onnx")
    with pytest.raises(ModelFilesError, match="not finite"):
        encoder.encode_documents(["rain"])


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"model_type": "electra"}, "model_type 'electra'"),
        ({"hidden_act": "quick_gelu"}, 'hidden_act "quick_gelu"'),
        ({"is_decoder": True}, "is_decoder true"),
        ({"position_embedding_type": "relative_key"}, 'position_embedding_type "relative_key"'),
        ({"pruned_heads": {"0": [1]}}, "pruned_heads"),
    ],
    ids=["another architecture", "another activation", "causal attention", "relative positions", "pruned heads"],
)
def test_a_model_the_graph_cannot_be_built_for_is_refused(config: dict, reason: str, tmp_path: Path):
    files = with_transformer(tmp_path, save, **config)
    assert not runs_on_onnx(files)
    assert choose_engine(files, NetworkOptions()) is Engine.TORCH
    with pytest.raises(ModelFilesError, match=f"config.json has {reason}.*Use engine='torch'"):
        load_document_encoder(files, engine="onnx")


def test_weights_in_pytorchs_own_format_are_refused(tmp_path: Path):
    files = with_transformer(tmp_path, lambda weights, folder: (folder / "pytorch_model.bin").write_bytes(b""))  # type: ignore[arg-type, return-value]
    assert not runs_on_onnx(files)
    with pytest.raises(ModelFilesError, match=r"pytorch_model\.bin"):
        document_graph(files)


@pytest.mark.slow
@pytest.mark.parametrize("activation", ["relu", "gelu_new", "gelu"])
def test_every_activation_is_that_of_transformers(activation: str, tmp_path: Path):
    import torch
    from transformers import BertConfig, BertForMaskedLM

    config = BertConfig(
        vocab_size=30522, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32
    )
    config.hidden_act, config.initializer_range = activation, 0.3
    model = BertForMaskedLM(config).eval()
    model.save_pretrained(tmp_path)
    (tmp_path / "tokenizer.json").symlink_to(FILES.weights[0].parent / "tokenizer.json")
    encoder = load_document_encoder(replace(FILES, document=tmp_path), engine="onnx")
    (ids,) = encoder.tokenizer.batch_document_ids(["Berlin is the capital of Germany."])
    with torch.inference_mode():
        logits = model(input_ids=torch.tensor([ids])).logits[0].amax(dim=0)
    weights = logits.relu().log1p().log1p()
    tokens = encoder.tokenizer.tokens
    special = encoder.tokenizer.special_ids
    expected = {tokens[i]: w for i, w in enumerate(weights.tolist()) if w > 0 and i not in special}
    assert_agree(encoder.encode_documents(["Berlin is the capital of Germany."]), [expected])


def test_int8_is_close_to_float32(expected: list[SparseVector]):
    vectors = encode(FILES, dtype="int8")
    assert vectors != expected
    cosines = [cosine(*pair) for pair in zip(vectors, expected, strict=True) if len(pair[1]) > 4]
    assert median(cosines) > 0.98
    assert min(cosines) > 0.9


def test_quantised_rows_are_within_half_a_step():
    matrix = np.random.default_rng(0).normal(size=(5, 300)).astype(np.float32)
    matrix[3] = 0
    whole, scale = quantise_rows(matrix)
    assert whole.dtype == np.int8
    assert (np.abs(whole * scale[:, None] - matrix) <= scale[:, None] * 0.5001).all()


def test_the_shape_of_the_bundled_model_is_read():
    architecture = read_architecture(FILES.weights[0].parent)
    assert architecture is not None
    assert (architecture.layers, architecture.heads, architecture.hidden, architecture.positions) == (6, 12, 384, 512)


def cosine(one: SparseVector, other: SparseVector) -> float:
    return one.dot(other) / sqrt(one.dot(one) * other.dot(other))

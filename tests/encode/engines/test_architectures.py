"""The ONNX engine against sentence-transformers, for each architecture that it knows, with random weights."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from math import sqrt
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pytest

from opensearch_neural_sparse.encode.document_encoder import load_document_encoder
from opensearch_neural_sparse.encode.engines.engine import Engine, NetworkOptions, choose_engine
from opensearch_neural_sparse.encode.engines.onnx_engine.architecture import graph_tensors, read_architecture
from opensearch_neural_sparse.encode.engines.onnx_engine.checkpoint import stored_tensors
from opensearch_neural_sparse.encode.engines.onnx_engine.graph_builder import IDS, MASK, GraphBuilder
from opensearch_neural_sparse.encode.engines.onnx_engine.model_graph import BodyGraph
from opensearch_neural_sparse.encode.engines.onnx_engine.network import open_session
from opensearch_neural_sparse.encode.sparse_vector import SparseVector
from opensearch_neural_sparse.errors import ModelFilesError
from opensearch_neural_sparse.models.files.resolve import ModelFiles, resolve_files
from opensearch_neural_sparse.models.registry import get_model
from opensearch_neural_sparse.models.spec import Activation, Pooling
from tests.encode.agreement import assert_agree, needs_transformers_5, reference_model, reference_vectors
from tests.encode.architectures import edit_config, write_sparse_encoder
from tests.encode.texts import ODD_TEXTS, passages

pytestmark = pytest.mark.slow

LONG = ["rain " * 450, "Heavy rain in New York. " * 70]
TEXTS = [*ODD_TEXTS, *passages(60), *LONG, "A <pad> in a text.", "<mask> too"]
SOME = ["x", "Currently New York is rainy.", *passages(3), *LONG]
ARCHITECTURES = ["bert", "distilbert", "roberta", "xlm-roberta", "camembert", "modernbert"]
Written = Callable[..., Path]
Tensors = dict[str, np.ndarray]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """Write a small model, or return the one written before of the same arguments; to be read only."""

    @cache
    def write(architecture: str, **options: Any) -> Path:
        return write_sparse_encoder(tmp_path_factory.mktemp(architecture) / "model", architecture, **options)

    return write


def encode(model: Path | ModelFiles, texts: Sequence[str], **options: Any) -> list[SparseVector]:
    return load_document_encoder(model, engine="onnx", threads=1, **options).encode_documents(texts)


@pytest.mark.parametrize("budget", [64, 4096], ids=["small batches", "large batches"])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_an_architecture_gives_the_vectors_of_sentence_transformers(architecture: str, budget: int, written: Written):
    folder = written(architecture)
    vectors = encode(folder, TEXTS, batch_tokens=budget)
    assert sum(map(len, vectors)) > 20 * len(TEXTS)
    assert_agree(vectors, reference_vectors(folder, TEXTS))
    assert choose_engine(resolve_files(get_model(folder)), NetworkOptions()) is Engine.ONNX


@pytest.mark.parametrize("architecture", ["roberta", "camembert"])
def test_a_text_has_no_more_tokens_than_positions(architecture: str, written: Written):
    encoder = load_document_encoder(written(architecture), engine="onnx", max_length=512)
    assert encoder.encode_documents(["rain " * 600])[0]
    assert encoder.truncations.texts == 1
    with pytest.raises(ValueError, match="3 to 512 tokens"):
        load_document_encoder(written(architecture), engine="onnx", max_length=513)


@pytest.mark.parametrize("architecture", ["roberta", "modernbert"])
def test_int8_is_close_to_float32(architecture: str, written: Written):
    exact, rounded = (encode(written(architecture), TEXTS, dtype=dtype) for dtype in ("float32", "int8"))
    assert rounded != exact
    cosines = [cosine(*pair) for pair in zip(rounded, exact, strict=True) if len(pair[1]) > 4]
    assert median(cosines) > 0.98


def cosine(one: SparseVector, other: SparseVector) -> float:
    return one.dot(other) / sqrt(one.dot(one) * other.dot(other))


# ModernBERT


def test_local_layers_see_their_window_alone(written: Written, tmp_path: Path):
    folder = copy(written("modernbert"), tmp_path)
    before = encode(folder, SOME)
    edit_config(folder, local_attention=14)
    assert largest_difference(encode(folder, SOME), before) > 1e-2


@pytest.mark.parametrize("window", [1, 2, 5, 4000], ids=["itself", "its neighbours", "odd", "more than the text"])
def test_windows_of_any_width_are_those_of_transformers(window: int, written: Written, tmp_path: Path):
    folder = copy(written("modernbert"), tmp_path)
    edit_config(folder, local_attention=window)
    assert_agree(encode(folder, SOME), reference_vectors(folder, SOME))


@needs_transformers_5
def test_a_config_of_older_versions_is_the_same_model(tmp_path: Path):
    current = write_sparse_encoder(tmp_path / "model", "modernbert", rope_parameters=ROPE)
    content = json.loads((current / "config.json").read_text())
    assert content["rope_parameters"]["full_attention"]["rope_theta"] == 7000.0
    assert content["layer_types"] == ["full_attention", "sliding_attention", "sliding_attention"]
    older = copy(current, tmp_path)
    edit_config(
        older,
        without=("rope_parameters", "layer_types"),
        global_rope_theta=7000.0,
        local_rope_theta=300.0,
        global_attn_every_n_layers=3,
    )
    assert_agree(encode(older, SOME), reference_vectors(current, SOME))
    edit_config(older, global_rope_theta=8000.0)
    assert largest_difference(encode(older, SOME), encode(current, SOME)) > 1e-3


ROPE = {
    "full_attention": {"rope_type": "default", "rope_theta": 7000.0},
    "sliding_attention": {"rope_type": "default", "rope_theta": 300.0},
}


@pytest.mark.parametrize(
    "options",
    [
        {"norm_bias": True, "mlp_bias": True, "attention_bias": True, "classifier_bias": True},
        {"decoder_bias": False},
        pytest.param(
            {"layer_types": ["sliding_attention", "full_attention", "full_attention"]}, marks=needs_transformers_5
        ),
        {"hidden_activation": "gelu_pytorch_tanh", "classifier_activation": "relu"},
        {"norm_eps": 1e-2, "tie_word_embeddings": False},
    ],
    ids=["all biases", "no bias of the decoder", "other layers", "other activations", "a head of its own"],
)
def test_every_option_of_modernbert_is_that_of_transformers(options: dict[str, Any], tmp_path: Path):
    folder = write_sparse_encoder(tmp_path / "model", "modernbert", **options)
    assert_agree(encode(folder, SOME), reference_vectors(folder, SOME))


@pytest.mark.parametrize(
    ("architecture", "changes", "reason"),
    [
        ("modernbert", {"rope_parameters": {"full_attention": {"rope_type": "yarn"}}}, "full_attention.rope_type"),
        ("modernbert", {"layer_types": ["full_attention", "chunked_attention", "full_attention"]}, "chunked_attention"),
        ("modernbert", {"hidden_activation": "silu"}, 'hidden_activation "silu"'),
        ("roberta", {"position_embedding_type": "relative_key_query"}, "relative_key_query"),
        ("roberta", {"is_decoder": True}, "is_decoder true"),
    ],
    ids=["another rotary", "another attention", "another activation", "relative positions", "a decoder"],
)
def test_what_has_no_graph_is_refused_with_the_reason(
    architecture: str, changes: dict[str, Any], reason: str, written: Written, tmp_path: Path
):
    folder = copy(written(architecture), tmp_path)
    edit_config(folder, **changes)
    files = resolve_files(get_model(folder))
    assert choose_engine(files, NetworkOptions()) is Engine.TORCH
    with pytest.raises(ModelFilesError, match=rf"config.json has .*{reason}.*ModernBERT.*Use engine='torch'"):
        load_document_encoder(files, engine="onnx")


# Checkpoints


def copy(source: Path, target: Path) -> Path:
    return Path(shutil.copytree(source, target / "copy"))


def rewrite(source: Path, target: Path, change: Callable[[Tensors], Tensors]) -> Path:
    """Copy a model with other tensors."""
    from safetensors.numpy import load_file, save_file

    folder = copy(source, target)
    save_file(change(load_file(source / "model.safetensors")), folder / "model.safetensors")
    return folder


def largest_difference(ours: Sequence[SparseVector], theirs: Sequence[SparseVector]) -> float:
    pairs = zip(ours, theirs, strict=True)
    return max(abs(one.get(token, 0.0) - other.get(token, 0.0)) for one, other in pairs for token in {*one, *other})


def with_old_names(tensors: Tensors) -> Tensors:
    def old(name: str) -> str:
        return name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")

    return {old(name): tensor for name, tensor in tensors.items()}


def with_copies_and_buffers(tensors: Tensors) -> Tensors:
    return {
        **tensors,
        "cls.predictions.decoder.weight": tensors["bert.embeddings.word_embeddings.weight"].copy(),
        "cls.predictions.decoder.bias": tensors["cls.predictions.bias"].copy(),
        "bert.embeddings.position_ids": np.arange(512)[None],
    }


def with_another_decoder(tensors: Tensors) -> Tensors:
    return {**tensors, "cls.predictions.decoder.weight": tensors["bert.embeddings.word_embeddings.weight"][::-1].copy()}


def with_the_decoder_alone(tensors: Tensors) -> Tensors:
    word = tensors["bert.embeddings.word_embeddings.weight"]
    rest = {name: tensor for name, tensor in tensors.items() if "word_embeddings" not in name}
    return {**rest, "cls.predictions.decoder.weight": word}


@pytest.mark.parametrize(
    "change",
    [
        with_old_names,
        with_copies_and_buffers,
        pytest.param(with_another_decoder, marks=needs_transformers_5),
        pytest.param(with_the_decoder_alone, marks=needs_transformers_5),
    ],
)
def test_a_checkpoint_is_read_as_transformers_reads_it(
    change: Callable[[Tensors], Tensors], written: Written, tmp_path: Path
):
    folder = rewrite(written("bert"), tmp_path, change)
    assert_agree(encode(folder, SOME), reference_vectors(folder, SOME))


def test_a_head_of_its_own_must_be_in_the_checkpoint(written: Written, tmp_path: Path):
    folder = copy(written("roberta"), tmp_path)
    edit_config(folder, tie_word_embeddings=False)
    with pytest.raises(ModelFilesError, match=r"no tensor 'lm_head\.decoder\.weight'"):
        load_document_encoder(folder, engine="onnx")


# Sum pooling


@pytest.mark.parametrize("activation", ["relu", "log1p_relu"])
@pytest.mark.parametrize("architecture", ["roberta", "modernbert"], ids=["at once", "by segments"])
def test_sum_pooling_adds_the_activations_of_a_texts_own_tokens(architecture: str, activation: str, written: Written):
    import torch

    files = resolve_files(get_model(written(architecture)))
    spec = replace(files.spec, pooling=Pooling.SUM, activation=Activation(activation))
    encoder = load_document_encoder(replace(files, spec=spec), engine="onnx")
    model = reference_model(files.root)[0].model
    special = encoder.tokenizer.special_ids
    texts = [*SOME[1:], "word " * 1100]
    for text, vector in zip(texts, encoder.encode_documents(texts), strict=True):
        (ids,) = encoder.tokenizer.batch_document_ids([text])
        with torch.inference_mode():
            weights = model(input_ids=torch.tensor([ids])).logits[0].relu().log1p()
            weights = (weights.log1p() if activation == "log1p_relu" else weights).double().sum(dim=0)
        expected = torch.tensor([0.0 if index in special else float(weight) for index, weight in enumerate(weights)])
        found = torch.tensor([vector.get(token, 0.0) for token in encoder.tokenizer.tokens])
        # Sums of some thousand float32: kernels of different versions of torch were seen to differ by 8e-6 of a sum.
        torch.testing.assert_close(found, expected, rtol=2e-5, atol=3e-5 + 1e-7 * len(ids))
        assert int((expected > 1e-3).sum()) > 30


def test_weights_that_give_no_numbers_are_an_error_with_sum_pooling(written: Written, tmp_path: Path):
    def spoil(tensors: Tensors) -> Tensors:
        return {**tensors, "lm_head.dense.bias": np.full_like(tensors["lm_head.dense.bias"], np.nan)}

    files = resolve_files(get_model(rewrite(written("roberta"), tmp_path, spoil)))
    files = replace(files, spec=replace(files.spec, pooling=Pooling.SUM))
    with pytest.raises(ModelFilesError, match="not finite"):
        encode(files, ["rain"])


# Models without a masked-language head


@pytest.mark.parametrize("prefix", ["", "roberta.", "encoder.body."])
@pytest.mark.parametrize("architecture", ["bert", "xlm-roberta", "modernbert"])
def test_a_body_gives_the_hidden_states_of_transformers(
    architecture: str, prefix: str, written: Written, tmp_path: Path
):
    import torch
    from safetensors.numpy import save_file
    from transformers import AutoModel

    source = written(architecture)
    model = AutoModel.from_pretrained(source).eval()
    weights = {f"{prefix}{name}": tensor.numpy() for name, tensor in model.state_dict().items()}
    save_file({**weights, "head.weight": np.ones((1, 32), np.float32)}, tmp_path / "model.safetensors")
    body_architecture = read_architecture(source)
    assert body_architecture is not None
    tensors = graph_tensors(stored_tensors([tmp_path / "model.safetensors"]), body_architecture, prefix=prefix)
    body = BodyGraph(body_architecture, GraphBuilder(tensors))
    body.g.output(body.g.op("Reshape", body.hidden_states(), body.cube), "states")
    graph = body.g.graph({"states": ["B", "L", 32]}).SerializeToString()
    ids, mask = np.full((2, 40), 1), np.zeros((2, 40), np.int64)
    for row, length in enumerate((40, 17)):
        ids[row, :length] = np.arange(5, 5 + length)
        mask[row, :length] = 1
    (states,) = open_session(graph, tmp_path).run(["states"], {IDS: ids, MASK: mask})
    with torch.inference_mode():
        expected = model(input_ids=torch.tensor(ids), attention_mask=torch.tensor(mask)).last_hidden_state.numpy()
    own = mask.astype(bool)
    assert np.abs(states - expected)[own].max() < 3e-5

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable
from math import sqrt
from pathlib import Path
from typing import Any

import pytest

from opensearch_neural_sparse.encode.document_encoder import load_document_encoder
from opensearch_neural_sparse.encode.engines.torch_engine.network import TorchNetwork
from opensearch_neural_sparse.errors import ModelFilesError
from opensearch_neural_sparse.models.spec import ModelSpec
from tests.encode.agreement import assert_agree, reference_vectors
from tests.encode.texts import ODD_TEXTS
from tests.paths import SMALL_MODEL

torch = pytest.importorskip("torch")
from opensearch_neural_sparse.encode.engines.torch_engine.mlm_head import PooledHead, largest_by_text  # noqa: E402

pytestmark = pytest.mark.slow

TEXTS = [*ODD_TEXTS, "A heart attack is a medical emergency."]


def masked_model(**options: Any) -> Any:
    from transformers import BertConfig, BertForMaskedLM

    config = BertConfig(
        vocab_size=5000, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32, **options
    )
    return BertForMaskedLM(config).eval()


def test_a_head_taken_apart_gives_the_largest_logits_of_the_whole():
    model = masked_model()
    ids, mask = torch.randint(0, 5000, (3, 9)), torch.ones(3, 9, dtype=torch.long)
    mask[1, 4:] = mask[2, 1:] = 0
    with torch.inference_mode():
        whole = model(input_ids=ids, attention_mask=mask).logits.masked_fill(mask[..., None] == 0, -torch.inf).amax(1)
        head = PooledHead.split(model)
        assert head is not None
        assert torch.allclose(head.logits(ids, mask), whole, atol=1e-6)


def test_a_model_that_changes_its_logits_after_the_head_is_left_whole():
    from transformers import BertForMaskedLM

    class Capped(BertForMaskedLM):  # type: ignore[misc]
        def forward(self, *args: Any, **options: Any) -> Any:
            output = super().forward(*args, **options)
            output.logits = output.logits.tanh()
            return output

    model = Capped(masked_model().config).eval()
    ids = torch.arange(6)[None]
    with torch.inference_mode():
        before = model(input_ids=ids).logits
        assert PooledHead.split(model) is None
        assert torch.equal(model(input_ids=ids).logits, before)


def test_a_model_without_a_linear_decoder_is_left_whole():
    assert PooledHead.split(torch.nn.Linear(2, 2)) is None


@pytest.mark.parametrize("lengths", [[3], [1, 1, 5], [2, 7, 1, 4]])
def test_the_largest_value_of_each_text_is_found_as_the_kernel_for_gpus_finds_it(lengths: list[int]):
    values, sizes = torch.randn(sum(lengths), 7), torch.tensor(lengths)
    kernel = torch.segment_reduce(values, "max", lengths=sizes, axis=0, unsafe=True)
    assert torch.equal(largest_by_text(values, sizes), kernel)


def test_a_model_that_cannot_be_taken_apart_runs_as_sentence_transformers_runs_it(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(PooledHead, "split", lambda model: None)
    with caplog.at_level(logging.WARNING):
        encoder = load_document_encoder(SMALL_MODEL, engine="torch")
    assert isinstance(encoder.network, TorchNetwork)
    assert encoder.network.head is None
    assert "BertForMaskedLM" in caplog.text
    assert_agree(encoder.encode_documents(TEXTS), reference_vectors(SMALL_MODEL, TEXTS))


@pytest.mark.parametrize("budget", [1, 4096])
def test_the_size_of_batches_changes_nothing(budget: int):
    encoder = load_document_encoder(SMALL_MODEL, engine="torch", batch_tokens=budget)
    assert_agree(encoder.encode_documents(TEXTS), reference_vectors(SMALL_MODEL, TEXTS))


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision_is_close(dtype: str):
    texts = [text for text in TEXTS if text.strip() and len(text) < 500]
    vectors = load_document_encoder(SMALL_MODEL, engine="torch", dtype=dtype).encode_documents(texts)
    for vector, expected in zip(vectors, reference_vectors(SMALL_MODEL, texts), strict=True):
        norms = sqrt(vector.dot(vector) * sum(weight * weight for weight in expected.values()))
        assert bool(vector) == bool(expected)
        assert vector.dot(expected) >= 0.99 * norms


def test_nothing_global_in_torch_is_changed():
    before = torch.get_float32_matmul_precision(), torch.get_num_threads(), torch.get_default_dtype()
    load_document_encoder(SMALL_MODEL, engine="torch").encode_documents(["rain"])
    assert before == (torch.get_float32_matmul_precision(), torch.get_num_threads(), torch.get_default_dtype())


@pytest.mark.parametrize("engine", ["onnx", "torch"])
def test_the_models_own_document_prompt_and_limit_are_honoured(
    engine: str, snapshot: Callable[..., Path], tmp_path: Path
):
    folder = tmp_path / "model"
    shutil.copytree(snapshot(mode="bi-encoder"), folder)
    settings = json.loads((folder / "config_sentence_transformers.json").read_text())
    settings["prompts"] = {"query": "question: ", "document": "passage: "}
    (folder / "config_sentence_transformers.json").write_text(json.dumps(settings))
    texts = ["rain in New York", "x"]
    assert_agree(load_document_encoder(folder, engine=engine).encode_documents(texts), reference_vectors(folder, texts))
    settings["max_active_dims"] = 7
    (folder / "config_sentence_transformers.json").write_text(json.dumps(settings))
    encoder = load_document_encoder(folder, engine=engine)
    assert encoder.max_active_dims == 7
    assert list(map(len, encoder.encode_documents(texts))) == [7, 7]


def test_remote_code_needs_a_commit():
    from opensearch_neural_sparse.models.spec import Activation, Mode

    spec = ModelSpec(
        id="someone/some-model", name="some-model", mode=Mode.BI_ENCODER, activation=Activation.RELU, vocabulary_size=9
    )
    with pytest.raises(ValueError, match=r"someone/some-model.*'main'"):
        load_document_encoder(spec, engine="torch", trust_remote_code=True, local_files_only=True)
    with pytest.raises(ValueError, match=r"'v1\.0'"):
        load_document_encoder(spec, engine="torch", trust_remote_code=True, revision="v1.0", local_files_only=True)


@pytest.mark.parametrize("field", ["hidden_act", "activation", "hidden_activation"])
@pytest.mark.parametrize("value", [[1], 10**19, {"a": 1}], ids=str)
def test_an_activation_that_is_no_text_is_refused_before_a_text_is_encoded(
    tmp_path: Path, field: str, value: object
) -> None:
    folder = Path(shutil.copytree(SMALL_MODEL, tmp_path / "model"))
    file = folder / "document_0_MLMTransformer" / "config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), field: value}))
    with pytest.raises(ModelFilesError, match=rf"config\.json: field '{field}' is .*, not a text"):
        load_document_encoder(folder, engine="torch")


@pytest.mark.parametrize("name", ["config.json", "tokenizer_config.json"])
def test_code_that_the_query_side_maps_is_refused_without_a_question(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """transformers asks on the terminal whether to run it, and runs it after a yes."""

    def ask(*_: object) -> str:
        pytest.fail("a question was asked on the terminal")

    monkeypatch.setattr("builtins.input", ask)
    folder = shutil.copytree(SMALL_MODEL, tmp_path / "model")
    path = folder / "query_0_SparseStaticEmbedding" / name
    mapped = {"AutoTokenizer": ["evil.Tokenizer", None], "AutoConfig": "evil.Config"}
    path.write_text(json.dumps({**json.loads(path.read_text()), "auto_map": mapped}))
    with pytest.raises(ModelFilesError, match="maps a class to code in auto_map, which is not run") as raised:
        load_document_encoder(folder, engine="torch")
    assert str(path) in str(raised.value)

from __future__ import annotations

import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from opensearch_neural_sparse.encode.document_encoder import DocumentEncoder, load_document_encoder
from opensearch_neural_sparse.encode.engines.engine import Engine, NetworkOptions, Precision, choose_engine
from opensearch_neural_sparse.encode.engines.transformer_encoder import TransformerDocumentEncoder, Truncations
from opensearch_neural_sparse.errors import MissingDependencyError, NeuralSparseError, TruncationWarning
from opensearch_neural_sparse.models.files.resolve import Side, resolve_files
from opensearch_neural_sparse.models.registry import get_model
from tests.encode.agreement import assert_agree, reference_vectors
from tests.encode.texts import ODD_TEXTS
from tests.paths import SMALL_MODEL

FILES = resolve_files(get_model(SMALL_MODEL))
SENTENCE = "Currently New York is rainy."


@pytest.fixture(scope="module", params=["onnx", "torch"])
def encoder(request: pytest.FixtureRequest) -> Iterator[TransformerDocumentEncoder]:
    encoder = load_document_encoder(FILES, engine=request.param, threads=2)
    yield encoder
    encoder.close()


@pytest.fixture(scope="module")
def onnx_encoder() -> TransformerDocumentEncoder:
    return load_document_encoder(FILES, engine="onnx", threads=2)


def test_the_bundled_model_gives_the_vectors_of_sentence_transformers(encoder: TransformerDocumentEncoder):
    assert_agree(encoder.encode_documents(ODD_TEXTS), reference_vectors(SMALL_MODEL, ODD_TEXTS))


def test_an_encoder_is_a_document_encoder(encoder: TransformerDocumentEncoder):
    assert isinstance(encoder, DocumentEncoder)
    assert encoder.files is FILES
    assert encoder.max_length == 512


def test_no_text_gives_no_vector(encoder: TransformerDocumentEncoder):
    assert encoder.encode_documents([]) == []


def test_a_blank_text_gives_an_empty_vector(encoder: TransformerDocumentEncoder):
    assert [len(vector) for vector in encoder.encode_documents(["", " \n\u3000", "\t"])] == [0, 0, 0]


def test_weights_are_plain_floats(encoder: TransformerDocumentEncoder):
    (vector,) = encoder.encode_documents([SENTENCE])
    assert vector
    assert {type(weight) for weight in vector.values()} == {float}


def test_special_tokens_never_appear(encoder: TransformerDocumentEncoder):
    vectors = encoder.encode_documents(["[CLS] [SEP] [MASK] [UNK] [PAD] rain", "\U0001f9ff"])
    assert not {"[CLS]", "[SEP]", "[MASK]", "[UNK]", "[PAD]"} & {token for vector in vectors for token in vector}


def test_a_vector_does_not_depend_on_the_texts_beside_it(encoder: TransformerDocumentEncoder):
    together = encoder.encode_documents(ODD_TEXTS)
    assert_agree([encoder.encode_documents([text])[0] for text in ODD_TEXTS], together)


def test_one_string_is_not_taken_for_a_list_of_letters(encoder: TransformerDocumentEncoder):
    with pytest.raises(TypeError, match="takes a list of texts"):
        encoder.encode_documents(SENTENCE)


def test_max_active_dims_keeps_the_heaviest_tokens(onnx_encoder: TransformerDocumentEncoder):
    short = load_document_encoder(FILES, engine="onnx", max_active_dims=5)
    (vector,), (whole,) = short.encode_documents([SENTENCE]), onnx_encoder.encode_documents([SENTENCE])
    assert vector.to_dict() == dict(whole.top(5))


def test_progress_counts_every_text_once(onnx_encoder: TransformerDocumentEncoder):
    counts: list[int] = []
    onnx_encoder.encode_documents(ODD_TEXTS, progress=counts.append)
    assert sum(counts) == len(ODD_TEXTS)
    assert len(counts) > 1


def test_a_cut_text_is_counted_and_warned_of_once_a_call():
    encoder = load_document_encoder(FILES, engine="onnx", max_length=8)
    secret = "rain rain rain rain rain rain rain rain rain"
    with pytest.warns(TruncationWarning) as caught:
        encoder.encode_documents([secret, secret, "rain", "rain " * 6])
    assert encoder.truncations == Truncations(texts=2, tokens=6)
    (warning,) = caught
    assert str(warning.message).startswith("2 of 4 texts have more than 8 tokens; what follows, 6 tokens in all")
    assert "rain" not in str(warning.message)
    assert warning.message.documents == {}


def test_texts_that_fit_are_warned_of_by_nothing():
    encoder = load_document_encoder(FILES, engine="onnx", max_length=8)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        encoder.encode_documents(["rain " * 6])
    assert encoder.truncations == Truncations()


def test_a_cut_text_has_the_vector_of_what_is_left():
    encoder = load_document_encoder(FILES, engine="onnx", max_length=8)
    with pytest.warns(TruncationWarning, match="1 of 1 texts"):
        whole = encoder.encode_documents(["rain " * 600])
    assert whole == encoder.encode_documents(["rain " * 6])


def test_a_prompt_goes_before_every_text(onnx_encoder: TransformerDocumentEncoder):
    prompted = load_document_encoder(FILES, engine="onnx", prompt="weather: ")
    assert_agree(prompted.encode_documents([SENTENCE, ""]), onnx_encoder.encode_documents([f"weather: {SENTENCE}", ""]))


def test_a_closed_encoder_says_so():
    encoder = load_document_encoder(FILES, engine="onnx")
    encoder.close()
    encoder.close()
    with pytest.raises(NeuralSparseError, match="closed"):
        encoder.encode_documents([SENTENCE])


@pytest.mark.parametrize("length", [2, 513])
def test_a_max_length_the_model_cannot_have_is_refused(length: int):
    with pytest.raises(ValueError, match=f"max_length is {length}.*3 to 512"):
        load_document_encoder(FILES, max_length=length)


@pytest.mark.parametrize("name", ["max_active_dims", "batch_tokens", "threads"])
def test_a_number_below_one_is_refused(name: str):
    with pytest.raises(ValueError, match=f"{name} is 0"):
        load_document_encoder(FILES, **{name: 0})


@pytest.mark.parametrize(
    "options",
    [{"device": "cuda"}, {"dtype": "bfloat16"}, {"trust_remote_code": True}],
    ids=["device", "dtype", "remote code"],
)
def test_the_onnx_engine_refuses_what_it_has_not(options: dict):
    with pytest.raises(ValueError, match="The ONNX engine has no"):
        load_document_encoder(FILES, engine="onnx", **options)


def test_the_torch_engine_refuses_int8():
    with pytest.raises(ValueError, match="no dtype 'int8'"):
        load_document_encoder(FILES, engine="torch", dtype="int8")


def test_an_unknown_engine_is_refused():
    with pytest.raises(ValueError, match="jax"):
        load_document_encoder(FILES, engine="jax")


def test_auto_takes_onnx_where_it_can_do_what_is_asked_for():
    assert choose_engine(FILES, NetworkOptions()) is Engine.ONNX
    assert choose_engine(FILES, NetworkOptions(dtype=Precision.INT8)) is Engine.ONNX
    assert choose_engine(FILES, NetworkOptions(device="cuda")) is Engine.TORCH
    assert choose_engine(FILES, NetworkOptions(dtype=Precision.BFLOAT16)) is Engine.TORCH
    assert choose_engine(FILES, NetworkOptions(trust_remote_code=True)) is Engine.TORCH


@pytest.mark.parametrize(
    ("missing", "chosen"), [({"onnxruntime"}, Engine.TORCH), ({"onnx"}, Engine.TORCH), ({"torch"}, Engine.ONNX)]
)
def test_auto_takes_what_is_installed(monkeypatch: pytest.MonkeyPatch, missing: set[str], chosen: Engine):
    hide(monkeypatch, missing)
    assert choose_engine(FILES, NetworkOptions()) is chosen


def test_without_any_engine_both_extras_are_named(monkeypatch: pytest.MonkeyPatch):
    hide(monkeypatch, {"torch", "onnxruntime"})
    with pytest.raises(MissingDependencyError, match=r"'encode'.*\[onnx\]"):
        load_document_encoder(FILES)


def test_without_torch_what_only_torch_can_do_names_its_extra(monkeypatch: pytest.MonkeyPatch):
    hide(monkeypatch, {"torch"})
    with pytest.raises(MissingDependencyError, match=r"\[encode\]"):
        load_document_encoder(FILES, dtype="float16")


@pytest.mark.parametrize("module", ["onnx", "onnxruntime"])
def test_the_onnx_engine_names_the_extra_it_lacks(monkeypatch: pytest.MonkeyPatch, module: str):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingDependencyError, match=rf"{module}.*\[onnx\]"):
        load_document_encoder(FILES, engine="onnx")


def test_the_torch_engine_names_the_extra_it_lacks(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(MissingDependencyError, match=r"\[encode\]"):
        load_document_encoder(FILES, engine="torch")


def test_files_of_the_query_side_alone_are_completed():
    query = resolve_files(get_model(SMALL_MODEL), side=Side.QUERY)
    assert query.document is None
    assert load_document_encoder(query, engine="onnx").encode_documents([SENTENCE])[0]


def test_the_onnx_engine_imports_no_torch():
    program = f"""
import sys
import warnings
from opensearch_neural_sparse import load_document_encoder
encoder = load_document_encoder({str(SMALL_MODEL)!r}, engine="onnx")
assert encoder.encode_documents(["rain"])[0]
loaded = {{"torch", "transformers", "sentence_transformers"}} & set(sys.modules)
assert not loaded, loaded
"""
    subprocess.run([sys.executable, "-c", program], check=True, cwd=Path(__file__).parent)


def hide(monkeypatch: pytest.MonkeyPatch, missing: set[str]) -> None:
    from importlib.util import find_spec

    monkeypatch.setattr(
        "opensearch_neural_sparse.encode.engines.engine.find_spec",
        lambda name: None if name in missing else find_spec(name),
    )

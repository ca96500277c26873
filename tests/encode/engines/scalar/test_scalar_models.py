from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from opensearch_neural_sparse import (
    Activation,
    Family,
    Mode,
    TruncationWarning,
    get_model,
    load_document_encoder,
    load_query_encoder,
)
from tests.encode.engines.scalar import originals

pytest.importorskip("torch", reason="the originals' arithmetic is written out in PyTorch")

Snapshot = Callable[..., Path]
TOLERANCE = 3e-5
TEXTS = [
    "The index of an encoder: search, search and search again.",
    "Unbelievably, (re)tokenisation splits extraordinary words; it's 3.5 times longer!",
    "Köln — naïve café… 東京 query",
    "a",
    "query " * 40 + "encoder",
]
SEVERAL = [*TEXTS, "", "  \n"]
QUERY_STEP = 5 / 256


@pytest.mark.parametrize("engine", ["torch", "onnx"])
def test_bge_m3_documents_and_queries_equal_the_original(scalar_snapshot: Snapshot, engine: str) -> None:
    folder = scalar_snapshot("bge-m3")
    original = originals.Original(folder)
    expected = [originals.bge_m3(original, text) for text in TEXTS] + [{}, {}]
    with load_document_encoder(folder, engine=engine) as encoder:
        assert_equal_vectors(encoder.encode_documents(SEVERAL), expected)
        queries = load_query_encoder(folder, engine=engine).encode_queries(SEVERAL)
    assert_equal_vectors(queries, expected)
    assert any(token.startswith("▁") for token in expected[0])


@pytest.mark.parametrize("engine", ["torch", "onnx"])
def test_bge_m3_gives_its_dense_vector_of_the_same_pass(scalar_snapshot: Snapshot, engine: str) -> None:
    folder = scalar_snapshot("bge-m3")
    original = originals.Original(folder)
    with load_document_encoder(folder, engine=engine) as encoder:
        both = encoder.encode_documents_with_dense(SEVERAL)
        # Blank texts share the batches here and are left out there, which moves the last digit.
        assert_equal_vectors([vectors.sparse for vectors in both], encoder.encode_documents(SEVERAL))
    for text, vectors in zip(SEVERAL, both, strict=True):
        assert vectors.dense == pytest.approx(originals.bge_m3_dense(original, text), abs=TOLERANCE)


@pytest.mark.parametrize("engine", ["torch", "onnx"])
def test_unicoil_documents_equal_the_original_without_sep(scalar_snapshot: Snapshot, engine: str) -> None:
    folder = scalar_snapshot("unicoil")
    original = originals.Original(folder)
    expected = [originals.unicoil_document(original, text) for text in TEXTS] + [{}, {}]
    with load_document_encoder(folder, engine=engine) as encoder:
        assert_equal_vectors(encoder.encode_documents(SEVERAL), [_without_special(each) for each in expected])


@pytest.mark.parametrize("engine", ["torch", "onnx"])
def test_unicoil_queries_are_sums_in_the_originals_steps(scalar_snapshot: Snapshot, engine: str) -> None:
    folder = scalar_snapshot("unicoil")
    original = originals.Original(folder)
    vectors = load_query_encoder(folder, engine=engine).encode_queries(SEVERAL)
    expected = [_without_special(originals.unicoil_query(original, text)) for text in TEXTS] + [{}, {}]
    assert [{token: weight / QUERY_STEP for token, weight in vector.items()} for vector in vectors] == expected
    heaviest = max(vectors[4].values())
    assert heaviest > 5, "a repeated token has a sum"


@pytest.mark.parametrize("engine", ["torch", "onnx"])
def test_deep_impact_weighs_words_as_the_original(scalar_snapshot: Snapshot, engine: str) -> None:
    folder = scalar_snapshot("deepimpact")
    original = originals.Original(folder)
    expected = [originals.deep_impact(original, text) for text in TEXTS] + [{}, {}]
    with load_document_encoder(folder, engine=engine) as encoder:
        assert_equal_vectors(encoder.encode_documents(SEVERAL), expected)
    assert any(len(word) > 12 for each in expected for word in each), "whole words, not pieces"


def test_deep_impact_queries_are_sets_of_words(scalar_snapshot: Snapshot) -> None:
    folder = scalar_snapshot("deepimpact")
    original = originals.Original(folder)
    for text, vector in zip(TEXTS, load_query_encoder(folder).encode_queries(TEXTS), strict=True):
        assert vector == dict.fromkeys(originals.deep_impact_query(original, text), 1.0)


def test_words_that_a_text_cuts_off_have_no_weight(scalar_snapshot: Snapshot) -> None:
    folder = scalar_snapshot("deepimpact")
    with load_document_encoder(folder, max_length=6) as encoder, pytest.warns(TruncationWarning, match="3 tokens"):
        (vector,) = encoder.encode_documents(["one two three four five six seven"])
    assert {*vector} <= {"one", "two", "three", "four"}


@pytest.mark.parametrize("family", ["bge-m3", "unicoil", "deepimpact"])
def test_pickled_weights_give_the_same_vectors(scalar_snapshot: Snapshot, family: str) -> None:
    whole, pickled = scalar_snapshot(family), scalar_snapshot(family, pickled=True)
    with load_document_encoder(whole, engine="torch") as one, load_document_encoder(pickled) as other:
        assert_equal_vectors(other.encode_documents(TEXTS), one.encode_documents(TEXTS))


def test_both_spellings_of_unicoil_tensors_are_read(scalar_snapshot: Snapshot) -> None:
    wrapped, plain = scalar_snapshot("unicoil"), scalar_snapshot("unicoil", prefix="")
    for engine in ("torch", "onnx"):
        with load_document_encoder(wrapped, engine=engine) as one, load_document_encoder(plain, engine=engine) as other:
            assert_equal_vectors(other.encode_documents(TEXTS), one.encode_documents(TEXTS))


@pytest.mark.parametrize(
    ("family", "mode"),
    [("bge-m3", Mode.BI_ENCODER), ("unicoil", Mode.BI_ENCODER), ("deepimpact", Mode.DOC_ONLY)],
)
def test_a_folder_says_its_family(scalar_snapshot: Snapshot, family: str, mode: Mode) -> None:
    spec = get_model(scalar_snapshot(family))
    assert (spec.family, spec.mode, spec.activation) == (Family(family), mode, Activation.PLAIN)


def test_workers_encode_as_one_process(scalar_snapshot: Snapshot) -> None:
    folder = scalar_snapshot("deepimpact")
    with load_document_encoder(folder, engine="onnx") as one:
        expected = one.encode_documents(TEXTS)
    encoder = load_document_encoder(folder, engine="onnx", workers=1)
    try:
        assert_equal_vectors(encoder.encode_documents(TEXTS), expected)
    finally:
        encoder.close()


def assert_equal_vectors(found: list, expected: list) -> None:
    assert len(found) == len(expected)
    for vector, other in zip(found, expected, strict=True):
        assert vector.keys() == other.keys()
        assert dict(vector) == pytest.approx(dict(other), abs=TOLERANCE)


def _without_special(weights: Mapping[str, float]) -> dict[str, float]:
    return {token: weight for token, weight in weights.items() if token not in ("[SEP]", "[UNK]")}

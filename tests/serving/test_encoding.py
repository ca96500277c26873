"""Vectors of the service equal those of encoders in this process."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from opensearch_neural_sparse import SparseTokenizer, load_document_encoder, load_query_encoder
from opensearch_neural_sparse.encode.document_encoder import DocumentEncoder
from opensearch_neural_sparse.encode.truncation import collected_cuts
from tests.paths import SMALL_MODEL
from tests.serving.conftest import LIMITS, Service, served_thread
from tests.snapshots import vocabulary_files

TEXTS = [
    "The heart pumps blood through the body.",
    "",
    "   ",
    "\N{GRINNING FACE} 心臓 दिल \x00 [SEP]",
    "river " * 2000,
    "half of a pair: \ud83d",
    "${parameters.input}",
]
CLOSE = 1e-5
"""Texts that share a batch change one another's last bits."""


def _equal(found: dict[str, float], expected: dict[str, float]) -> bool:
    return found.keys() == expected.keys() and found == pytest.approx(expected, abs=CLOSE)


def _in_process(encoder: DocumentEncoder) -> list[dict[str, float]]:
    with collected_cuts():
        return [dict(vector) for vector in encoder.encode_documents(TEXTS)]


def test_documents_have_the_vectors_of_the_encoder_with_their_cuts_and_fingerprints(
    limited: Service, encoder: DocumentEncoder
) -> None:
    answer = limited.post("/encode", {"texts": TEXTS, "input_type": "document"})
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert all(map(_equal, body["vectors"], _in_process(encoder)))
    assert body["dropped_tokens"] == [0, 0, 0, 0, 2000 - 510, 0, 0]
    assert body["query_sha256"] == encoder.files.query_sha256
    assert body["weights_sha256"] == encoder.files.weights_sha256


def test_queries_have_the_vectors_of_the_table_exactly_with_their_cuts(limited: Service) -> None:
    body = limited.post("/encode", {"texts": TEXTS, "input_type": "query"}).json()
    with collected_cuts():
        expected = load_query_encoder(SMALL_MODEL).encode_queries(TEXTS)
    assert body["vectors"] == [dict(vector) for vector in expected]
    assert body["dropped_tokens"] == [0, 0, 0, 0, 2000 - 512, 0, 0]


@pytest.mark.parametrize("inputs", [TEXTS, TEXTS[0], []], ids=["several", "one", "none"])
def test_a_connector_gets_a_list_of_vectors(
    limited: Service, encoder: DocumentEncoder, inputs: list[str] | str
) -> None:
    body = limited.post("/connector", {"inputs": inputs, "parameters": {"a": [{}]}}).json()
    expected = _in_process(encoder)[: 1 if isinstance(inputs, str) else len(inputs)]
    assert len(body) == len(expected)
    assert all(map(_equal, body, expected))


def test_clients_of_text_embeddings_inference_get_its_form(limited: Service, encoder: DocumentEncoder) -> None:
    body = limited.post("/embed_sparse", {"inputs": TEXTS}).json()
    tokens = SparseTokenizer.from_file(encoder.files.query_tokenizer).tokens
    found = [{tokens[entry["index"]]: entry["value"] for entry in entries} for entries in body]
    assert all(map(_equal, found, _in_process(encoder)))


def test_a_long_text_that_must_not_be_cut_is_refused_in_the_form_of_text_embeddings_inference(
    limited: Service,
) -> None:
    answer = limited.post("/embed_sparse", {"inputs": [TEXTS[0], "river " * 2000], "truncate": False})
    assert answer.status_code == 413
    assert answer.json()["error_type"] == "Validation"
    assert answer.json()["error"].startswith("inputs[1] has more than 512 tokens")
    assert limited.post("/embed_sparse", {"inputs": TEXTS[0], "truncate": False}).status_code == 200


def test_the_facts_are_those_of_the_model(limited: Service, encoder: DocumentEncoder) -> None:
    with limited.client() as client:
        info = client.get("/info").json()
    assert info.pop("version")
    assert info == {
        "service": "opensearch-neural-sparse",
        "model": "small-en",
        "revision": None,
        "mode": "doc-only",
        "activation": "log1p_relu",
        "query_sha256": encoder.files.query_sha256,
        "weights_sha256": encoder.files.weights_sha256,
        "max_length": 512,
        "max_active_dims": None,
        "limits": {
            "texts": LIMITS["max-texts"],
            "characters": LIMITS["max-characters"],
            "bytes": LIMITS["max-bytes"],
        },
    }


QUESTIONS = {
    "ar": "كم عدد النقاط",
    "de": "Wie viele Häuser stehen am Fluss?",
    "hi": "नदी के किनारे कितने घर हैं?",
    "ru": "Дома на площади",
    "vi": "Có bao nhiêu ngôi nhà bên sông?",
    "zh": "黑豹隊的防守丟了多少分",
}


def test_queries_in_any_script_have_the_weights_of_the_multilingual_table(snapshot: Callable[..., Path]) -> None:
    folder = snapshot(vocabulary="mbert", hidden=16)
    texts = list(QUESTIONS.values())
    queries = load_query_encoder(folder)
    expected = [dict(vector) for vector in queries.encode_queries(texts)]
    with load_document_encoder(folder, engine="onnx") as encoder, served_thread(encoder, queries) as service:
        answer = service.post("/encode", {"texts": texts, "input_type": "query"})
    assert answer.status_code == 200, answer.text
    vectors = answer.json()["vectors"]
    assert vectors == expected
    table = json.loads(vocabulary_files("mbert")[1].read_text(encoding="utf-8"))
    for language, vector in zip(QUESTIONS, vectors, strict=True):
        assert vector, language
        assert vector == pytest.approx({token: table[token] for token in vector}), language
    assert not vectors[0].keys() & vectors[1].keys(), "Arabic and German have no word piece in common here"

"""An encoder behind HTTP is taken only where it runs the model that is named."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from opensearch_neural_sparse import (
    DocumentEncoder,
    NeuralQueryEncoder,
    RemoteDocumentEncoder,
    RemoteEncoderError,
    RemoteOptions,
    RemoteProtocol,
    load_document_encoder,
    load_query_encoder,
    resolve_files,
)
from opensearch_neural_sparse.encode.remote.loading import ENGINE_DEFAULTS, REMOTE_ONLY
from opensearch_neural_sparse.errors import UnencryptedLoginWarning
from opensearch_neural_sparse.models.registry import get_model
from tests import toy
from tests.encode.remote.stub import EncoderStub, Fault, OwnStub, TeiStub
from tests.paths import SMALL_MODEL


class ToyEncoder:
    """Gives each known word of a text its length as weight."""

    max_active_dims = None

    def __init__(self, root: Path) -> None:
        self.files = resolve_files(get_model(root))
        self.max_length = 48

    def encode_documents(self, texts: Any, *, progress: Any = None) -> list[Any]:
        from opensearch_neural_sparse import SparseVector

        return [SparseVector({w: float(len(w)) for w in text.split() if w in toy.WORDS}) for text in texts]

    def close(self) -> None:
        pass


@pytest.fixture
def bi_encoder(tmp_path: Path) -> Path:
    return toy.write_bi_encoder(tmp_path / "bi-encoder")


@pytest.fixture
def own(local: DocumentEncoder) -> Iterator[OwnStub]:
    with OwnStub(local) as stub:
        yield stub


@pytest.mark.parametrize("option", ENGINE_DEFAULTS)
def test_options_of_an_engine_are_refused_beside_a_url(option: str) -> None:
    other = {"engine": "onnx", "dtype": "int8", "device": "cpu", "devices": ["cpu"], "trust_remote_code": True}
    with pytest.raises(ValueError, match=f"{option} and url exclude each other"):
        load_document_encoder(SMALL_MODEL, url="http://127.0.0.1:1", **{option: other.get(option, 2)})


@pytest.mark.parametrize("option", REMOTE_ONLY)
def test_options_of_a_url_are_refused_without_one(option: str) -> None:
    with pytest.raises(ValueError, match=f"{option} need url"):
        load_document_encoder(SMALL_MODEL, **{option: {} if option == "remote_options" else "key"})


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("localhost:8080", "is the address of an encoder"),
        ("ftp://host", "is the address of an encoder"),
        ("http://", "is the address of an encoder"),
        ("http://host:port", "is the address of an encoder"),
        ("http://user:s3cret@host", "holds credentials"),
        ("http://host/?key=s3cret", "has a query or a fragment"),
    ],
)
def test_addresses_that_are_none_are_refused(url: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as raised:
        load_document_encoder(SMALL_MODEL, url=url)
    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize("key", ["", " ", "two\nlines", "schlüssel"])
def test_keys_that_no_header_takes_are_refused(key: str) -> None:
    with pytest.raises(ValueError, match="api_key is empty, or holds"):
        load_document_encoder(SMALL_MODEL, url="http://127.0.0.1:1", api_key=key)


@pytest.mark.parametrize(
    "options",
    [
        {"batch_size": 0},
        {"batch_characters": 0},
        {"in_flight": 0},
        {"timeout": 0},
        {"max_retries": -1},
        {"initial_backoff": -1.0},
        {"protocol": "grpc"},
        {"weights_sha256": "abc"},
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(options)) + "|RemoteProtocol is one of"):
        RemoteOptions.of(options)


def test_options_are_a_value_or_a_mapping() -> None:
    assert RemoteOptions.of(None) == RemoteOptions()
    assert RemoteOptions.of({"protocol": "tei"}).protocol is RemoteProtocol.TEI
    assert RemoteOptions.of(RemoteOptions(batch_size=2)).batch_size == 2
    with pytest.raises(TypeError, match=r"has no 'batchsize'; it has batch_size, "):
        RemoteOptions.of({"batchsize": 1})
    with pytest.raises(TypeError, match="is RemoteOptions or a mapping, got int"):
        RemoteOptions.of(3)  # type: ignore[arg-type]


def test_encoder_that_is_away_is_an_error() -> None:
    options = {"max_retries": 1, "initial_backoff": 0.01}
    with pytest.raises(RemoteEncoderError, match=r"http://127.0.0.1:1 did not answer.*Is it running") as raised:
        load_document_encoder(SMALL_MODEL, url="http://127.0.0.1:1/", remote_options=options)
    assert (raised.value.status, raised.value.url) == (None, "http://127.0.0.1:1")


@pytest.mark.parametrize("name", ["mode", "activation", "query_sha256"])
def test_another_model_is_refused(name: str, own: OwnStub) -> None:
    own.changes = {name: "other"}
    with pytest.raises(RemoteEncoderError, match=f"another model than the one named here: its {name} is other"):
        load_document_encoder(SMALL_MODEL, url=own.url)


def test_model_that_changes_between_answers_is_refused(own: OwnStub) -> None:
    with load_document_encoder(SMALL_MODEL, url=own.url) as encoder:
        encoder.encode_documents(["before"])
        for name in ("weights_sha256", "query_sha256"):
            own.changes = {name: "f" * 64}
            with pytest.raises(RemoteEncoderError, match=f"another model: its {name} is ffffffffffff") as raised:
                encoder.encode_documents(["after"])
            assert not raised.value.of_texts


def test_model_that_changes_behind_tei_is_refused(local: DocumentEncoder) -> None:
    with TeiStub(local) as stub, load_document_encoder(SMALL_MODEL, url=stub.url) as encoder:
        encoder.encode_documents(["before"])
        stub.model = "/models/other"
        with pytest.raises(RemoteEncoderError, match="another model than at first: /models/other float32"):
            encoder.encode_documents(["after"])


def test_stated_fingerprint_must_be_that_of_the_service(own: OwnStub) -> None:
    with pytest.raises(RemoteEncoderError, match=r"weights_sha256 is \w{12}, f{12} was stated"):
        load_document_encoder(SMALL_MODEL, url=own.url, remote_options={"weights_sha256": "f" * 64})


@pytest.mark.parametrize("info", [[], {"status": "green"}, {"service": "opensearch-neural-sparse"}])
def test_server_that_is_no_encoder_is_refused(info: Any, own: OwnStub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own, "info", lambda: info)
    with pytest.raises(RemoteEncoderError, match=r"was not understood: GET /info (has no|lacks).*Is it an encoder"):
        load_document_encoder(SMALL_MODEL, url=own.url)


def test_protocol_that_is_named_is_held_to(stub: EncoderStub) -> None:
    own, other = (
        ("tei", "opensearch-neural-sparse") if isinstance(stub, TeiStub) else ("opensearch-neural-sparse", "tei")
    )
    load_document_encoder(SMALL_MODEL, url=stub.url, remote_options=RemoteOptions(protocol=own)).close()
    with pytest.raises(RemoteEncoderError, match=f"not that of protocol '{other}'"):
        load_document_encoder(SMALL_MODEL, url=stub.url, remote_options={"protocol": other})


def test_limits_are_those_of_the_encoder(stub: EncoderStub) -> None:
    assert load_document_encoder(SMALL_MODEL, url=stub.url, max_length=512).max_length == 512
    with pytest.raises(ValueError, match=r"max_length is 256, the encoder at http://.* reads 512 tokens"):
        load_document_encoder(SMALL_MODEL, url=stub.url, max_length=256)


def test_more_tokens_than_the_service_keeps_are_refused(own: OwnStub) -> None:
    own.changes = {"max_active_dims": 100}
    assert load_document_encoder(SMALL_MODEL, url=own.url).max_active_dims == 100
    assert load_document_encoder(SMALL_MODEL, url=own.url, max_active_dims=50).max_active_dims == 50
    with pytest.raises(ValueError, match=r"max_active_dims is 200, the encoder at http://.* keeps 100"):
        load_document_encoder(SMALL_MODEL, url=own.url, max_active_dims=200)


def test_prompts_are_put_before_texts_for_tei_alone(local: DocumentEncoder, own: OwnStub) -> None:
    with TeiStub(local) as stub, load_document_encoder(SMALL_MODEL, url=stub.url, prompt="passage: ") as encoder:
        encoder.encode_documents(["a text", ""])
        assert stub.bodies[0]["inputs"] == ["passage: a text"]
    with pytest.raises(ValueError, match=r"This url takes no prompt 'passage: '.*Leave prompt out"):
        load_document_encoder(SMALL_MODEL, url=own.url, prompt="passage: ")


@pytest.mark.parametrize("kind", [OwnStub, TeiStub])
def test_queries_of_a_bi_encoder_are_encoded_there(kind: type[EncoderStub], bi_encoder: Path) -> None:
    encoder = ToyEncoder(bi_encoder)
    weights = encoder.files.weights_sha256
    with kind(encoder) as stub:
        stub.double_log = False  # type: ignore[attr-defined]
        (bi_encoder / "model.safetensors").rename(bi_encoder / "elsewhere")
        options = RemoteOptions(weights_sha256=weights)
        with pytest.MonkeyPatch.context() as patch:
            info = stub.info() if kind is TeiStub else own_info(encoder, weights)
            patch.setattr(stub, "info", lambda: info)
            queries = load_query_encoder(bi_encoder, url=stub.url, remote_options=options)
            assert isinstance(queries, NeuralQueryEncoder)
            assert isinstance(queries.engine, RemoteDocumentEncoder)
            assert queries.encode_query("red planet") == {"red": 3.0, "planet": 6.0}
            assert queries.engine.files.query_sha256 == weights


def own_info(encoder: ToyEncoder, weights: str) -> dict[str, Any]:
    return {
        "service": "opensearch-neural-sparse",
        "model": encoder.files.spec.id,
        "mode": "bi-encoder",
        "activation": "relu",
        "query_sha256": weights,
        "weights_sha256": weights,
        "max_length": 48,
    }


def test_queries_of_a_doc_only_model_need_no_url() -> None:
    with pytest.raises(TypeError, match=r"need no engine; got \['url'\]"):
        load_query_encoder(SMALL_MODEL, url="http://127.0.0.1:1")


def test_tei_takes_the_second_logarithm_only_where_the_model_has_it(tmp_path: Path) -> None:
    for activation in ("relu", "log1p_relu"):
        root = toy.write_doc_only(tmp_path / activation, activation=activation)
        with TeiStub(ToyEncoder(root)) as stub:
            stub.double_log = activation == "log1p_relu"
            with load_document_encoder(root, url=stub.url) as encoder:
                (vector,) = encoder.encode_documents(["red planet"])
        assert dict(vector) == pytest.approx({"red": 3.0, "planet": 6.0}, abs=1e-9)


def test_model_that_tei_names_must_be_the_named_one(local: DocumentEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    files = replace(local.files, spec=replace(local.files.spec, id="someone/model", path=None), revision="a" * 40)
    with TeiStub(local) as stub:
        stub.model = "someone/other"
        with pytest.raises(RemoteEncoderError, match="it says 'someone/other', 'someone/model' was named"):
            load_document_encoder(replace(files, weights_fingerprint="f" * 64), url=stub.url)


def test_unauthorised_request_is_not_repeated(own: OwnStub) -> None:
    with load_document_encoder(SMALL_MODEL, url=own.url) as encoder:
        own.faults += [Fault.UNAUTHORISED]
        with pytest.raises(RemoteEncoderError, match="unauthorised: no or wrong token"):
            encoder.encode_documents(["a"])
    assert len(own.requests) == 1


def test_a_key_without_tls_to_another_machine_is_warned_of() -> None:
    with pytest.warns(UnencryptedLoginWarning, match=r"The key for http://encoder\.invalid:1 is sent without TLS"):  # noqa: SIM117
        with pytest.raises(RemoteEncoderError):
            load_document_encoder(
                SMALL_MODEL, url="http://encoder.invalid:1", api_key="secret", remote_options={"max_retries": 0}
            )

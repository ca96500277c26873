"""An encoder behind HTTP gives the vectors of one in this process, whatever its server does."""

from __future__ import annotations

import copy
import pickle
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opensearch_neural_sparse import (
    CachedDocumentEncoder,
    DocumentEncoder,
    RemoteDocumentEncoder,
    RemoteEncoderError,
    RemoteOptions,
    TruncationWarning,
    load_document_encoder,
    resolve_files,
)
from opensearch_neural_sparse.errors import NeuralSparseError
from opensearch_neural_sparse.models.registry import get_model
from tests.encode.remote.fixtures import STUBS
from tests.encode.remote.stub import EncoderStub, Fault, OwnStub, TeiStub
from tests.encode.texts import ODD_TEXTS
from tests.paths import SMALL_MODEL
from tests.slow_server import SlowServer, answer

QUICK: dict[str, Any] = {"initial_backoff": 0.01, "max_backoff": 0.02, "timeout": 20.0}
SENTENCES = [f"The river number {number} runs to the sea." for number in range(20)]
WEIGHTS = resolve_files(get_model(SMALL_MODEL)).weights_sha256


def load(stub: EncoderStub, model: Path = SMALL_MODEL, **options: Any) -> RemoteDocumentEncoder:
    remote = QUICK | options.pop("remote", {})
    encoder = load_document_encoder(model, url=stub.url, remote_options=remote, **options)
    assert isinstance(encoder, RemoteDocumentEncoder)
    return encoder


@pytest.fixture
def remote(stub: EncoderStub) -> Iterator[RemoteDocumentEncoder]:
    with load(stub) as encoder:
        yield encoder


def assert_equal(ones: Sequence[Mapping[str, float]], others: Sequence[Mapping[str, float]]) -> None:
    assert len(ones) == len(others)
    for one, other in zip(ones, others, strict=True):
        assert one.keys() == other.keys()
        assert dict(one) == pytest.approx(dict(other), abs=1e-6)


def test_vectors_equal_those_of_this_process(remote: RemoteDocumentEncoder, local: DocumentEncoder) -> None:
    assert isinstance(remote, DocumentEncoder)
    texts = [*ODD_TEXTS, "half of a pair: \ud83d"]
    assert_equal(remote.encode_documents(texts), local.encode_documents(texts))
    assert (remote.max_length, remote.max_active_dims) == (local.max_length, local.max_active_dims)
    assert remote.files.weights_sha256 == local.files.weights_sha256
    assert remote.files.query_sha256 == local.files.query_sha256


@pytest.mark.parametrize("kind", STUBS)
@given(texts=st.lists(st.text(max_size=60), max_size=8))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_vectors_of_any_texts_equal_those_of_this_process(kind: str, local: DocumentEncoder, texts: list[str]) -> None:
    with STUBS[kind](local) as stub, load(stub, remote={"batch_size": 3}) as remote:
        assert_equal(remote.encode_documents(texts), local.encode_documents(texts))


def test_weights_are_not_needed_here(local: DocumentEncoder, without_weights: Path) -> None:
    with OwnStub(local) as stub, load(stub, without_weights) as remote:
        assert_equal(remote.encode_documents(SENTENCES), local.encode_documents(SENTENCES))
        assert remote.files.weights_sha256 == WEIGHTS
    with TeiStub(local) as stub:
        with pytest.raises(NeuralSparseError, match=r"remote_options=.'weights_sha256'.*or download the weights once"):
            load(stub, without_weights)
        with load(stub, without_weights, remote={"weights_sha256": WEIGHTS}) as remote:
            assert remote.files.weights_sha256 == WEIGHTS


def test_texts_travel_in_several_requests_and_keep_their_order(
    remote: RemoteDocumentEncoder, stub: EncoderStub, local: DocumentEncoder
) -> None:
    counts: list[int] = []
    with load(stub, remote={"batch_size": 3, "in_flight": 3}) as remote:
        vectors = remote.encode_documents([*SENTENCES, " "], progress=counts.append)
    assert_equal(vectors, local.encode_documents([*SENTENCES, ""]))
    assert sorted(stub.requests) == [2, 3, 3, 3, 3, 3, 3]
    assert counts == [1, 3, 3, 3, 3, 3, 3, 2]
    assert 1 < stub.most_at_once <= 3


def test_long_texts_travel_in_smaller_requests(stub: EncoderStub) -> None:
    with load(stub, remote={"batch_characters": 100, "in_flight": 1}) as remote:
        remote.encode_documents(["a" * 40, "b" * 40, "c" * 40, "d" * 300, "e"])
    assert stub.requests == [2, 1, 1, 1]


def test_blank_texts_are_not_sent(remote: RemoteDocumentEncoder, stub: EncoderStub) -> None:
    assert remote.encode_documents(["", " \n"]) == [{}, {}]
    assert remote.encode_documents([]) == []
    assert stub.requests == []


def test_the_key_travels_in_a_header_alone(local: DocumentEncoder, stub: EncoderStub) -> None:
    stub.key = "s3cret"
    with load(stub, api_key="s3cret") as remote:
        remote.encode_documents(SENTENCES)
        assert set(stub.auth) == {"Bearer s3cret"}
        assert "s3cret" not in repr(vars(remote))
    with pytest.raises(RemoteEncoderError, match=r"status 401.*Give its key as api_key") as raised:
        load(stub, api_key="other")
    assert "other" not in str(raised.value).replace("another", "")
    assert (raised.value.status, raised.value.of_texts) == (401, False)


@pytest.mark.parametrize("fault", [Fault.UNAVAILABLE, Fault.RESET, Fault.CUT, Fault.PAGE])
def test_temporary_failures_are_retried(
    fault: Fault, remote: RemoteDocumentEncoder, stub: EncoderStub, local: DocumentEncoder
) -> None:
    stub.faults += [fault, fault]
    assert_equal(remote.encode_documents(SENTENCES), local.encode_documents(SENTENCES))
    assert len(stub.requests) == 3


def test_busy_encoder_is_asked_again_when_it_says(stub: EncoderStub, local: DocumentEncoder) -> None:
    stub.faults += [Fault.BUSY]
    with load(stub, remote={"max_backoff": 5.0}) as remote:
        assert_equal(remote.encode_documents(SENTENCES), local.encode_documents(SENTENCES))
    assert stub.times[1] - stub.times[0] >= 1.0


def test_slow_encoder_is_asked_again(stub: EncoderStub, local: DocumentEncoder) -> None:
    stub.faults += [Fault.SLOW]
    with load(stub, remote={"timeout": 0.8}) as remote:
        assert_equal(remote.encode_documents(SENTENCES[:2]), local.encode_documents(SENTENCES[:2]))
        stub.faults += [Fault.SLOW]
        remote.options = RemoteOptions(**QUICK)
    assert len(stub.requests) == 2


def test_answer_that_drips_ends_after_the_timeout() -> None:
    options = {"timeout": 0.5, "max_retries": 1, "initial_backoff": 0.01}
    began = monotonic()
    with (
        SlowServer(answer(b"{}" + b" " * 200), seconds_a_byte=0.2) as server,
        pytest.raises(RemoteEncoderError, match=r"did not answer within 0\.5 s, 2 times"),
    ):
        load_document_encoder(SMALL_MODEL, url=server.url, remote_options=options)
    assert monotonic() - began < 10


@pytest.mark.parametrize(
    ("fault", "reason"),
    [(Fault.UNAVAILABLE, "status 503"), (Fault.RESET, "did not answer"), (Fault.PAGE, "something else than JSON")],
)
def test_lasting_failure_is_raised_after_the_retries(fault: Fault, reason: str, stub: EncoderStub) -> None:
    with load(stub, remote={"max_retries": 2, "in_flight": 1}) as remote:
        stub.faults += [fault] * 10
        with pytest.raises(RemoteEncoderError, match=reason) as raised:
            remote.encode_documents(SENTENCES)
    assert len(stub.requests) == 3
    assert not raised.value.of_texts
    assert SENTENCES[0] not in str(raised.value)


@pytest.mark.parametrize(
    ("fault", "reason", "of_texts"),
    [
        (Fault.ONE_LESS, "answered 20 texts with 19 vectors", False),
        (Fault.NOT_FINITE, "weight that is no .*finite number", True),
        (Fault.FOREIGN, "outside the model's vocabulary of 30522 tokens", False),
        (Fault.UNAUTHORISED, "status 401", False),
    ],
)
def test_unfit_answers_are_refused(
    fault: Fault, reason: str, of_texts: bool, remote: RemoteDocumentEncoder, stub: EncoderStub
) -> None:
    stub.faults += [fault]
    with pytest.raises(RemoteEncoderError, match=reason) as raised:
        remote.encode_documents(SENTENCES)
    assert raised.value.of_texts is of_texts
    assert stub.requests == [20]


def test_weights_below_zero_are_dropped_or_refused(local: DocumentEncoder) -> None:
    with TeiStub(local) as stub, load(stub) as remote:
        stub.faults += [Fault.NEGATIVE]
        assert_equal(remote.encode_documents(SENTENCES), local.encode_documents(SENTENCES))
    with OwnStub(local) as own, load(own) as remote:
        own.faults += [Fault.NEGATIVE]
        with pytest.raises(RemoteEncoderError, match="no positive finite number"):
            remote.encode_documents(SENTENCES)


def test_requests_that_are_too_large_are_halved(stub: EncoderStub, local: DocumentEncoder) -> None:
    with load(stub) as remote:
        stub.most_texts = 3
        assert_equal(remote.encode_documents(SENTENCES[:8]), local.encode_documents(SENTENCES[:8]))
    assert stub.requests == [8, 4, 2, 2, 4, 2, 2]


def test_batches_keep_to_what_the_encoder_takes(stub: EncoderStub) -> None:
    stub.most_texts = 7
    with load(stub, remote={"in_flight": 1}) as remote:
        remote.encode_documents(SENTENCES)
    assert stub.requests == [7, 7, 6]


def test_refused_text_is_named_by_place_and_length(stub: EncoderStub) -> None:
    stub.refused = "poison"
    texts = [*SENTENCES[:5], "this is poison", *SENTENCES[5:]]
    with load(stub) as remote, pytest.raises(RemoteEncoderError) as raised:
        remote.encode_documents(texts)
    message = str(raised.value)
    assert "status 422" in message
    assert "text 6 of 21 has 14 characters" in message
    assert "this is poison" not in message
    assert raised.value.of_texts


def test_text_beyond_the_limit_of_the_service_is_not_sent(local: DocumentEncoder) -> None:
    with OwnStub(local) as stub, load(stub) as remote:
        with pytest.raises(RemoteEncoderError, match=r"up to 1,000,000 characters; text 2 of 2 has 1,000,001"):
            remote.encode_documents(["a", "b" * 1_000_001])
        assert stub.requests == []


def test_cut_texts_are_warned_of_and_counted(remote: RemoteDocumentEncoder, local: DocumentEncoder) -> None:
    texts = ["short", "long " * 2000]
    messages = []
    for encoder in (local, remote):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", TruncationWarning)
            encoder.encode_documents(texts)
        messages += [str(warning.message) for warning in caught]
    assert len(messages) == 2
    assert messages[0] == messages[1]
    assert remote.truncations.texts == 1


def test_heaviest_tokens_are_kept_where_fewer_are_asked_for(stub: EncoderStub, local: DocumentEncoder) -> None:
    with load(stub, max_active_dims=5) as remote:
        assert remote.max_active_dims == 5
        for vector, whole in zip(remote.encode_documents(SENTENCES), local.encode_documents(SENTENCES), strict=True):
            assert dict(vector) == pytest.approx(dict(whole.top(5)), abs=1e-6)


def test_pickled_and_copied_encoders_encode(remote: RemoteDocumentEncoder, local: DocumentEncoder) -> None:
    remote.encode_documents(SENTENCES[:2])
    for twin in (pickle.loads(pickle.dumps(remote)), copy.deepcopy(remote)):
        assert_equal(twin.encode_documents(SENTENCES), local.encode_documents(SENTENCES))
        twin.close()


def test_errors_can_be_pickled() -> None:
    error = RemoteEncoderError("http://a:1", "did not answer", status=503, of_texts=True, remedy="Look.")
    twin = pickle.loads(pickle.dumps(error))
    assert (str(twin), vars(twin)) == (str(error), vars(error))


def test_closed_encoder_is_not_used(remote: RemoteDocumentEncoder) -> None:
    remote.close()
    remote.close()
    with pytest.raises(NeuralSparseError, match=r"is closed. Load it again"):
        remote.encode_documents(SENTENCES)


def test_one_string_is_refused(remote: RemoteDocumentEncoder) -> None:
    with pytest.raises(TypeError, match="list of texts"):
        remote.encode_documents("a text")


def test_vectors_are_cached_on_disk(
    without_weights: Path, stub: EncoderStub, local: DocumentEncoder, tmp_path: Path
) -> None:
    with load(stub, without_weights, remote={"weights_sha256": WEIGHTS}) as remote:
        cached = CachedDocumentEncoder(remote, tmp_path / "vectors.sqlite")
        for _ in range(2):
            assert_equal(cached.encode_documents(SENTENCES), local.encode_documents(SENTENCES))
    assert stub.requests == [20]

"""A reranker behind HTTP."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from copy import deepcopy
from time import monotonic
from typing import Any

import pytest

from opensearch_neural_sparse import RemoteReranker, RemoteRerankerError
from tests.rerank.stub import RerankerStub
from tests.slow_server import SlowServer, answer

TEXTS = [f"text #{(place * 7) % 20}" for place in range(20)]
SCORES = [float((place * 7) % 20) for place in range(20)]


@pytest.fixture
def stub() -> Iterator[RerankerStub]:
    with RerankerStub(key="secret") as stub:
        yield stub


def reranker_of(stub: RerankerStub, **options: Any) -> RemoteReranker:
    return RemoteReranker(stub.url, **({"api_key": "secret", "max_retries": 0} | options))


def test_answer_that_drips_ends_after_the_timeout() -> None:
    began = monotonic()
    with (
        SlowServer(answer(b"[]" + b" " * 200), seconds_a_byte=0.2) as server,
        pytest.raises(RemoteRerankerError, match=r"did not answer within 0\.5 s"),
    ):
        RemoteReranker(server.url, timeout=0.5, max_retries=0).score("query", TEXTS)
    assert monotonic() - began < 10


def test_scores_come_in_the_order_of_the_texts_in_batches(stub: RerankerStub) -> None:
    reranker = reranker_of(stub, batch_size=8, raw_scores=True, truncate=False)
    assert reranker.score("query", TEXTS) == SCORES
    assert [len(body["texts"]) for body in stub.bodies] == [8, 8, 4]
    first = {name: value for name, value in stub.bodies[0].items() if name != "texts"}
    assert first == {"query": "query", "raw_scores": True, "truncate": False}
    assert pickle.loads(pickle.dumps(reranker)).score("query", TEXTS) == SCORES
    assert deepcopy(reranker) is reranker
    reranker.close()
    assert reranker.score("query", TEXTS) == SCORES


def test_busy_service_is_asked_again(stub: RerankerStub) -> None:
    stub.statuses += [429, 503]
    assert reranker_of(stub, max_retries=2).score("query", TEXTS) == SCORES
    assert len(stub.bodies) == 3


@pytest.mark.parametrize(
    ("options", "status", "problem"),
    [
        ({"api_key": "other"}, 401, "answered with status 401.* Give its key as api_key"),
        ({"batch_size": 50}, 413, "answered with status 413.* Lower batch_size"),
    ],
)
def test_refusal_is_an_error_with_the_way_out(
    stub: RerankerStub, options: dict[str, Any], status: int, problem: str
) -> None:
    with pytest.raises(RemoteRerankerError, match=problem) as refusal:
        reranker_of(stub, **options).score("query", TEXTS * 2)
    assert refusal.value.status == status
    assert refusal.value.url == stub.url
    assert "other" not in str(refusal.value)
    assert "#" not in str(refusal.value)


@pytest.mark.parametrize(
    "answer",
    [[], {}, [{"index": 0, "score": 1.0}], [{"index": 0}], [["a"]], [{"index": place} for place in range(20)], "text"],
    ids=["empty", "mapping", "one", "no-score", "lists", "no-scores", "text"],
)
def test_answer_without_a_score_for_each_text_is_an_error(stub: RerankerStub, answer: Any) -> None:
    stub.answer = answer
    with pytest.raises(RemoteRerankerError, match="did not answer with an index and a score for each of 20 texts"):
        reranker_of(stub).score("query", TEXTS)


def test_service_that_is_down_is_named() -> None:
    with RerankerStub() as stub:
        url = stub.url
    with pytest.raises(RemoteRerankerError, match=f"Reranker at {url} did not answer.*Is it running"):
        RemoteReranker(url, max_retries=0).score("query", TEXTS)


@pytest.mark.parametrize(
    ("url", "problem"),
    [("localhost", "address of a reranker"), ("http://user:pass@localhost", "url holds credentials")],
)
def test_wrong_address_is_refused(url: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem) as refusal:
        RemoteReranker(url)
    assert "pass@" not in str(refusal.value)

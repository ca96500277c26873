"""Which documents were written after a write began, by sequence numbers."""

from __future__ import annotations

from typing import Any

import pytest

from opensearch_neural_sparse import ServerRequestError
from opensearch_neural_sparse.store.bulk.lost_answers.sequence_floor import SequenceFloor
from opensearch_neural_sparse.transport.answers import Answer


def statistics(**highest: list[int]) -> dict[str, Any]:
    shards = {name[1:]: [{"seq_no": {"max_seq_no": each}} for each in copies] for name, copies in highest.items()}
    return {"indices": {"articles": {"shards": shards}}}


@pytest.mark.parametrize(
    ("seq_no", "shard", "later"),
    [
        (10, None, True),
        (9, None, None),
        (3, None, None),
        (2, None, False),
        (3, 0, True),
        (2, 0, False),
        (9, 1, False),
        (9, 7, None),
        (None, 0, None),
        ("10", 0, None),
    ],
)
def test_document_is_later_than_its_shard_was(seq_no: object, shard: int | None, later: bool | None) -> None:
    floor = SequenceFloor.of(statistics(_0=[2, 1], _1=[9]))
    assert floor is not None
    assert floor.is_later(seq_no, shard) is later


def test_empty_shard_is_below_every_document() -> None:
    floor = SequenceFloor.of(statistics(_0=[-1]))
    assert floor is not None
    assert floor.is_later(0) is True


@pytest.mark.parametrize(
    "answer",
    [
        None,
        ServerRequestError(403, "security_exception", "no permissions"),
        "page",
        {},
        Answer(),
        {"indices": {}},
        {"indices": {"a": {}}},
        {"indices": {"a": {"shards": {"x": []}}}},
        {"indices": {"a": {"shards": {"0": []}}}},
        {"indices": {"a": {"shards": {"0": [{}]}}}},
        {"indices": {"a": {"shards": {"0": [{"seq_no": {"max_seq_no": "many"}}]}}}},
        {"indices": {"a": {"shards": {}}, "b": {"shards": {}}}},
        {"indices": 7},
    ],
)
def test_answer_that_tells_nothing_is_no_floor(answer: Any) -> None:
    assert SequenceFloor.of(answer) is None

"""Torn results and lost documents are seen."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from opensearch_neural_sparse import SearchHit, SparseDocument, SparseVector
from tests.campaigns.concurrency.judge import Judge
from tests.campaigns.concurrency.ledger import Ledger
from tests.campaigns.concurrency.models import exact_score, vector_of

QUERIES: Mapping[str, Mapping[str, float]] = {"one": {"red": 2.5, "mars": 5.0}, "two": {"red": 5.5, "mars": 3.0}}


def hit(name: str, *, scored_by: str = "one", generation: str = "a") -> SearchHit:
    score = exact_score(QUERIES[scored_by], name)
    return SearchHit(id=name, score=score, model="one", metadata={"generation": generation})


@pytest.fixture
def judge() -> Judge:
    return Judge(QUERIES, lambda name: name != "unknown")


def test_hits_of_one_index_with_the_scores_of_its_model_are_whole(judge: Judge) -> None:
    assert judge.torn_hits([hit("1"), hit("2")], scored=True) == []


def test_score_of_another_model_is_torn(judge: Judge) -> None:
    assert "2 in" in judge.torn_hits([hit("1"), hit("2", scored_by="two")], scored=True)[0]
    assert judge.torn_hits([hit("2", scored_by="two")], scored=False) == []


def test_hits_of_two_indices_are_torn(judge: Judge) -> None:
    mixed = [hit("1"), hit("2", generation="b")]
    assert "2 indices" in judge.torn_hits(mixed, scored=True)[0]
    assert "2 indices" in judge.torn_hits(mixed, scored=False)[0]


def test_document_whose_write_was_reported_as_failed_tears_nothing(judge: Judge) -> None:
    assert judge.torn_hits([hit("1"), hit("unknown", scored_by="two", generation="b")], scored=True) == []


def test_document_with_the_vector_of_another_is_torn(judge: Judge) -> None:
    own, others = SparseVector(vector_of("1")), SparseVector(vector_of("2"))
    assert judge.torn_documents([SparseDocument(id="1", vector=own)]) == []
    assert judge.torn_documents([SparseDocument(id="1", vector=others)]) == ["1 has a vector of another"]


def written(*ids: str) -> Ledger:
    ledger = Ledger()
    ledger.begin("a", ids)
    ledger.written(ids)
    return ledger


def test_acknowledged_document_that_is_not_there_is_lost() -> None:
    assert written("1", "2").check("a", {"1": 0}) == ["2 was written and is lost"]
    assert written("1").check_under_way({"1"}, "a", []) == ["1 was written and is lost"]


def test_document_that_is_deleted_while_an_index_is_read_is_not_lost() -> None:
    ledger = written("1")
    ledger.deleting("1")
    assert ledger.check_under_way({"1"}, "a", []) == []


def test_deleted_document_that_is_there_and_old_value_are_seen() -> None:
    ledger = written("1", "2")
    ledger.deleting("1")
    ledger.deleted("1", 1)
    ledger.updating("2", 5)
    assert ledger.check("a", {"2": 0}) == []
    ledger.updated("2", 5)
    assert ledger.check("a", {"1": 0, "2": 0}) == ["1 was deleted and is there", "2 holds 0, not one of [5]"]


def test_document_of_another_index_is_seen_where_its_write_was_acknowledged() -> None:
    ledger = written("1")
    ledger.begin("a", ["2"])
    assert ledger.check("b", {"1": 0, "2": 0}) == ["1 was acknowledged in another index"]


def test_nothing_is_known_of_a_write_that_failed() -> None:
    ledger = Ledger()
    ledger.begin("a", ["1"])
    assert ledger.check("a", {}) == ledger.check("a", {"1": 0}) == []

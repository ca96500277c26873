from __future__ import annotations

from math import nan

from opensearch_neural_sparse.mcp_server.answers import Leg, Match, Passage, documents, found, hit_of
from opensearch_neural_sparse.search.results.chunk_hit import ChunkHit
from opensearch_neural_sparse.search.results.hits import SearchHit, SearchHits
from opensearch_neural_sparse.search.results.leg_scores import LegScore
from opensearch_neural_sparse.search.results.token_matches import TokenMatch


def test_a_hit_keeps_what_an_agent_reads() -> None:
    hit = hit_of(
        SearchHit(
            id="1",
            score=2.0,
            text="a text",
            metadata={"year": 2020},
            source={"sparse_vector": {"text": 1.0}},
            matches=(TokenMatch(token="text", query_weight=1.0, document_weight=2.0, score=2.0),),
            legs={"sparse": LegScore(score=2.0, rank=1)},
            chunk=ChunkHit(number=0, start=2, end=6, text="text", score=2.0),
        )
    )
    assert (hit.id, hit.score, hit.text, hit.metadata) == ("1", 2.0, "a text", {"year": 2020})
    assert hit.passage == Passage(start=2, end=6)
    assert hit.matches == [Match(token="text", score=2.0)]
    assert hit.legs == {"sparse": Leg(score=2.0, rank=1)}


def test_a_score_that_json_does_not_have_is_none() -> None:
    assert hit_of(SearchHit(id="1", score=nan)).score is None


def test_what_was_not_asked_for_is_none() -> None:
    hit = hit_of(SearchHit(id="1", score=1.0))
    assert (hit.passage, hit.matches, hit.legs) == (None, None, None)


def test_hits_come_with_their_number_and_notes() -> None:
    answer = found(SearchHits([SearchHit(id="1", score=1.0)], total=7, total_is_exact=False), ["a note"])
    assert ([hit.id for hit in answer.hits], answer.total, answer.total_is_exact) == (["1"], 7, False)
    assert answer.notes == ["a note"]


def test_documents_come_in_the_order_of_their_ids_each_once() -> None:
    hits = [SearchHit(id="a", score=0.0, text="A"), SearchHit(id="b", score=0.0)]
    answer = documents(hits, ["b", "x", "a", "b"])
    assert [(row.id, row.text) for row in answer.documents] == [("b", None), ("a", "A")]
    assert answer.missing == ["x"]

from typing import Any

import pytest

from opensearch_neural_sparse import IndexSchema, PartialResultsError, SearchHit
from opensearch_neural_sparse.search.results.hits import parse_hits
from opensearch_neural_sparse.search.results.token_matches import match_tokens

SOURCE = {
    "id": "1",
    "content": "SECRET text",
    "sparse_vector": {"hello": 1.5, "world": 0.5},
    "sparse_vector_model": "m@1",
    "embedding": [0.5],
    "year": 2026,
    "meta": {"id": "x"},
}


def response(**changes: Any) -> dict[str, Any]:
    hit = {"_id": "1", "_index": "i-1", "_score": 3.0, "_source": SOURCE}
    whole = {
        "took": 5,
        "timed_out": False,
        "_shards": {"total": 2, "successful": 2, "failed": 0},
        "hits": {"total": {"value": 10_000, "relation": "gte"}, "hits": [hit]},
    }
    return whole | changes


@pytest.mark.parametrize(
    ("relation", "fusion", "exact"), [("eq", None, True), ("gte", None, False), ("eq", "server rrf", False)]
)
def test_total_is_exact_where_the_server_counted_and_did_not_fuse(relation: str, fusion: str, exact: bool) -> None:
    hits = parse_hits(
        response(hits={"total": {"value": 7, "relation": relation}, "hits": []}), IndexSchema(), fusion=fusion
    )
    assert (hits.total, hits.total_is_exact) == (7, exact)


def test_hit_holds_the_parts_of_the_document() -> None:
    hits = parse_hits(response(), IndexSchema(), fusion="server rrf")
    assert (hits.total, hits.total_is_exact, hits.took_ms, hits.fusion) == (10_000, False, 5, "server rrf")
    (hit,) = hits
    assert hit == SearchHit(
        id="1",
        score=3.0,
        text="SECRET text",
        metadata={"year": 2026, "id": "x"},
        source=SOURCE,
        index="i-1",
        model="m@1",
        embedding=[0.5],
    )


def test_repr_of_a_hit_has_id_score_and_text_and_no_metadata_or_vector() -> None:
    (hit,) = parse_hits(response(), IndexSchema())
    assert repr(hit) == "SearchHit(id='1', score=3.0000, text='SECRET text')"


def test_matches_are_told_heaviest_first() -> None:
    (hit,) = parse_hits(response(), IndexSchema(), explained={"world": 8.0, "hello": 2.0, "other": 1.0})
    assert hit.matches is not None
    assert [(m.token, m.query_weight, m.document_weight, m.score) for m in hit.matches] == [
        ("world", 8.0, 0.5, 4.0),
        ("hello", 2.0, 1.5, 3.0),
    ]
    assert hit.explain().splitlines()[2:] == [
        "    4.0000 =   8.0000 x   0.5000  world",
        "    3.0000 =   2.0000 x   1.5000  hello",
    ]


def test_matches_use_the_weights_that_the_index_keeps() -> None:
    (match,) = match_tokens({"a": 2.0}, {"a": 0.3})
    assert match.document_weight == 0.2998046875
    assert match.score == 0.599609375


def test_hit_without_an_explanation_says_how_to_get_one() -> None:
    (hit,) = parse_hits(response(), IndexSchema())
    with pytest.raises(ValueError, match="explain=True"):
        hit.explain()


def test_failed_shards_are_an_error_without_field_values() -> None:
    reason = {"type": "x", "reason": 'failed to create query: For input string: "SECRET"'}
    shards = {"total": 2, "successful": 1, "failed": 1, "failures": [{"shard": 0, "reason": reason}]}
    with pytest.raises(PartialResultsError, match=r"1 of 2 shards did not answer.*failed to create query") as error:
        parse_hits(response(_shards=shards), IndexSchema())
    assert "SECRET" not in str(error.value) + repr(error.value.failures)


def test_search_that_timed_out_is_an_error() -> None:
    with pytest.raises(PartialResultsError, match="timed out"):
        parse_hits(response(timed_out=True), IndexSchema())

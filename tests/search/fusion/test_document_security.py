"""Scores to which document-level security adds."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from opensearch_neural_sparse.search.fusion.document_security import (
    added_score_body,
    read_added_score,
    without_added_score,
)
from opensearch_neural_sparse.search.options.refinements.collapse import GROUP

WHOLE = st.integers(0, 5).map(float)
SCORES = st.lists(st.one_of(st.none(), st.integers(0, 1000).map(float)), max_size=5)


def response_of(scores: list[float | None], *, grouped: bool) -> dict[str, Any]:
    hits: list[dict[str, Any]] = [{"_id": str(number), "_score": score} for number, score in enumerate(scores)]
    if grouped:
        for hit in hits:
            passage = {"hits": {"hits": [{"_id": hit["_id"], "_score": 7.0}]}}
            hit["inner_hits"] = {GROUP: {"hits": {"hits": [dict(hit)]}}, "chunks": passage}
    return {"took": 1, "hits": {"hits": hits}}


@given(scores=SCORES, added=WHOLE, grouped=st.booleans())
def test_what_was_added_is_taken_off_hits_and_groups_and_not_off_chunks(
    scores: list[float | None], added: float, grouped: bool
) -> None:
    plain = response_of(scores, grouped=grouped)
    sent = response_of([None if score is None else score + added for score in scores], grouped=grouped)
    before = deepcopy(sent)
    assert without_added_score(sent, added) == plain
    assert sent == before


@given(added=WHOLE)
def test_what_was_added_is_read_off_a_hit_that_scores_one(added: float) -> None:
    assert read_added_score(response_of([1.0 + added], grouped=False)) == added
    assert read_added_score(response_of([], grouped=False)) is None
    assert "sort" not in added_score_body(lowest=False)

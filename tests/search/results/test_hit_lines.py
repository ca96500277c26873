"""Hits as short lines of text."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from opensearch_neural_sparse import SearchHit, SearchHits
from opensearch_neural_sparse.search.results.hit_lines import MOST_HITS

HITS = SearchHits(
    [SearchHit(id="1", score=0.03279, text="A heart\nbeats."), SearchHit(id="2", score=0.5)],
    total=10_000,
    total_is_exact=False,
    took_ms=5,
    fusion="server rrf",
)


def test_hits_are_a_summary_and_a_line_each() -> None:
    assert repr(HITS).splitlines() == [
        "<SearchHits: 2 of 10,000 or more documents, 5 ms, fused by server rrf>",
        "  1  0.0328  '1'  'A heart beats.'",
        "  2  0.5000  '2'",
    ]
    assert str(HITS) == repr(HITS)


def test_no_hits_are_one_line() -> None:
    assert repr(SearchHits()) == "<SearchHits: 0 of 0 documents, 0 ms>"


def test_hits_of_failed_shards_say_so() -> None:
    assert "some shards failed" in repr(SearchHits(failures=[{"shard": 0}]))


def test_many_hits_are_counted_not_shown() -> None:
    many = SearchHits((SearchHit(id=f"{n}", score=1.0) for n in range(MOST_HITS + 1_200)), total=1_250)
    lines = repr(many).splitlines()
    assert len(lines) == MOST_HITS + 2
    assert lines[-1] == "... and 1,200 more"


def test_a_long_text_is_shortened() -> None:
    hit = SearchHit(id="1", score=1.0, text="heart " * 1_000)
    assert len(repr(hit)) < 130
    assert repr(hit).endswith("...')")
    assert repr(SearchHit(id="1", score=1.0, text=" " * 1_000 + "end")).endswith("text='...')")


@given(st.text(st.characters(), max_size=200), st.text(st.characters(), max_size=20))
def test_a_hit_of_any_text_is_one_printable_line(text: str, name: str) -> None:
    shown = repr(SearchHit(id=name, score=1.0, text=text))
    assert len(shown.splitlines()) == 1
    assert shown.isprintable()
    shown.encode("utf-8")


def test_a_score_that_is_a_fraction_is_shown() -> None:
    assert "score=0.3333" in repr(SearchHit(id="a", score=Fraction(1, 3)))  # type: ignore[arg-type]
    assert "0.3333" in repr(SearchHits([SearchHit(id="a", score=Fraction(1, 3))]))  # type: ignore[arg-type]

"""Hits as a table of HTML: readable, accessible, and of no harm whatever documents hold."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensearch_neural_sparse import ChunkHit, LegScore, SearchHit, SearchHits, TokenMatch
from opensearch_neural_sparse.search.results.hit_lines import MOST_HITS
from opensearch_neural_sparse.search.results.hit_table import LONGEST_TEXT

TAGS = {"div", "table", "caption", "thead", "tbody", "tr", "th", "td", "mark"}
ATTRIBUTES = {"class", "style", "scope", "dir", "title"}
NOTHING = "\N{EN DASH}"
HOSTILE = [
    "<script>alert(1)</script>",
    '" onmouseover="alert(1)',
    "' autofocus onfocus='alert(1)",
    "</td></table><img src=x onerror=alert(1)>",
    "</mark><style>*{display:none}</style>",
    "&lt;script&gt;",
    "<!-- ",
    "]]>",
    "\ud800",
    "\x00<b>",
]


class Page(HTMLParser):
    """Elements, attributes, and texts of cells; fails on what is not closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.rows: list[list[str]] = []
        self.marked: list[str] = []
        self.caption = ""
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
        elif tag == "mark":
            self.marked.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "mark" in self.open:
            self.marked[-1] += data
        if "td" in self.open or "th" in self.open:
            self.rows[-1][-1] += data
        elif "caption" in self.open:
            self.caption += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    def handle_decl(self, decl: str) -> None:
        raise AssertionError(decl)


def match(token: str, score: float = 1.5) -> TokenMatch:
    return TokenMatch(token=token, query_weight=score, document_weight=1.0, score=score)


def page(*hits: SearchHit, **options: int) -> Page:
    return Page(SearchHits(hits, **options)._repr_html_())


HEART = SearchHit(id="a", score=0.03279, text="A heart beats.", matches=(match("heart"),))


def test_a_table_has_rank_id_score_and_the_text_with_marked_tokens() -> None:
    found = page(HEART, SearchHit(id="b", score=0.01), total=7, took_ms=3)
    assert found.caption == "2 of 7 documents, 3 ms"
    assert found.rows == [
        ["Rank", "Id", "Score", "Text"],
        ["1", "a", "0.0328", "A heart beats."],
        ["2", "b", "0.0100", NOTHING],
    ]
    assert found.marked == ["heart"]
    assert ("title", "heart: 1.5000") in found.attributes


def test_a_search_without_an_explanation_marks_nothing() -> None:
    found = page(replace(HEART, matches=None))
    assert found.marked == []
    assert found.rows[1][-1] == "A heart beats."


def test_legs_of_a_hybrid_search_are_columns() -> None:
    both = {"bm25": LegScore(score=3.25, rank=1), "sparse": LegScore(score=7.0)}
    found = page(replace(HEART, legs=both), replace(HEART, id="b", legs={"sparse": LegScore(score=2.0, rank=4)}))
    assert found.rows == [
        ["Rank", "Id", "Score", "bm25", "sparse", "Text"],
        ["1", "a", "0.0328", "rank 1, 3.2500", "no rank, 7.0000", "A heart beats."],
        ["2", "b", "0.0328", NOTHING, "rank 4, 2.0000", "A heart beats."],
    ]


def test_reranked_hits_show_the_score_of_their_search() -> None:
    found = page(replace(HEART, score=0.9, rerank_score=0.9, search_score=12.0), replace(HEART, score=float("nan")))
    assert [row[1:4] for row in found.rows] == [
        ["Id", "Score", "Search score"],
        ["a", "0.9000", "12.0000"],
        ["a", NOTHING, NOTHING],
    ]


def test_one_hit_is_a_table_without_a_rank() -> None:
    assert Page(HEART._repr_html_()).rows == [["Id", "Score", "Text"], ["a", "0.0328", "A heart beats."]]


def test_no_hits_are_a_table_of_a_caption_and_heads() -> None:
    found = page()
    assert (found.caption, found.rows) == ("0 of 0 documents, 0 ms", [["Rank", "Id", "Score", "Text"]])


def test_many_hits_are_counted_not_shown() -> None:
    found = page(*[replace(HEART, id=str(n)) for n in range(MOST_HITS + 5)], total=99)
    assert len(found.rows) == MOST_HITS + 1
    assert found.caption == f"{MOST_HITS + 5} of 99 documents, 0 ms ... and 5 more"


def test_a_long_text_is_shown_from_shortly_before_its_first_match() -> None:
    text = "lorem ipsum " * 300 + "a heart beats " + "dolor sit " * 300
    found = page(replace(HEART, text=text))
    shown = found.rows[1][-1]
    assert found.marked == ["heart"]
    assert shown.startswith("... ")
    assert shown.endswith(" ...")
    assert shown[4:-4] in text
    assert len(shown) <= LONGEST_TEXT + 8


def test_a_long_text_without_a_match_is_shown_from_its_beginning() -> None:
    shown = page(SearchHit(id="1", score=1.0, text="x" * 5_000)).rows[1][-1]
    assert shown == "x" * LONGEST_TEXT + " ..."


def test_of_a_document_in_chunks_the_one_that_was_found_is_shown() -> None:
    text = "A heart rests. A heart beats. It stops."
    chunk = ChunkHit(number=1, start=15, end=29, score=1.0)
    found = page(replace(HEART, text=text, chunk=chunk))
    assert found.rows[1][-1] == "... A heart beats. ..."
    assert found.marked == ["heart"]


def test_a_table_names_its_heads_and_rows_for_screen_readers() -> None:
    html = SearchHits([HEART])._repr_html_()
    assert html.count('<th scope="col"') == 4
    assert html.count('<th scope="row"') == 1
    assert html.count("<caption") == 1


def test_colours_are_those_of_the_page_but_for_marks_that_set_both() -> None:
    styles = [value for name, value in page(HEART).attributes if name == "style" and "color" in value]
    assert styles == ["background-color:#ffe58f;color:#000"]


def test_texts_between_dollars_are_not_set_as_formulas() -> None:
    assert ("class", "tex2jax_ignore mathjax_ignore") in page(replace(HEART, text="$5 or $6")).attributes


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_ids_tokens_and_names_stay_texts(text: str) -> None:
    hit = SearchHit(
        id=text,
        score=1.0,
        text=f"{text} heart",
        matches=(match("heart"), match(text)),
        legs={text: LegScore(score=1.0)},
    )
    harmless(hit, text)


@given(st.text(st.characters(), max_size=60), st.text(st.characters(), max_size=8))
def test_any_text_stays_a_text(text: str, token: str) -> None:
    hit = SearchHit(id=text, score=1.0, text=text, matches=(match(token),), legs={text: LegScore(score=1.0, rank=1)})
    harmless(hit, text)


@given(st.lists(st.sampled_from(["<", ">", "&", '"', "'", "heart", " ", "script", "/", "=", "-", "!"]), max_size=30))
def test_any_markup_stays_a_text(parts: list[str]) -> None:
    text = "".join(parts)
    tokens = tuple(match(one) for one in sorted({*parts, text}))
    harmless(SearchHit(id=text, score=1.0, text=text, matches=tokens, legs={text: LegScore(score=1.0)}), text)


def harmless(hit: SearchHit, text: str) -> None:
    html = SearchHits([hit], fusion=text)._repr_html_()
    html.encode("utf-8")
    found = Page(html)
    assert found.tags <= TAGS
    assert {name for name, _ in found.attributes} <= ATTRIBUTES
    assert "url(" not in "".join(value for name, value in found.attributes if name == "style")
    sent = text.encode("utf-8", "replace").decode()
    assert found.rows[1][1] == sent
    assert found.rows[0][3] == sent
    assert found.rows[1][-1].startswith(sent)

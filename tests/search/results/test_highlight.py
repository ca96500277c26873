"""Texts with the tokens that matched, as HTML."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from opensearch_neural_sparse import LegScore, SearchHit, SparseTokenizer, TokenMatch, resolve_files
from opensearch_neural_sparse.models.registry import get_model
from opensearch_neural_sparse.search.results.chunk_hit import ChunkHit
from opensearch_neural_sparse.search.results.highlight import highlight
from tests.paths import SMALL_MODEL
from tests.sparse_encoders import ROBERTA_SPECIAL, train_tokenizer


def match(token: str, score: float) -> TokenMatch:
    return TokenMatch(token=token, query_weight=score, document_weight=1.0, score=score)


def mark(token: str, score: float, text: str) -> str:
    return f'<mark title="{token}: {score:.4f}">{text}</mark>'


HIT = SearchHit(id="1", score=3.0, text="A <b>Heart</b> & café", matches=(match("heart", 2.5), match("cafe", 0.5)))


def test_matched_words_are_marked_and_everything_is_escaped() -> None:
    heart, cafe = mark("heart", 2.5, "Heart"), mark("cafe", 0.5, "café")
    assert HIT.to_html() == f"A &lt;b&gt;{heart}&lt;/b&gt; &amp; {cafe}"


def test_token_in_a_title_is_escaped() -> None:
    assert highlight('say "', {'"': 1.0}) == 'say <mark title="&quot;: 1.0000">&quot;</mark>'


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        (["em", "##bed", "##ding"], mark("em", 1, "Em") + mark("##bed", 1, "bed") + mark("##ding", 1, "ding")),
        (["em", "##bed"], "Embedding"),
        (["embed"], "Embedding"),
        (["##bed"], "Embedding"),
        (["embedding", "em", "##bed", "##ding"], mark("embedding", 1, "Embedding")),
    ],
)
def test_word_is_marked_where_matched_pieces_make_up_all_of_it(tokens: list[str], expected: str) -> None:
    assert highlight("Embedding", dict.fromkeys(tokens, 1.0)) == expected


def test_characters_that_grow_when_small_move_nothing() -> None:
    assert highlight("İİ heart ß", {"heart": 1.0}) == f"İİ {mark('heart', 1, 'heart')} ß"


def test_tokenizer_knows_the_places_of_pieces() -> None:
    tokenizer = SparseTokenizer.from_file(resolve_files(get_model(SMALL_MODEL)).query_tokenizer)
    text = "Neurotransmitters & <b>"
    places = tokenizer.token_places(text)
    pieces = [(token, text[start:end]) for token, start, end in places if token.startswith("##")]
    assert pieces
    assert all(token.removeprefix("##") == part for token, part in pieces)
    token, part = pieces[0]
    assert mark(token, 1.0, part) in highlight(text, {token: 1.0}, tokenizer)
    assert highlight(text, {}, tokenizer) == "Neurotransmitters &amp; &lt;b&gt;"


def test_tokens_are_marked_in_the_chunk_that_was_found() -> None:
    chunk = ChunkHit(number=1, start=6, end=11, score=1.0)
    hit = SearchHit(id="1", score=1.0, text="heart heart <heart", matches=(match("heart", 1.0),), chunk=chunk)
    assert hit.to_html() == f"heart {mark('heart', 1.0, 'heart')} &lt;heart"


def test_hit_without_an_explanation_has_nothing_to_mark() -> None:
    with pytest.raises(ValueError, match="explain=True"):
        replace(HIT, matches=None).to_html()
    assert replace(HIT, text=None).to_html() == ""


def test_explanation_of_a_hybrid_search_tells_its_legs() -> None:
    legs = {"bm25": LegScore(score=3.25, rank=2), "sparse": LegScore(score=1.5)}
    lines = replace(HIT, legs=legs).explain().splitlines()
    assert lines[:3] == ["1  score 3.0000", "bm25: rank 2, score 3.2500", "sparse: no rank, score 1.5000"]


@pytest.mark.parametrize(
    ("splitting", "scores", "marked"),
    [
        ("byte-bpe", {"Ġred": 1.0, "Mars": 1.0}, "<mark>Mars</mark> is the <mark>red</mark> planet"),
        ("unigram", {"▁re": 1.0, "d": 1.0}, "Mars is the <mark>re</mark><mark>d</mark> planet"),
    ],
)
def test_the_space_of_a_word_stays_outside_of_its_mark(splitting: Any, scores: dict[str, float], marked: str) -> None:
    pytest.importorskip("transformers")
    tokenizer = SparseTokenizer(train_tokenizer(splitting, ROBERTA_SPECIAL).backend_tokenizer)
    text = highlight("Mars is the red planet", scores, tokenizer)
    assert re.sub(' title="[^"]*"', "", text) == marked


@pytest.mark.parametrize(
    ("scores", "marked"),
    [
        ({"Ġred": 1.0, "Mars": 1.0, "cafÃ©": 1.0}, "<mark>Mars</mark> is (<mark>red</mark>) <mark>café</mark> redder"),
        ({"Ġc": 1.0, "afÃ©": 1.0}, "Mars is (red) <mark>c</mark><mark>afé</mark> redder"),
        ({"▁red": 1.0, "der": 1.0}, "Mars is (<mark>red</mark>) café <mark>red</mark><mark>der</mark>"),
    ],
)
def test_words_are_marked_by_tokens_of_other_tokenizers(scores: dict[str, float], marked: str) -> None:
    text = re.sub(' title="[^"]*"', "", highlight("Mars is (red) café redder", scores))
    assert text == marked

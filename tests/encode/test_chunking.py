from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opensearch_neural_sparse.encode.chunking import ChunkOptions, chunk_text
from opensearch_neural_sparse.encode.tokenizer import SparseTokenizer
from tests.encode.texts import ODD_TEXTS
from tests.paths import SMALL_MODEL

TOKENIZER = SparseTokenizer.from_file(SMALL_MODEL / "document_0_MLMTransformer" / "tokenizer.json")
ODD_WORDS = (
    "the of rain, (Hi) don't unbelievably Straße 日本語 a\u0301 42 \U0001f600 \x00 electroencephalography \u2028"
)
WORDS = st.sampled_from(ODD_WORDS.split(" "))
TEXTS = st.lists(WORDS, max_size=120).map(" ".join) | st.sampled_from(ODD_TEXTS) | st.text(max_size=80)
OPTIONS = st.integers(4, 60).flatmap(
    lambda tokens: st.builds(ChunkOptions, tokens=st.just(tokens), overlap=st.integers(0, tokens // 2))
)


def chunks_of(text: str, options: ChunkOptions):
    return chunk_text(text, TOKENIZER, document_id="d", options=options)


@settings(max_examples=200)
@given(TEXTS, OPTIONS)
def test_passages_hold_every_token_in_order_and_keep_to_their_length(text: str, options: ChunkOptions):
    chunks = chunks_of(text, options)
    spans = TOKENIZER.token_spans(text)
    assert bool(chunks) == bool(spans)
    for number, chunk in enumerate(chunks):
        assert (chunk.id, chunk.number) == (f"d#{number}", number)
        assert chunk.text == text[chunk.start : chunk.end]
        assert len(TOKENIZER.token_spans(chunk.text)) <= options.tokens
    for one, other in pairwise(chunks):
        assert one.start <= other.start
        assert one.end <= other.end
    for start, end in spans:
        assert any(chunk.start <= start and end <= chunk.end for chunk in chunks)


def test_cuts_go_to_the_beginning_of_a_word():
    text = "electroencephalography is unbelievably useful " * 20
    for chunk in chunks_of(text, ChunkOptions(tokens=20, overlap=5)):
        assert set(chunk.text.split()) <= set(text.split())


def test_neighbours_share_about_the_overlap():
    text = "one two three four five six seven eight nine ten " * 10
    chunks = chunks_of(text, ChunkOptions(tokens=20, overlap=5))
    assert len(chunks) > 4
    for one, other in pairwise(chunks):
        assert len(text[other.start : one.end].split()) == 5


def test_without_overlap_nothing_is_said_twice():
    text = "one two three four five six seven eight nine ten " * 10
    chunks = chunks_of(text, ChunkOptions(tokens=20, overlap=0))
    assert " ".join(chunk.text for chunk in chunks).split() == text.split()


def test_a_short_text_is_one_passage():
    (chunk,) = chunks_of("  Currently New York is rainy.  ", ChunkOptions())
    assert (chunk.text, chunk.start, chunk.end) == ("Currently New York is rainy.", 2, 30)


@pytest.mark.parametrize("text", ["", " \n\t "])
def test_a_blank_text_has_no_passage(text: str):
    assert chunks_of(text, ChunkOptions()) == []


def test_half_of_a_surrogate_pair_moves_no_offset():
    text = "rain \ud83d rain"
    (chunk,) = chunks_of(text, ChunkOptions())
    assert chunk.text == text


@pytest.mark.parametrize(("tokens", "overlap"), [(0, 0), (10, 6), (10, -1)])
def test_lengths_that_make_no_progress_are_refused(tokens: int, overlap: int):
    with pytest.raises(ValueError, match="is"):
        ChunkOptions(tokens=tokens, overlap=overlap)

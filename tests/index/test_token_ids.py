"""Token ids as the keys of a vector."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensearch_neural_sparse import IndexSchemaError, InvalidVectorError, SparseVector
from opensearch_neural_sparse.index.token_ids import LARGEST_TOKEN_ID, TokenIds

VOCABULARY = {"a": 0, "b": 1, "##.": 2, "z": LARGEST_TOKEN_ID}
IDS = TokenIds(lambda: VOCABULARY)


@given(st.dictionaries(st.sampled_from(sorted(VOCABULARY)), st.floats(0.001, 64)))
def test_tokens_come_back_with_their_weights(weights: dict[str, float]) -> None:
    assert IDS.to_tokens(IDS.to_ids(SparseVector(weights))) == weights


def test_unknown_token_of_a_document_is_refused_and_of_a_query_left_out() -> None:
    with pytest.raises(InvalidVectorError, match="'c'"):
        IDS.to_ids(SparseVector({"a": 1.0, "c": 2.0}))
    assert IDS.known_ids({"a": 1.0, "c": 2.0}) == {"0": 1.0}


def test_id_that_no_token_has_is_read_as_it_is() -> None:
    assert IDS.to_tokens({"2": 1.0, "77": 2.0}) == {"##.": 1.0, "77": 2.0}


def test_vocabulary_that_the_field_cannot_tell_apart_is_refused_with_the_reason() -> None:
    with pytest.raises(IndexSchemaError, match=r"32767.*32768.*RANK_FEATURES"):
        TokenIds(lambda: {"a": LARGEST_TOKEN_ID + 1}).to_ids(SparseVector({"a": 1.0}))

"""Rules by which the server cuts texts into passages."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from opensearch_neural_sparse import IndexSchema, IndexSchemaError, ServerChunking, ServerEncoding
from opensearch_neural_sparse.encode.chunking import ChunkOptions
from opensearch_neural_sparse.index.binding.model_binding import ModelBinding
from opensearch_neural_sparse.index.binding.server_chunking import passage_places
from tests.index.binding.test_model_binding import BINDING

ENCODING = ServerEncoding(model_id="m", chunking=ServerChunking(token_limit=200, max_chunk_limit=50))


@pytest.mark.parametrize(
    ("given", "same"),
    [
        ("fixed_token_length", {}),
        ("fixed_token_length:200", {"token_limit": 200}),
        ("fixed_char_length:900", {"algorithm": "fixed_char_length", "char_limit": 900}),
        ("delimiter", {"algorithm": "delimiter", "delimiter": "\n\n"}),
        ("delimiter::", {"algorithm": "delimiter", "delimiter": ":"}),
    ],
)
def test_a_rule_is_a_text_or_a_mapping(given: str, same: dict[str, Any]) -> None:
    assert ServerChunking.parse(given) == ServerChunking.parse(same) == ServerChunking(**same)


def test_the_defaults_of_the_server_are_written_out() -> None:
    assert ServerChunking().to_algorithm() == {
        "fixed_token_length": {
            "token_limit": 384,
            "overlap_rate": 0.0,
            "tokenizer": "standard",
            "max_chunk_limit": -1,
        }
    }
    limited = ServerChunking(algorithm="delimiter", max_chunk_limit=3)
    assert limited.to_algorithm() == {"delimiter": {"delimiter": "\n\n", "max_chunk_limit": 3}}
    assert limited.without_limit == ServerChunking(algorithm="delimiter")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"char_limit": 5},
            "char_limit cannot be used with 'fixed_token_length', which takes token_limit, overlap_rate",
        ),
        ({"algorithm": "delimiter", "overlap_rate": 0.1}, "overlap_rate cannot be used with 'delimiter'"),
        ({"token_limit": 0}, "token_limit is a whole number of 1 or more, got 0"),
        ({"token_limit": True}, "token_limit is a whole number"),
        ({"max_chunk_limit": -1}, "max_chunk_limit is a whole number of 1 or more, got -1"),
        ({"overlap_rate": 0.6}, "overlap_rate lies between 0 and 0.5, got 0.6"),
        ({"algorithm": "delimiter", "delimiter": ""}, "delimiter is a text of at least one character"),
        ("fixed_token_length:many", "token_limit is a whole number of 1 or more, got 'many'"),
        ("sentences", "sentences"),
    ],
)
def test_values_out_of_range_are_refused(given: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ServerChunking.parse(given)


def test_other_types_and_unknown_keys_are_refused() -> None:
    with pytest.raises(TypeError, match="such as 'fixed_token_length:200', got int"):
        ServerEncoding(model_id="m", chunking=200)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="unknown keys limit; known are algorithm"):
        ServerEncoding.parse({"model_id": "m", "chunking": {"limit": 200}})


def test_the_rule_is_kept_in_stamp_and_plain_values() -> None:
    bound = replace(BINDING, server=ENCODING)
    assert ModelBinding.from_meta(bound.to_meta()) == bound
    assert ServerEncoding.parse(ENCODING.to_dict()) == ENCODING
    assert ENCODING.to_dict()["chunking"]["max_chunk_limit"] == 50
    assert "chunking" not in ServerEncoding(model_id="m").to_meta()  # as it was before there were passages


def test_texts_are_cut_here_or_by_the_server() -> None:
    with pytest.raises(IndexSchemaError, match="cut either here or by the server"):
        IndexSchema(chunking=ChunkOptions(), server_chunking=ServerChunking())
    with pytest.raises(IndexSchemaError, match="sparse_vector field cannot hold chunks"):
        IndexSchema(field_type="sparse_vector", server_chunking=ServerChunking())
    with pytest.raises(IndexSchemaError, match="passages"):
        IndexSchema(server_chunking=ServerChunking(), metadata_fields={"passages": {"type": "keyword"}})


@pytest.mark.parametrize(
    ("text", "passages", "places"),
    [
        ("one two three", ["one two ", "three"], [(0, 8), (8, 13)]),
        ("one two three", ["one two ", "two three"], [(0, 8), (4, 13)]),
        ("a b a b a b ", ["a b ", "a b ", "a b "], [(0, 4), (4, 8), (8, 12)]),
        ("one two", ["one", "gone"], [(0, 3), (3, 7)]),  # half of a character, which no text holds
        (None, ["one"], [(0, 0)]),
    ],
)
def test_places_of_passages(text: str | None, passages: list[str], places: list[tuple[int, int]]) -> None:
    assert list(passage_places(passages, text)) == places

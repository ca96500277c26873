from __future__ import annotations

from typing import Any

import pytest

from opensearch_neural_sparse import MetadataMode, MetadataSearch
from opensearch_neural_sparse.errors import FilterSyntaxError


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        ({"fields": []}, ValueError, r"fields names the metadata that is searched, such as \['category'\], got \[\]"),
        ({"fields": [""]}, ValueError, "fields names the metadata"),
        ({"fields": "category"}, TypeError, r"fields is a list of texts \(str\), got str"),
        ({"text": 7}, TypeError, r"text is a text \(str\), got int"),
        ({"text": "word " * 300, "fields": ["a", "b"]}, ValueError, "at most 500 words.*300 words in 2 fields"),
        ({"text": "w" * 129}, ValueError, "at most 128 characters, got one of 129. Search for a part of it"),
        ({"mode": "exact"}, ValueError, "MetadataMode is one of 'strict', 'fuzzy', got 'exact'"),
        ({"size": 0}, ValueError, "size lies between 1 and 10000, got 0"),
        ({"candidates": 10_001}, ValueError, "candidates lies between 1 and 10000, got 10001"),
        ({"exact_match_weight": -1}, ValueError, "exact_match_weight"),
        ({"filter": "team"}, FilterSyntaxError, "filter"),
        ({"request": {}}, TypeError, "request is a RequestOptions, got dict"),
    ],
)
def test_what_no_search_takes_is_refused(changed: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        MetadataSearch(**({"text": "python", "fields": ["category"]} | changed))


def test_parts_are_what_commas_separate_without_empty_ones() -> None:
    search = MetadataSearch(" python  guide, ,active,", fields=["a", "b", "a"], mode="strict")
    assert search.parts == [["python", "guide"], ["active"]]
    assert search.fields == ("a", "b")
    assert search.mode is MetadataMode.STRICT
    assert MetadataSearch(" , ", fields=["a"]).parts == []

"""Rows of metadata from hits, ranked by their likeness to the text."""

from __future__ import annotations

from typing import Any

from opensearch_neural_sparse import MetadataSearch, SearchHit, SearchHits
from opensearch_neural_sparse.search.requests.metadata_rows import metadata_rows


def rows(text: str, *sources: dict[str, Any], **options: Any) -> list[dict[str, Any]]:
    hits = SearchHits([SearchHit(id=str(number), score=1.0, source=source) for number, source in enumerate(sources)])
    return metadata_rows(MetadataSearch(text, **({"fields": ["a", "b"]} | options)), hits)


def test_each_combination_is_a_row_once_and_other_keys_are_left_out() -> None:
    found = rows(
        "x", {"a": "x", "b": 1, "c": 1}, {"b": 1, "a": "x", "c": 2}, {"a": "x"}, {"c": 3}, {"a": "x", "b": 1.5}
    )
    assert found == [{"a": "x", "b": 1}, {"a": "x"}, {"a": "x", "b": 1.5}]


def test_the_most_similar_row_comes_first_and_equally_good_ones_keep_their_order() -> None:
    named = [{"a": name} for name in ("JavaScript", "Java", "The Java language", "Scala")]
    assert [row["a"] for row in rows("JAVA", *named)] == ["Java", "JavaScript", "The Java language", "Scala"]
    assert rows("q", *named) == named
    assert rows("java", *named, size=2) == [{"a": "Java"}, {"a": "JavaScript"}]


def test_the_scores_of_parts_are_added_each_by_its_best_value() -> None:
    one, both, neither = {"a": "python", "b": "old"}, {"a": "python", "b": "active"}, {"a": "perl", "b": "old"}
    assert rows("python, active", neither, one, both) == [both, one, neither]


def test_the_weight_of_a_contained_part_outweighs_similarity() -> None:
    long, near = {"a": "the collected letters of somebody named doe"}, {"a": "do"}
    assert rows("doe", near, long) == [long, near]
    assert rows("doe", long, near, exact_match_weight=0) == [near, long]


def test_values_are_read_from_objects_lists_and_keys_with_dots() -> None:
    sources = [{"a": {"b": "x"}}, {"a.b": "x"}, {"a": [{"b": "x"}, {"b": "y"}]}, {"a": {"b": ["x", "y"]}}, {"a": "x"}]
    assert rows("x", *sources, fields=["a.b"]) == [{"a.b": "x"}, {"a.b": ["x", "y"]}]
    assert rows("true", {"a": False}, {"a": True}, {"a": None}) == [{"a": True}, {"a": False}]


def test_empty_lists_are_no_values() -> None:
    assert rows("x", {"a": [], "b": "x"}, {"a": []}, {"a": [[]]}) == [{"b": "x"}, {"a": [[]]}]

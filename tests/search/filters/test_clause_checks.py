from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from opensearch_neural_sparse import FilterSyntaxError
from opensearch_neural_sparse.search.filters.clause_checks import checked_clause, fields_of
from opensearch_neural_sparse.search.filters.filter_clauses import filter_clauses
from tests.tiers import without_address

TERM = {"term": {"lang": "en"}}
NOTHING = {"match_none": {}}


def _bool(**parts: Any) -> dict[str, Any]:
    return {"bool": parts}


@pytest.mark.parametrize("empty", [[], (), None])
def test_an_empty_should_is_nothing_wherever_it_stands(empty: Any) -> None:
    asked, checked = _bool(should=empty), _bool(should=[NOTHING])
    assert checked_clause(asked) == checked
    assert checked_clause(_bool(must=TERM, should=empty)) == _bool(must=TERM, should=[NOTHING])
    for around in ("must", "filter", "should", "must_not"):
        assert checked_clause({"bool": {around: [TERM, asked]}}) == {"bool": {around: [TERM, checked]}}
        assert checked_clause({"bool": {around: asked}}) == {"bool": {around: checked}}
    for name, part in (("constant_score", "filter"), ("nested", "query"), ("function_score", "query")):
        assert checked_clause({name: {part: asked, "path": "x"}}) == {name: {part: checked, "path": "x"}}
    assert checked_clause({"dis_max": {"queries": [asked]}}) == {"dis_max": {"queries": [checked]}}


def test_every_other_clause_stays_as_it_is() -> None:
    for clause in (
        TERM,
        _bool(should=[TERM], minimum_should_match=1),
        _bool(must=[]),
        _bool(filter=[], must_not=[]),
        {"terms": {"lang": []}},
        {"terms": {"should": ["x"]}},
        {"term": {"filter": {"value": "x", "boost": 2.0}}},
        {"range": {"query": {"gte": 1}}},
        {"match": {"content": {"query": "x"}}},
        {"ids": {"values": []}},
    ):
        assert checked_clause(clause) == clause
    assert filter_clauses(({"terms": {"lang": ("en", "de")}},)) == [{"terms": {"lang": ["en", "de"]}}]


@pytest.mark.parametrize(
    ("value", "named"),
    [
        ({"en"}, "got set"),
        (b"en", "got bytes"),
        ((each for each in "en"), "got generator"),
        (object(), "got object"),
        ("a\ud800", r"'\\ud800', half of a surrogate pair"),
        (float("nan"), "finite, got nan"),
        (float("-inf"), "finite, got -inf"),
    ],
    ids=without_address,
)
def test_a_value_without_json_is_refused_wherever_it_stands(value: Any, named: str) -> None:
    for clause in (
        {"term": {"lang": value}},
        {"term": {"lang": {"value": value}}},
        {"terms": {"lang": ["en", value]}},
        {"range": {"lang": {"gte": value}}},
        _bool(should=[_bool(must_not={"term": {"lang": value}})]),
        {"script": {"script": {"source": "x", "params": {"x": value}}}},
        {"terms": {"lang": value}},
    ):
        with pytest.raises(FilterSyntaxError, match=named):
            filter_clauses(clause)


def test_a_field_that_is_no_text_of_unicode_is_refused() -> None:
    with pytest.raises(FilterSyntaxError, match="surrogate"):
        filter_clauses({"term": {"\udfff": 1}})


def test_values_become_what_documents_hold() -> None:
    number, name = Decimal("1.5"), UUID(int=7)
    assert filter_clauses({"terms": {"x": [number, name]}}) == [{"terms": {"x": [1.5, str(name)]}}]
    assert filter_clauses({"terms": {"x": np.array([1, 2])}}) == [{"terms": {"x": [1, 2]}}]
    assert filter_clauses({"term": {"x": np.float32(0.5)}}) == [{"term": {"x": 0.5}}]


def test_a_date_is_compared_as_an_instant_where_the_field_holds_one() -> None:
    no_instant = {"exists": {"field": "x.as_date"}}
    term = {"bool": {"filter": [{"term": {"x": {"value": "2026-01-02"}}}], "must_not": [no_instant]}}
    instant = {"term": {"x.as_date": {"value": "2026-01-02T00:00:00.000000+00:00"}}}
    compared = [{"bool": {"should": [instant, term], "minimum_should_match": 1}}]
    assert filter_clauses({"term": {"x": date(2026, 1, 2)}}) == compared
    assert filter_clauses(filter_clauses({"term": {"x": "2026-01-02"}})) == compared, "once, however often it is read"


@pytest.mark.parametrize(
    "asked", [{"term": {"x": None}}, {"terms": {"x": [1, None]}}, {"term": {"x": {"value": None}}}]
)
def test_none_is_no_value_and_the_message_shows_absence(asked: Any) -> None:
    with pytest.raises(FilterSyntaxError, match=r"'must_not': \{'exists': \{'field': 'x'\}\}"):
        filter_clauses(_bool(must=[asked]))


@pytest.mark.parametrize(
    ("clause", "fields"),
    [
        (TERM, ["lang"]),
        ({"exists": {"field": "place.city"}}, ["place.city"]),
        ({"range": {"year": {"gte": 1}, "boost": 2.0}}, ["year"]),
        (_bool(must=TERM, should=[{"prefix": {"a": "b"}}], must_not=[_bool(filter=[{"terms": {"c": []}}])]),
         ["lang", "a", "c"]),
        ({"nested": {"path": "p", "query": {"term": {"p.q": 1}}}}, ["p.q"]),
        ({"constant_score": {"filter": TERM}}, ["lang"]),
        ({"query_string": {"query": "lang:en"}}, []),
        ({"ids": {"values": ["1"]}}, []),
        ({"match_all": {}}, []),
    ],
    ids=str,
)  # fmt: skip
def test_fields_are_those_that_clauses_name(clause: Any, fields: list[str]) -> None:
    assert sorted(fields_of(clause)) == sorted(fields)

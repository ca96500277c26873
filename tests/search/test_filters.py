from typing import Any

import pytest

from opensearch_neural_sparse import FilterSyntaxError
from opensearch_neural_sparse.search.filters import filter_clauses, filtered

TERM = {"term": {"lang": "en"}}
RANGE = {"range": {"year": {"gte": 2020}}}


def test_filter_is_a_clause_or_a_list_of_such() -> None:
    assert filter_clauses(TERM) == [TERM]
    assert filter_clauses([TERM, RANGE]) == filter_clauses((TERM, RANGE)) == [TERM, RANGE]
    assert filter_clauses(None) == filter_clauses([]) == []


@pytest.mark.parametrize(
    "wrong",
    [{}, TERM | RANGE, {"lang": "en"}, {"term": None}, {1: {}}, "lang:en", b"x", 7, True, {TERM["term"]["lang"]}],
)
def test_anything_else_is_an_error_that_shows_how(wrong: Any) -> None:
    for given in (wrong, [TERM, wrong]):
        with pytest.raises(FilterSyntaxError, match=r"\{'term': \{'lang': 'en'\}\}"):
            filter_clauses(given)


def test_filter_is_not_changed_and_scores_stay() -> None:
    query = {"match": {"content": {"query": "x"}}}
    clauses = filter_clauses(TERM)
    assert filtered(query, clauses) == {"bool": {"must": [query], "filter": [TERM]}}
    assert filtered(query, []) == query
    assert TERM == {"term": {"lang": "en"}}

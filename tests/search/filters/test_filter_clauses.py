import re
from typing import Any

import pytest

from opensearch_neural_sparse import FilterSyntaxError
from opensearch_neural_sparse.search.filters.filter_clauses import filter_clauses, filtered

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


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ({"topic": "medicine"}, "Write it as {'term': {'topic': 'medicine'}}, and"),
        ({"year": [2020, 2021]}, "Write it as {'terms': {'year': [2020, 2021]}}, and"),
        ({"topic": "x", "year": 3}, "must hold: [{'term': {'topic': 'x'}}, {'term': {'year': 3}}]."),
    ],
)
def test_fields_with_values_are_shown_as_the_clauses_that_were_meant(given: Any, written: str) -> None:
    with pytest.raises(FilterSyntaxError, match=re.escape(written)):
        filter_clauses(given)


@pytest.mark.parametrize(
    ("clause", "problem"),
    [
        (
            {"terms": {"topic": "x"}},
            "'terms' of field 'topic' takes a list of values, got str. Write {'term':",
        ),
        ({"term": {"topic": ["x"]}}, "'term' of field 'topic' takes one value, got list. Write {'terms': {'topic'"),
        ({"range": {"year": 5}}, "'range' of field 'year' takes bounds, got int. Write {'range': {'year': {'gte'"),
    ],
)
def test_value_of_another_form_than_its_query_takes_is_refused(clause: Any, problem: str) -> None:
    for given in (clause, {"bool": {"must_not": [clause]}}):
        with pytest.raises(FilterSyntaxError, match=re.escape(problem)):
            filter_clauses(given)


@pytest.mark.parametrize(
    "clause",
    [
        {"terms": {"topic": ("x", "y"), "boost": 2.0, "_name": "a"}},
        {"terms": {"topic": {"index": "others", "id": "1", "path": "topics"}}},
        {"terms": {"number": "OjAAAAEAAAA=", "value_type": "bitmap"}},
        {"term": {"topic": {"value": "x", "case_insensitive": True}}},
    ],
)
def test_every_form_that_the_server_takes_passes(clause: Any) -> None:
    (found,) = filter_clauses(clause)
    assert found.keys() == clause.keys()


@pytest.mark.parametrize("name", ["nested", "has_child", "has_parent"])
def test_filter_that_brings_other_documents_along_is_refused_however_deep(name: str) -> None:
    clause = {name: {"query": {"match_all": {}}, "inner_hits": {"name": "_group_hits"}}}
    inner: Any = {"function_score": {"functions": [{"filter": clause}]}}
    for given in (clause, [TERM, {"bool": {"should": [clause]}}], {"nested": {"path": "x", "query": clause}}, inner):
        with pytest.raises(FilterSyntaxError, match=f"{name!r} in a filter has inner_hits"):
            filter_clauses(given)


def test_field_that_is_called_inner_hits_may_be_filtered() -> None:
    clauses = [{"term": {"inner_hits": "x"}}, {"term": {"nested": "inner_hits"}}]
    assert filter_clauses(clauses) == clauses


def test_filter_is_not_changed_and_scores_stay() -> None:
    query = {"match": {"content": {"query": "x"}}}
    clauses = filter_clauses(TERM)
    assert filtered(query, clauses) == {"bool": {"must": [query], "filter": [TERM]}}
    assert filtered(query, []) == query
    assert TERM == {"term": {"lang": "en"}}


@pytest.mark.parametrize(
    ("foreign", "form"),
    [
        ({"field": "meta.lang", "operator": "==", "value": "en"}, "Haystack.*{'term': {'lang': 'en'}}"),
        ({"field": "lang", "operator": "not in", "value": ["en"]}, "{'must_not': {'terms': {'lang': \\['en'\\]}}}"),
        ({"field": "meta.year", "operator": ">=", "value": 1}, "{'range': {'year': {'gte': 1}}}"),
        ({"operator": "OR", "conditions": []}, "Haystack.*{'bool': {'should': .*'minimum_should_match': 1}}"),
        ({"operator": "NOT", "conditions": []}, "{'bool': {'must_not': "),
        ({"year": {"$gte": 2020}}, "LangChain.*{'range': {'year': {'gte': 2020}}}"),
        ({"metadata.lang": {"$eq": "en"}}, "{'term': {'lang': 'en'}}"),
        ({"lang": {"$ne": "en"}, "year": 1}, "{'bool': {'must_not': {'term': {'lang': 'en'}}}}"),
        ({"lang": {"$exists": True}}, "{'exists': {'field': 'lang'}}"),
        ({"$or": [{"lang": "en"}]}, "{'bool': {'should': .*'minimum_should_match': 1}}"),
        ({"$and": []}, "{'bool': {'filter': "),
    ],
    ids=str,
)
def test_the_syntax_of_another_library_is_refused_with_the_form_that_is_taken(foreign: Any, form: str) -> None:
    for given in (foreign, [TERM, foreign]):
        with pytest.raises(FilterSyntaxError, match=f"in the syntax of .*{form}"):
            filter_clauses(given)

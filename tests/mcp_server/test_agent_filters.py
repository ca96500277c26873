from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensearch_neural_sparse.errors import FilterSyntaxError
from opensearch_neural_sparse.mcp_server.agent_filters import PLAIN, agent_filter

TERM = {"term": {"lang": "en"}}
LOOKUP = {"terms": {"id": {"index": "secret", "id": "1", "path": "id"}}}
NOT_ALLOWED: list[dict[str, Any]] = [
    {"script": {"script": {"source": "true"}}},
    {"wrapper": {"query": "eyJtYXRjaF9hbGwiOnt9fQ=="}},
    {"more_like_this": {"like": [{"_index": "secret", "_id": "1"}]}},
    {"percolate": {"field": "q", "index": "secret", "id": "1"}},
    {"geo_shape": {"where": {"indexed_shape": {"index": "secret", "id": "1", "path": "shape"}}}},
    {"has_child": {"type": "x", "query": {"match_all": {}}}},
    {"intervals": {"text": {"match": {"query": "a", "filter": {"script": {"source": "true"}}}}}},
    {"terms_set": {"x": {"terms": ["a"], "minimum_should_match_script": {"source": "1"}}}},
    {"function_score": {"query": {"match_all": {}}}},
    LOOKUP,
]
WRAPPED = [
    lambda clause: clause,
    lambda clause: {"bool": {"must_not": [clause]}},
    lambda clause: {"bool": {"mustNot": [clause]}},
    lambda clause: {"bool": {"filter": clause}},
    lambda clause: {"constant_score": {"filter": clause}},
    lambda clause: {"dis_max": {"queries": [TERM, clause]}},
    lambda clause: {"nested": {"path": "chunks", "query": {"bool": {"should": [clause]}}}},
]


@pytest.mark.parametrize("wrap", WRAPPED, ids=range(len(WRAPPED)))
@pytest.mark.parametrize("clause", NOT_ALLOWED, ids=lambda clause: next(iter(clause)))
def test_a_clause_that_runs_a_script_or_reads_another_index_is_refused_at_any_depth(
    clause: dict[str, Any], wrap: Any
) -> None:
    with pytest.raises(FilterSyntaxError, match="allowed"):
        agent_filter([TERM, wrap(clause)])


@pytest.mark.parametrize(
    "clause",
    [
        TERM,
        {"terms": {"lang": ["en", "de"]}},
        {"range": {"year": {"gte": 2020}}},
        {"bool": {"should": [TERM, {"exists": {"field": "year"}}], "minimum_should_match": 1}},
        {"bool": {"must_not": TERM}},
        {"nested": {"path": "parts", "query": {"bool": {"must": [TERM]}}}},
    ],
)
def test_a_clause_on_documents_passes_as_it_is(clause: dict[str, Any]) -> None:
    assert agent_filter(clause) == [clause]
    assert agent_filter([clause, TERM]) == [clause, TERM]


def test_no_filter_is_no_clause() -> None:
    assert agent_filter(None) == agent_filter([]) == []


@pytest.mark.parametrize(
    "given", ["lang:en", {"lang": {"$eq": "en"}}, {"bool": {"must": ["x"]}}, {"bool": {"must": {}}}]
)
def test_what_is_no_filter_is_refused(given: Any) -> None:
    with pytest.raises(FilterSyntaxError):
        agent_filter(given)


@given(st.text(min_size=1))
def test_an_unknown_query_is_refused_whatever_its_name(name: str) -> None:
    if name not in PLAIN | {"bool", "constant_score", "dis_max", "nested"}:
        with pytest.raises(FilterSyntaxError):
            agent_filter({"bool": {"must": [{name: {}}]}})

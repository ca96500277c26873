from __future__ import annotations

from typing import Any

import pytest

from opensearch_neural_sparse import HybridOptions, HybridSearch, MatchSearch, SearchOptions, SparseSearch
from opensearch_neural_sparse.search.options.refinements.aggregations import (
    aggregated_fields,
    check_aggregations,
    check_within_security,
    renamed_fields,
)
from opensearch_neural_sparse.search.query.aggregated import aggregation_body

ENDLESS: dict[str, Any] = {}
ENDLESS["a"] = {"terms": ENDLESS}


@pytest.mark.parametrize(
    ("aggregations", "reason"),
    [
        ([], "mapping such as"),
        ({}, "got none; leave it out"),
        ({"a>b": {"terms": {"field": "x"}}}, "'a>b'"),
        ({1: {"terms": {"field": "x"}}}, "got 1"),
        ({"a": "terms"}, "'a' is a mapping"),
        ({"a": {}}, r"'a' has one kind with a mapping.*got \[\]"),
        ({"a": {"terms": {"field": "x"}, "max": {"field": "y"}}}, r"got \['terms', 'max'\]"),
        ({"a": {"terms": "x"}}, "one kind with a mapping"),
        ({"a": {"terms": {"field": "x"}, "aggs": {"b": {}}}}, "'b' has one kind"),
        (ENDLESS, "levels deep"),
    ],
)
def test_aggregations_of_another_form_are_refused(aggregations: Any, reason: str) -> None:
    for kind in (SearchOptions, HybridOptions):
        with pytest.raises((TypeError, ValueError), match=reason):
            kind(aggregations=aggregations)
    with pytest.raises((TypeError, ValueError), match=reason):
        MatchSearch("text", aggregations=aggregations)


LABELS = {"terms": {"field": "label"}}
FILTER = {"term": {"team": "all"}}


def searched(aggregations: Any, filter: Any) -> None:  # noqa: A002  as searches call it
    SparseSearch("text", filter=filter, options=SearchOptions(aggregations=aggregations))
    HybridSearch("text", filter=filter, options=HybridOptions(aggregations=aggregations))
    MatchSearch("text", filter=filter, aggregations=aggregations)


BEYOND: list[tuple[Any, str]] = [
    ({"a": {**LABELS, "aggregations": {"b": {"children": {"type": "x"}}}}}, "'b' of the kind children"),
    ({"a": {"parent": {"type": "x"}}}, "kind parent"),
    ({"a": {"significant_terms": {"field": "x", "background_filter": FILTER}}}, "kind significant_terms"),
    ({"a": {"significant_text": {"field": "x"}}}, "kind significant_text"),
    ({"a": {"terms": {"field": "x", "min_doc_count": 0}}}, "terms with min_doc_count=0"),
    ({"a": {"terms": {"field": "x", "min_doc_count": "0"}}}, "terms with min_doc_count=0"),
    ({"a": {"multi_terms": {"terms": [{"field": "x"}], "min_doc_count": 0.5}}}, "multi_terms with min_doc_count=0"),
]


@pytest.mark.parametrize(("aggregations", "reason"), BEYOND)
def test_aggregation_past_the_filter_of_a_search_is_refused(aggregations: Any, reason: str) -> None:
    for make in (
        lambda: SparseSearch("text", filter=FILTER, options=SearchOptions(aggregations=aggregations)),
        lambda: HybridSearch("text", filter=[FILTER], options=HybridOptions(aggregations=aggregations)),
        lambda: MatchSearch("text", filter=FILTER, aggregations=aggregations),
    ):
        with pytest.raises(ValueError, match=f"{reason} looks at documents that the filter"):
            make()
    searched(aggregations, None)


@pytest.mark.parametrize(("aggregations", "reason"), [*BEYOND, ({"a": {"global": {}}}, "kind global")])
def test_aggregation_over_documents_that_security_hides_is_refused(aggregations: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=f"{reason} looks at documents that document-level security hides"):
        check_within_security(aggregations)


@pytest.mark.parametrize("body", [None, [], "x", {"a": LABELS}, {"a": None}, {"a": {"aggs": 3}}, {1: {"terms": []}}])
def test_other_bodies_pass_security_for_the_server_to_judge(body: object) -> None:
    check_within_security(body)


def test_aggregation_of_what_a_search_finds_passes_beside_a_filter() -> None:
    histogram = {"histogram": {"field": "year", "interval": 1, "min_doc_count": 0}}
    asked = {"a": {**LABELS, "aggs": {"years": histogram}}, "b": {"terms": {"field": "x", "min_doc_count": "many"}}}
    searched(asked, FILTER)


def test_fields_are_renamed_wherever_an_aggregation_names_one_and_not_in_clauses() -> None:
    asked = {
        "field": {"terms": {"field": "id"}, "aggs": {"n": {"max": {"field": "n"}}}, "meta": {"field": "id"}},
        "several": {"multi_terms": {"terms": [{"field": "id"}, {"field": "lang"}]}},
        "clause": {"filter": {"exists": {"field": "id"}}, "aggregations": {"m": {"min": {"field": "m"}}}},
    }
    assert aggregated_fields(asked) == ["id", "n", "lang", "m"]
    assert renamed_fields(asked, lambda name: f"meta.{name}" if name == "id" else name) == {
        "field": {"terms": {"field": "meta.id"}, "aggs": {"n": {"max": {"field": "n"}}}, "meta": {"field": "id"}},
        "several": {"multi_terms": {"terms": [{"field": "meta.id"}, {"field": "lang"}]}},
        "clause": {"filter": {"exists": {"field": "id"}}, "aggregations": {"m": {"min": {"field": "m"}}}},
    }


def test_query_with_more_clauses_than_a_request_takes_is_refused() -> None:
    query = {"neural_sparse": {"v": {"query_tokens": dict.fromkeys(map(str, range(1001)), 1.0)}}}
    with pytest.raises(ValueError, match=r"1001 clauses here, and at most 1000.*Prune the query"):
        aggregation_body(query, {"a": {"terms": {"field": "x"}}})


def test_an_aggregation_of_everything_is_refused_wherever_it_stands() -> None:
    for aggregations in ({"all": {"global": {}}}, {"by": {"terms": {"field": "n"}, "aggs": {"all": {"global": {}}}}}):
        with pytest.raises(ValueError, match=r"'all' is of kind 'global', which counts documents that neither"):
            check_aggregations(aggregations)

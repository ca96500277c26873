"""Filters of a call that try to lift a fence, in three syntaxes, and things that are no filters."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

from langchain_core.structured_query import Comparator, Comparison, Operation, Operator, StructuredQuery

from langchain_opensearch_neural_sparse import NeuralSparseTranslator
from tests.campaigns.fence.site import DENSE

ALL: dict[str, Any] = {"match_all": {}}
MINE, THEIRS = {"term": {"team": "all"}}, {"term": {"team": "board"}}
IDS = ["hidden-4", "hidden-5", "open-0"]
NO_FILTERS: tuple[Any, ...] = (None, {}, [], (), [{}], [None], "", "*", "team:board OR *:*", 7, True, 1.5, {"": {}})
OPENSEARCH: tuple[Any, ...] = (
    ALL,
    [ALL],
    [ALL, THEIRS],
    THEIRS,
    {"match_none": {}},
    {"bool": {}},
    {"bool": {"should": []}},
    {"bool": {"should": [ALL], "minimum_should_match": 0}},
    {"bool": {"should": [THEIRS], "minimum_should_match": 0}},
    {"bool": {"should": [THEIRS, MINE], "minimum_should_match": "-100%"}},
    {"bool": {"must_not": [MINE]}},
    {"bool": {"must_not": [{"bool": {"must_not": [ALL]}}]}},
    {"bool": {"must_not": [], "adjust_pure_negative": False}},
    {"bool": {"must": [{"bool": {"should": [{"bool": {"must_not": [{"match_none": {}}]}}]}}]}},
    {"bool": {"filter": None, "must": [ALL]}},
    {"bool": {"should": {"bool": {"should": {"bool": {"should": ALL}}}}}},
    {"query_string": {"query": "*"}},
    {"query_string": {"query": "team:board OR *:*", "default_operator": "OR", "analyze_wildcard": True}},
    {"query_string": {"query": "_id:hidden-4 OR NOT team:all", "lenient": True}},
    {"simple_query_string": {"query": "* | river", "flags": "ALL"}},
    {"script": {"script": "return true"}},
    {"script": {"script": {"source": "throw new IllegalStateException(doc['label'].value)", "lang": "painless"}}},
    {"script_score": {"query": ALL, "script": {"source": "1000"}}},
    {"function_score": {"query": ALL, "functions": [{"weight": 1e30}], "boost_mode": "replace", "min_score": -1}},
    {"exists": {"field": "team"}},
    {"exists": {"field": "*"}},
    {"ids": {"values": IDS}},
    {"term": {"_id": "hidden-4"}},
    {"terms": {"_id": IDS}},
    {"terms": {"team": ["all", "board"]}},
    {"terms": {"team": {"index": "*", "id": "hidden-4", "path": "team"}}},
    {"wildcard": {"_index": {"value": "*"}}},
    {"terms": {"_index": ["*", "_all"]}},
    {"wildcard": {"team": {"value": "*"}}},
    {"regexp": {"team": ".*"}},
    {"prefix": {"_id": "hidden"}},
    {"range": {"year": {"gte": 0}}},
    {"fuzzy": {"team": {"value": "boarx", "fuzziness": "AUTO"}}},
    {"constant_score": {"filter": ALL, "boost": 1e9}},
    {"boosting": {"positive": ALL, "negative": MINE, "negative_boost": 0.0}},
    {"dis_max": {"queries": [ALL, THEIRS], "tie_breaker": 1.0}},
    {"more_like_this": {"fields": ["content"], "like": [{"_id": "hidden-4"}], "min_term_freq": 1, "min_doc_freq": 1}},
    {"wrapper": {"query": base64.b64encode(json.dumps(ALL).encode()).decode()}},
    {"nested": {"path": "chunks", "query": ALL, "inner_hits": {"size": 100}}},
    {"nested": {"path": "chunks", "query": ALL, "inner_hits": {"name": "_group_hits"}, "ignore_unmapped": True}},
    {"has_child": {"type": "x", "query": ALL, "inner_hits": {"name": "_group_hits"}, "ignore_unmapped": True}},
    {"has_parent": {"parent_type": "x", "query": ALL, "ignore_unmapped": True}},
    {"percolate": {"field": "query", "index": "*", "id": "hidden-4"}},
    {"knn": {"embedding": {"vector": DENSE, "k": 100, "filter": ALL}}},
    {"neural_sparse": {"sparse_vector": {"query_tokens": {"river": 100.0}}}},
    {"rank_feature": {"field": "sparse_vector.river", "boost": 1000}},
    {"hybrid": {"queries": [ALL, ALL]}},
    {"multi_match": {"query": "river", "fields": ["*"], "lenient": True}},
    {"match": {"content": {"query": "river", "zero_terms_query": "all", "boost": 1e20}}},
    {"match": {"content": {"query": "the", "analyzer": "stop", "zero_terms_query": "all"}}},
    {"match_all": {"_name": "x", "boost": 1e30}},
    {"intervals": {"content": {"match": {"query": "river"}}}},
    {"span_or": {"clauses": [{"span_term": {"content": "river"}}]}},
    {"distance_feature": {"field": "year", "origin": 2030, "pivot": 1}},
    {"bool": {"filter": [ALL], "post_filter": ALL}},
    {"match_all": {}, "term": {"team": "board"}},
    {"query": ALL, "post_filter": ALL},
    {"aggs": {"all": {"global": {}}}},
    {"suggest": {"x": {"text": "river", "term": {"field": "content"}}}},
    {"filter": None},
    {"bool": {"filter": ["$filters", "$sparse", "$text"]}},
    {"term": {"team": {"value": "ALL", "case_insensitive": True}}},
    {"term": {"team": "$filters"}},
)
LANGCHAIN: tuple[Any, ...] = (
    {"team": "board"},
    {"team": {"$ne": "all"}},
    {"team": {"$in": ["all", "board"]}},
    {"team": {"$nin": []}},
    {"team": {"$nin": ["all"]}},
    {"team": None},
    {"team": {"$exists": True}},
    {"team": {"$not": {"$eq": "all"}}},
    {"team": {"$eq": "all", "$ne": "all"}},
    {"$or": [{"team": "all"}, {"team": "board"}]},
    {"$or": [{}, {"team": "all"}]},
    {"$or": []},
    {"$and": []},
    {"$and": [{}]},
    {"$not": {"team": "all"}},
    {"$not": {}},
    {"$not": {"$and": [{"team": "all"}, {"$not": {"team": "all"}}]}},
    {"$nor": [{"team": "all"}]},
    {"$where": "true"},
    {"chunks": {"$ne": "x"}},
    {"chunks": {"$exists": True}},
    {"chunks.sparse_vector": {"$exists": True}},
    {"id": {"$ne": "x"}},
    {"_id": "hidden-4"},
    {"_index": {"$ne": "x"}},
    {"content": {"$exists": True}},
    {"sparse_vector": {"$exists": True}},
    {"embedding": {"$exists": True}},
    {"meta.team": "board"},
    {"meta": {"$exists": True}},
    {"metadata": {"team": "board"}},
    {"team.keyword": "board"},
    [{"team": "board"}, {"team": {"$ne": "all"}}],
    {"year": {"$gte": 0}},
    {"year": {"$lt": 10**18}},
)


def _comparison(field: str, operator: str, value: Any) -> dict[str, Any]:
    return {"field": field, "operator": operator, "value": value}


_ANYTHING = _comparison("meta.team", "!=", "none")
HAYSTACK: tuple[Any, ...] = (
    _comparison("meta.team", "==", "board"),
    _comparison("meta.team", "!=", "all"),
    _comparison("meta.team", "in", ["all", "board"]),
    _comparison("meta.team", "not in", []),
    _comparison("meta.team", "not in", ["all"]),
    _comparison("meta.team", "!=", None),
    _comparison("meta.team", "==", None),
    _comparison("team", "==", "board"),
    _comparison("meta.meta.team", "!=", "all"),
    _comparison("id", "!=", "x"),
    _comparison("meta.id", "not in", ["x"]),
    _comparison("_id", "==", "hidden-4"),
    _comparison("content", "!=", None),
    _comparison("meta.chunks", "!=", "x"),
    _comparison("chunks", "not in", ["x"]),
    _comparison("sparse_vector", "!=", None),
    _comparison("sparse_vector_model", "!=", "x"),
    _comparison("embedding", "!=", None),
    _comparison("meta.year", ">=", 0),
    _comparison("meta.team", "like", "*"),
    {"operator": "OR", "conditions": [_comparison("meta.team", "==", "all"), _ANYTHING]},
    {"operator": "OR", "conditions": []},
    {"operator": "AND", "conditions": []},
    {"operator": "NOT", "conditions": []},
    {"operator": "NOT", "conditions": [_comparison("meta.team", "==", "all")]},
    {"operator": "NOT", "conditions": [{"operator": "OR", "conditions": []}]},
    {"operator": "NOT", "conditions": [{"operator": "NOT", "conditions": [_ANYTHING]}]},
    {"operator": "or", "conditions": [_ANYTHING]},
    {"operator": "XOR", "conditions": [_ANYTHING]},
    {"field": "meta.team", "operator": "==", "value": "all", "conditions": [_ANYTHING]},
    {"conditions": [_ANYTHING]},
)


def _translated() -> Iterator[Any]:
    """Yield filters that a language model might have written, through the translator."""
    translator = NeuralSparseTranslator()
    everything = Comparison(comparator=Comparator.NE, attribute="team", value="none")
    mine = Comparison(comparator=Comparator.EQ, attribute="team", value="all")
    for found in (
        everything,
        Comparison(comparator=Comparator.LIKE, attribute="team", value=""),
        Comparison(comparator=Comparator.NIN, attribute="team", value=[]),
        Operation(operator=Operator.NOT, arguments=[mine]),
        Operation(operator=Operator.OR, arguments=[mine, everything]),
    ):
        yield translator.visit_structured_query(StructuredQuery(query="", filter=found, limit=None))[1]["filter"]


def hostile_filters() -> dict[str, list[Any]]:
    """Return layer -> filters in the syntaxes that it takes, and `foreign` ones that none takes as they are."""
    return {
        "opensearch": [*OPENSEARCH],
        "langchain": [*LANGCHAIN, *_translated(), *OPENSEARCH],
        "haystack": [*HAYSTACK],
        "foreign": [*NO_FILTERS, *OPENSEARCH, *LANGCHAIN, *HAYSTACK],
    }


def bodies() -> list[dict[str, Any]]:
    """Return bodies of a search of the caller's own that try to lift the filter that goes into them."""
    return [
        {"query": {"bool": {"must": ["$sparse"], "filter": ["$filters"]}}},
        {"query": {"bool": {"should": ["$sparse", "$filters", ALL]}}},
        {"query": {"bool": {"must": [ALL], "should": ["$filters", "$sparse"], "minimum_should_match": 0}}},
        {"query": {"bool": {"must": ["$sparse"], "must_not": ["$filters"]}}},
        {"query": {"function_score": {"query": "$sparse", "functions": [{"filter": "$filters", "weight": 2}]}}},
        {"query": "$sparse", "aggs": {"mine": {"filter": "$filters"}}},
        {"query": "$sparse", "post_filter": {"bool": {"should": ["$filters", ALL]}}},
        {"query": "$sparse", "rescore": {"query": {"rescore_query": "$filters"}}},
        {
            "query": {"bool": {"should": ["$sparse", "$filters"]}},
            "collapse": {"field": "group", "inner_hits": {"name": "_group_hits", "size": 50}},
        },
        {
            "query": {"bool": {"should": ["$sparse", "$filters"]}},
            "suggest": {"s": {"text": "canary", "term": {"field": "content", "suggest_mode": "always"}}},
            "aggs": {"all": {"global": {}, "aggs": {"labels": {"terms": {"field": "label"}}}}},
        },
        {"query": {"hybrid": {"queries": ["$sparse", "$filters"]}}},
        {"query": {"knn": {"embedding": {"vector": DENSE, "k": 50}}}, "post_filter": "$filters"},
        {"query": "$sparse"},
    ]


def aggregations(*, by_server: bool) -> list[dict[str, Any]]:
    """Return aggregations that try to look past the filter of a search.

    Args:
        by_server: Whether the server's security is the fence. It refuses `terms` with `min_doc_count` 0, and lets
            `multi_terms` with it list the values of hidden documents (OpenSearch 2.19.1); that is not ours to close.
    """
    labels = {"labels": {"terms": {"field": "label", "size": 100}}}
    two = {"two": {"multi_terms": {"terms": [{"field": "label"}, {"field": "team"}], "min_doc_count": 0}}}
    return [
        *([] if by_server else [two]),
        labels,
        {"all": {"global": {}, "aggs": labels}},
        {"years": {"terms": {"field": "group"}, "aggs": {"all": {"global": {}, "aggs": labels}}}},
        {"labels": {"terms": {"field": "label", "min_doc_count": 0, "size": 100}}},
        {"odd": {"significant_terms": {"field": "group", "min_doc_count": 1}}},
        {"odd": {"significant_terms": {"field": "label", "min_doc_count": 0, "background_filter": ALL}}},
        {"odd": {"significant_text": {"field": "content", "min_doc_count": 1}}},
        {"rare": {"rare_terms": {"field": "label", "max_doc_count": 100}}},
        {"hits": {"top_hits": {"size": 50}}},
        {"other": {"children": {"type": "x"}, "aggs": labels}},
        {"other": {"parent": {"type": "x"}, "aggs": labels}},
        {"part": {"filter": ALL, "aggs": labels}},
        {"parts": {"filters": {"filters": {"a": ALL, "b": THEIRS}, "other_bucket": True}, "aggs": labels}},
        {"nested": {"nested": {"path": "chunks"}, "aggs": {"back": {"reverse_nested": {}, "aggs": labels}}}},
        {"none": {"missing": {"field": "team"}, "aggs": labels}},
        {"pages": {"composite": {"size": 100, "sources": [{"label": {"terms": {"field": "label"}}}]}}},
        {
            "years": {
                "histogram": {
                    "field": "year",
                    "interval": 1,
                    "min_doc_count": 0,
                    "extended_bounds": {"min": 2020, "max": 2040},
                }
            }
        },
        {
            "script": {
                "scripted_metric": {
                    "init_script": "state.n = []",
                    "map_script": "state.n.add(doc['label'].value)",
                    "combine_script": "return state.n",
                    "reduce_script": "return states",
                }
            }
        },
    ]

"""Filters: what they compile to, what they refuse, and that a real index understands them as Python does."""

from __future__ import annotations

import asyncio
import operator
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from langchain_core.documents import Document

from langchain_opensearch_neural_sparse.filters import compile_filter
from opensearch_neural_sparse import FilterSyntaxError, IndexSchema, UnmappedFieldWarning
from tests.tiers import without_address

pytestmark = pytest.mark.newest_server

SCHEMA = IndexSchema()
VALUES: dict[str, Any] = {
    "lang": st.sampled_from(["de", "en", "fr", "", "größe"]),
    "year": st.integers(2018, 2026),
    "id": st.integers(-3, 3),
    "place.city": st.sampled_from(["Bonn", "Köln"]),
    "tags": st.sampled_from(["a", "b", "c"]),
    "draft": st.booleans(),
}
"""Metadata key -> what it holds; `id` collides with a field, `tags` holds lists, `place` is nested."""
RANGES = {"$gt": operator.gt, "$gte": operator.ge, "$lt": operator.lt, "$lte": operator.le}


def _documents() -> list[Document]:
    langs, years, tags = ["de", "en", "fr", "", "größe", None], range(2018, 2027), [[], ["a"], ["a", "b"], ["c"], None]
    found = []
    for number in range(40):
        metadata: dict[str, Any] = {"lang": langs[number % 6], "id": number % 7 - 3, "tags": tags[number % 5]}
        if number % 4:
            metadata |= {"year": years[number % 9], "place": {"city": ["Bonn", "Köln"][number % 2]}}
        if number % 3:
            metadata["draft"] = number % 2 == 0
        found.append(Document(id=str(number), page_content=f"passage {number}", metadata=metadata))
    return found


def _comparisons(key: str) -> st.SearchStrategy[Any]:
    value = VALUES[key] | st.none()
    several = st.lists(value, max_size=3)
    choices = [
        value,
        st.fixed_dictionaries({"$eq": value}),
        st.fixed_dictionaries({"$ne": value}),
        st.fixed_dictionaries({"$in": several}),
        st.fixed_dictionaries({"$nin": several}),
        st.fixed_dictionaries({"$exists": st.booleans()}),
        st.fixed_dictionaries({"$not": st.fixed_dictionaries({"$in": several})}),
    ]
    if key != "draft":
        choices.append(st.dictionaries(st.sampled_from(list(RANGES)), VALUES[key], min_size=1, max_size=2))
    return st.one_of(choices)


CONDITIONS = st.fixed_dictionaries({}, optional={key: _comparisons(key) for key in VALUES})
CLAUSES = st.sampled_from([{"bool": {"should": []}}, {"match_none": {}}, {"match_all": {}}, {"bool": {"filter": []}}])
FILTERS = st.recursive(
    CONDITIONS | CLAUSES,
    lambda inner: st.one_of(
        st.fixed_dictionaries({"$and": st.lists(inner, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"$or": st.lists(inner, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"$not": inner}),
    ),
    max_leaves=6,
)


def _values(metadata: Mapping[str, Any], key: str) -> list[Any]:
    found: Any = metadata
    for part in key.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    several = found if isinstance(found, list) else [found]
    return [value for value in several if value is not None]


def _refresh(values: list[Any], name: str, asked: Any) -> bool:
    if name == "$not":
        return not all(_refresh(values, inner, value) for inner, value in asked.items())
    if name in ("$ne", "$nin"):
        return not _refresh(values, {"$ne": "$eq", "$nin": "$in"}[name], asked)
    if name == "$eq":
        return not values if asked is None else asked in values
    if name == "$in":
        return any(_refresh(values, "$eq", one) for one in asked)
    if name == "$exists":
        return bool(values) is asked
    return any(RANGES[name](value, asked) for value in values)


def _holds(filter: Mapping[str, Any], metadata: Mapping[str, Any]) -> bool:  # noqa: A002
    if filter in ({"bool": {"should": []}}, {"match_none": {}}):
        return False
    for key, asked in filter.items():
        if key in ("match_all", "bool"):
            held = True
        elif key in ("$and", "$or"):
            held = (all if key == "$and" else any)(_holds(part, metadata) for part in asked)
        elif key == "$not":
            held = not _holds(asked, metadata)
        else:
            comparisons = asked if isinstance(asked, Mapping) else {"$eq": asked}
            held = all(_refresh(_values(metadata, key), name, value) for name, value in comparisons.items())
        if not held:
            return False
    return True


def test_an_index_understands_filters_as_python_does(vectorstore) -> None:
    documents = _documents()
    vectorstore.add_documents(documents)

    @settings(max_examples=200, suppress_health_check=list(HealthCheck))
    @given(FILTERS)
    def agree(filter: Mapping[str, Any]) -> None:  # noqa: A002
        expected = {document.id for document in documents if _holds(filter, document.metadata)}
        found = vectorstore.similarity_search("passage", k=100, filter=filter)
        assert {document.id for document in found} == expected

    agree()


@pytest.mark.parametrize(
    ("filter", "clauses"),
    [
        (None, []),
        ({}, []),
        ([], []),
        ({"lang": "en", "year": 2020}, [{"term": {"lang": "en"}}, {"term": {"year": 2020}}]),
        ({"term": {"lang": "en"}}, [{"term": {"lang": "en"}}]),
        ({"term": "autumn"}, [{"term": {"term": "autumn"}}]),
        ({"term": {"$in": ["autumn"]}}, [{"terms": {"term": ["autumn"]}}]),
        ([{"lang": "en"}, {"range": {"a": {"gte": 1}}}], [{"term": {"lang": "en"}}, {"range": {"a": {"gte": 1}}}]),
        ({"score": 1, "content": "x"}, [{"term": {"meta.score": 1}}, {"term": {"meta.content": "x"}}]),
        ({"operator": "==", "field": "x"}, [{"term": {"operator": "=="}}, {"term": {"field": "x"}}]),
        ({"field": {"$eq": "x"}, "operator": {"$eq": "=="}, "value": 1},
         [{"term": {"field": "x"}}, {"term": {"operator": "=="}}, {"term": {"value": 1}}]),
        ({"bool": {"should": []}}, [{"bool": {"should": [{"match_none": {}}]}}]),
        ({"$or": [{"a": 1}, {"exists": {"field": "b"}}]},
         [{"bool": {"should": [{"term": {"a": 1}}, {"exists": {"field": "b"}}], "minimum_should_match": 1}}]),
    ],
    ids=str,
)  # fmt: skip
def test_either_language_becomes_clauses(filter, clauses) -> None:  # noqa: A002
    assert compile_filter(filter, SCHEMA) == clauses


@pytest.mark.parametrize(
    ("filter", "named"),
    [
        ({"lang": {"$is": "en"}}, r"Unknown operator '\$is'"),
        ({"$xor": [{"lang": "en"}]}, r"Unknown operator '\$xor'"),
        ({"year": {"gte": 2020}}, "Unknown operator 'gte'"),
        ({"lang": {}}, "is empty"),
        ({"$or": []}, r"\$or takes a list of one condition or more, got an empty one"),
        ({"$and": [{"$or": ()}]}, r"\$or takes a list"),
        ({"lang": "\ud800"}, "surrogate"),
        ({"lang": {"$in": [b"en"]}}, "got bytes"),
        ({"lang": {"en"}}, "got set"),
        ({"lang": {"$in": (each for each in "en")}}, r"\$in takes a list, got generator"),
        ({"terms": {"lang": {"en"}}}, "got set"),
        ({"field": "meta.lang", "operator": "==", "value": "en"}, r"Haystack\. Write {'lang': {'\$eq': 'en'}}"),
        ({"field": "lang", "operator": "not in", "value": ["en"]}, r"Write {'lang': {'\$nin': \['en'\]}}"),
        ({"operator": "AND", "conditions": []}, r"Haystack\. Write {'\$and': \[...\]}"),
        ({"operator": "NOT", "conditions": []}, r"Write {'\$not': {...}}"),
        ({"$or": [{"field": "lang", "operator": "==", "value": "en"}]}, "Haystack"),
        ([{"operator": "OR", "conditions": []}], "Haystack"),
        ({"$and": {"lang": "en"}}, r"\$and takes a list"),
        ({"lang": {"$in": "en"}}, r"\$in takes a list"),
        ({"lang": ["en"]}, "A value in a filter"),
        ({"day": {date(2026, 1, 1)}}, "a date or None, got set"),
        ({"year": {"$gt": None}}, r"\$gt takes a number"),
        ({"year": {"$exists": "yes"}}, r"\$exists takes True or False"),
        ({1: "en"}, "names metadata keys"),
        ("lang:en", "got str"),
        (["lang"], "A condition is a mapping"),
    ],
    ids=without_address,
)
def test_what_is_no_filter_is_refused_by_name(filter, named: str) -> None:  # noqa: A002
    with pytest.raises(FilterSyntaxError, match=named):
        compile_filter(filter, SCHEMA)


def test_the_filter_stays_as_it_is() -> None:
    given_filter = {"$not": {"lang": {"$in": ["en", None]}}}
    compile_filter(given_filter, SCHEMA)
    assert given_filter == {"$not": {"lang": {"$in": ["en", None]}}}


def _found(vectorstore: Any, wanted: Any) -> Iterator[Any]:
    yield lambda: vectorstore.similarity_search("passage", filter=wanted)
    yield lambda: vectorstore.max_marginal_relevance_search("passage", filter=wanted)
    yield lambda: vectorstore.similarity_search_with_relevance_scores("passage", filter=wanted)
    yield lambda: asyncio.run(vectorstore.asimilarity_search("passage", filter=wanted))
    for kind in ("sparse", "hybrid"):
        retriever = vectorstore.as_retriever(search_type=kind, search_kwargs={"filter": wanted})
        yield lambda retriever=retriever: retriever.invoke("passage")
        yield lambda retriever=retriever: asyncio.run(retriever.ainvoke("passage"))


def test_an_or_over_no_conditions_lets_nothing_through(vectorstore) -> None:
    vectorstore.add_documents(_documents())
    for nothing in (
        {"lang": {"$in": []}},
        {"bool": {"should": []}},
        {"bool": {"should": [], "minimum_should_match": 1}},
    ):
        for ask in _found(vectorstore, nothing):
            assert ask() == []


def test_a_key_that_no_document_has_is_a_warning(vectorstore) -> None:
    vectorstore.add_documents(_documents())
    for ask in _found(vectorstore, {"lnag": "en"}):
        with pytest.warns(UnmappedFieldWarning, match=r"field 'lnag' of the filter.*Did you mean 'lang'\?"):
            assert ask() == []


@pytest.mark.parametrize("key", ["metadata.lang", "meta.lang"])
def test_the_prefix_of_another_layout_is_refused_with_the_right_name(vectorstore, key: str) -> None:
    vectorstore.add_documents(_documents())
    for ask in _found(vectorstore, {key: "en"}):
        with pytest.raises(FilterSyntaxError, match=r"Write 'lang'\."):
            ask()
    for ask in _found(vectorstore, {"term": {key: "en"}}):
        with pytest.raises(FilterSyntaxError, match=r"Write 'lang'\."):
            ask()

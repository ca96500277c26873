from __future__ import annotations

import pytest

from opensearch_neural_sparse.errors import FilterSyntaxError, IndexNotFoundError
from opensearch_neural_sparse.mcp_server.access import Access


@pytest.mark.parametrize("name", ["articles", "docs-1", "docs-"])
def test_named_and_matching_indices_may_be_searched(name: str) -> None:
    access = Access(indices=["articles", "docs-*"])
    access.check_name(name)
    access.check_found(name, [name])


@pytest.mark.parametrize(
    "name",
    [
        *("secret", "articles,secret", "docs-*", "*", "_all", "-articles", "docs-1,secret", "docs-<x>", ""),
        *("other:docs-1", "docs-1/_search", "docs-?", "docs-[1]", "docs-1 ", ".docs-1", "articles*"),
    ],
)
def test_every_other_name_list_or_pattern_is_refused_like_a_missing_index(name: str) -> None:
    with pytest.raises(IndexNotFoundError, match="list_indices") as refused:
        Access(indices=["articles", "docs-*"]).check_name(name)
    assert refused.value.index == name


def test_an_alias_is_searched_where_it_is_named_and_not_by_a_pattern() -> None:
    access = Access(indices=["articles", "docs-*"])
    access.check_found("articles", ["articles-7"])
    with pytest.raises(IndexNotFoundError):
        access.check_found("docs-all", ["secret"])
    with pytest.raises(IndexNotFoundError):
        access.check_found("docs-all", ["docs-all", "secret"])


@pytest.mark.parametrize("indices", [[], [""], ["a,b"], ["_all"], ["-a"], ["a b"], [".hidden"], ["other:a"], ["a?"]])
def test_what_is_no_name_or_pattern_is_refused_at_the_start(indices: list[str]) -> None:
    with pytest.raises(ValueError, match=r"docs-\*"):
        Access(indices=indices)


@pytest.mark.parametrize("limit", [0, -1, 10_001])
def test_a_limit_out_of_range_is_refused_at_the_start(limit: int) -> None:
    with pytest.raises(ValueError, match=f"is {limit}, not 1 to 10000"):
        Access(indices=["a"], size_limit=limit)


def test_a_fence_that_is_no_filter_is_refused_at_the_start() -> None:
    with pytest.raises(FilterSyntaxError):
        Access(indices=["a"], fence={"lang": {"$eq": "en"}})


def test_the_fence_goes_with_every_filter() -> None:
    fence, own = {"term": {"public": True}}, {"term": {"lang": "en"}}
    access = Access(indices=["a"], fence=fence)
    assert access.fenced() == access.fenced([]) == [fence]
    assert access.fenced(own) == access.fenced([own]) == [fence, own]
    assert access.fenced({"bool": {"should": [own, {"match_all": {}}]}})[0] == fence


def test_the_fence_of_the_operator_may_use_any_clause() -> None:
    fence = {"script": {"script": {"source": "true"}}}
    assert Access(indices=["a"], fence=[fence]).fenced() == [fence]


@pytest.mark.parametrize("size", [0, 6, -1])
def test_a_size_beyond_the_limit_is_refused_with_the_limit(size: int) -> None:
    access = Access(indices=["a"], size_limit=5)
    access.check_size(5)
    with pytest.raises(ValueError, match=f"size is {size}; this server allows 1 to 5."):
        access.check_size(size)

"""Depth of nested values, in documents and filters."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensearch_neural_sparse import (
    FilterSyntaxError,
    IndexSchemaError,
    InvalidVectorError,
    SparseDocument,
    SparseVector,
)
from opensearch_neural_sparse.index.metadata.nesting import DEEPEST, is_too_deep
from opensearch_neural_sparse.search.filters.filter_clauses import filter_clauses

JSON = st.recursive(
    st.integers() | st.text() | st.none(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)


def nested(levels: int, *, of: type = dict) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = {"a": value} if of is dict else [value]
    return value


@pytest.mark.parametrize("of", [dict, list])
def test_values_up_to_the_limit_are_not_too_deep(of: type) -> None:
    assert not is_too_deep(nested(DEEPEST, of=of))
    assert is_too_deep(nested(DEEPEST + 1, of=of))
    assert is_too_deep(nested(100_000, of=of))


@given(JSON)
def test_ordinary_values_are_not_too_deep(value: Any) -> None:
    assert not is_too_deep(value)


def test_value_that_holds_itself_is_too_deep() -> None:
    loop: list[Any] = []
    loop.extend([loop, loop, {"again": loop}])
    assert is_too_deep(loop)


@pytest.mark.parametrize("name", ["metadata", "extra_fields"])
def test_document_is_refused_by_its_id(name: str) -> None:
    part: dict[str, Any] = {name: {"blob": nested(5000)}}
    with pytest.raises(IndexSchemaError, match=f"Document 'x': {name} is nested more than 100 levels deep"):
        SparseDocument(id="x", **part)


@pytest.mark.parametrize("several", [False, True])
def test_filter_is_refused(several: bool) -> None:
    clause = {"bool": nested(5000)}
    with pytest.raises(FilterSyntaxError, match="nested more than 100 levels deep"):
        filter_clauses([clause] if several else clause)


def test_weight_beyond_every_float_is_refused_by_its_length() -> None:
    with pytest.raises(InvalidVectorError, match="weight of 16610 bits: a weight is finite"):
        SparseVector({"a": 10**5000})

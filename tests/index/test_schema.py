"""Names of an index's fields."""

from __future__ import annotations

from typing import Any

import pytest

from opensearch_neural_sparse import IndexSchema, IndexSchemaError

NAMES = ("text_field", "sparse_field", "model_field", "embedding_field")


@pytest.mark.parametrize("parameter", NAMES)
@pytest.mark.parametrize("name", ["id", "meta", "_id", "_source", "_routing"])
def test_name_that_is_taken_is_refused(parameter: str, name: str) -> None:
    options: dict[str, Any] = {parameter: name}
    with pytest.raises(IndexSchemaError, match=f"cannot be called '{name}': the name is taken"):
        IndexSchema(**options)


@pytest.mark.parametrize("parameter", NAMES)
@pytest.mark.parametrize("name", ["a*b", "*", "a\0b", "a\nb", "x" * 70_000])
def test_name_that_no_field_can_have_is_refused_in_one_short_line(parameter: str, name: str) -> None:
    options: dict[str, Any] = {parameter: name}
    with pytest.raises(IndexSchemaError, match="printable characters") as raised:
        IndexSchema(**options)
    assert len(str(raised.value)) < 700
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("name", ["a.b", "a.", " a", "", 3, None])
def test_name_that_is_no_plain_name_is_refused(name: Any) -> None:
    with pytest.raises(IndexSchemaError):
        IndexSchema(text_field=name)

from __future__ import annotations

import pytest

from opensearch_neural_sparse import IndexSchema
from opensearch_neural_sparse.index.documents.stored_text import stored_text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("red planet", "red planet"),
        ("", ""),
        (["red planet", "far moon"], "red planet\nfar moon"),
        (["red", [1, None, True], "moon"], "red\n1\ntrue\nmoon"),
        (42, "42"),
        (42.5, "42.5"),
        (False, "false"),
        (None, None),
        ([], None),
        ([None], None),
        ({"no": "text field takes an object"}, None),
    ],
)
def test_text_of_any_json_is_read_as_the_server_analyses_it(value: object, text: str | None) -> None:
    assert stored_text({"content": value, "other": 1}, IndexSchema()) == text
    assert stored_text({"body": value}, IndexSchema(text_field="body")) == text


def test_a_source_without_the_field_has_no_text() -> None:
    assert stored_text({"other": "red"}, IndexSchema()) is None

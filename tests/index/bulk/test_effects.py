"""What documents of an index say of bulk actions on their ids."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensearch_neural_sparse import IndexSchema, SparseDocument, SparseVector
from opensearch_neural_sparse.index.bulk.actions import (
    BulkAction,
    PendingAction,
    delete_action,
    serialize_actions,
    update_draft,
    write_draft,
)
from opensearch_neural_sparse.index.bulk.effects import Effect, ReadAction, effect_of, read_action
from opensearch_neural_sparse.index.bulk.updates import metadata_draft, text_draft

SCHEMA = IndexSchema()
HOLDS, OTHER, UNCLEAR = Effect.HOLDS, Effect.OTHER, Effect.UNCLEAR


def read(draft: PendingAction) -> ReadAction:
    (action,) = serialize_actions([draft])
    assert isinstance(action, BulkAction)
    return read_action(action)


def row(source: Mapping[str, Any]) -> dict[str, Any]:
    return {"found": True, "_source": source}


MISSING = {"found": False}
WRITTEN = read(write_draft(SparseDocument(id="a", text="river", metadata={"n": 1}, routing="r"), SCHEMA))


def test_action_is_read_from_its_lines() -> None:
    assert (WRITTEN.id, WRITTEN.operation, WRITTEN.routing) == ("a", "index", "r")
    assert WRITTEN.body["content"] == "river"
    assert read_action(delete_action("a", routing="s")) == ReadAction("a", "delete", "s", {}, ())


@pytest.mark.parametrize(
    ("found", "effect"),
    [
        (row(WRITTEN.body), HOLDS),
        (MISSING, OTHER),
        (row({**WRITTEN.body, "content": "lake"}), OTHER),
        (row({**WRITTEN.body, "more": 1}), OTHER),
        (row({"id": "a", "n": 1}), UNCLEAR),
        (row({}), UNCLEAR),
        (None, UNCLEAR),
        ({"error": {"type": "no_shard_available_action_exception"}}, UNCLEAR),
        ({"found": True}, UNCLEAR),
        ({"found": "yes"}, UNCLEAR),
    ],
)
def test_document_is_compared_with_the_one_sent(found: Mapping[str, Any] | None, effect: Effect) -> None:
    assert effect_of(WRITTEN, found) is effect
    assert effect_of(WRITTEN._replace(operation="create"), found) is effect


def test_pipeline_may_add_its_fields_and_what_it_changes_is_unclear() -> None:
    encoded = {**WRITTEN.body, "sparse_vector": {"river": 1.0}}
    assert effect_of(WRITTEN, row(encoded), {"sparse_vector"}) is HOLDS
    assert effect_of(WRITTEN, row({**encoded, "more": 1}), {"sparse_vector"}) is UNCLEAR
    assert effect_of(WRITTEN, row({**WRITTEN.body, "content": "RIVER"}), frozenset()) is UNCLEAR
    assert effect_of(WRITTEN, MISSING, frozenset()) is OTHER


def test_dense_vector_is_compared_as_the_server_keeps_it() -> None:
    sent = ReadAction("a", "index", None, {"embedding": [1 / 7, 1.0]}, ())
    assert effect_of(sent, row({"embedding": [0.14285715, 1.0]})) is HOLDS
    assert effect_of(sent, row({"embedding": [0.14285716, 1.0]})) is OTHER
    assert effect_of(sent, row({"embedding": [0.14285715]})) is OTHER
    assert effect_of(sent, row({"embedding": [0.14285715, "1"]})) is OTHER
    assert effect_of(sent, row({"embedding": [0.14285715, 1e300]})) is OTHER


def test_deletion_holds_where_nothing_is_found() -> None:
    deletion = read_action(delete_action("a"))
    assert effect_of(deletion, MISSING) is HOLDS
    assert effect_of(deletion, row({})) is OTHER
    assert effect_of(deletion, None) is UNCLEAR


def test_partial_update_holds_where_its_fields_are_there() -> None:
    update = read(update_draft("a", {"v": {"river": 1.5}, "n": 2}, vector="v", seq_no=1, primary_term=1))
    assert effect_of(update, row({"v": {"river": 1.5, "old": 1}, "n": 2, "content": "x"})) is HOLDS
    assert effect_of(update, row({"v": {"river": 2.5}, "n": 2})) is OTHER
    assert effect_of(update, row({"v": 1, "n": 2})) is OTHER
    assert effect_of(update, row({"n": 2})) is UNCLEAR
    assert effect_of(update, MISSING) is OTHER


def test_update_of_metadata_holds_where_the_script_would_change_nothing() -> None:
    update = read(metadata_draft("a", {"n": 2, "gone": None, "id": 7}, SCHEMA))
    assert effect_of(update, row({"n": 2, "meta": {"id": 7, "x": 1}, "more": 1})) is HOLDS
    assert effect_of(update, row({"n": 2, "meta": {"id": 7}, "gone": 1})) is OTHER
    assert effect_of(update, row({"n": 2, "meta": {"id": 8}})) is OTHER
    assert effect_of(update, row({"n": 2})) is OTHER
    assert effect_of(update, row({"n": 1, "meta": {"id": 7}})) is OTHER
    assert effect_of(update, row({"meta": {"id": 7}})) is UNCLEAR
    whole = read(metadata_draft("a", {"n": 2}, SCHEMA, replace=True))
    assert effect_of(whole, row({"id": "a", "content": "x", "n": 2})) is HOLDS
    assert effect_of(whole, row({"id": "a", "content": "x", "n": 2, "more": 1})) is OTHER


def test_update_of_a_text_holds_where_text_and_vector_are_there() -> None:
    update = read(text_draft(SparseDocument(id="a", text="lake", vector=SparseVector({"lake": 1.5})), SCHEMA))
    assert effect_of(update, row({"content": "lake", "sparse_vector": {"lake": 1.5}, "n": 1})) is HOLDS
    assert effect_of(update, row({"content": "lake", "sparse_vector": {"lake": 1.0}})) is OTHER
    assert effect_of(update, row({"content": "river", "sparse_vector": {"lake": 1.5}})) is OTHER


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.text(max_size=3), _VALUES, max_size=4), st.dictionaries(st.text(max_size=3), _VALUES))
def test_only_a_document_of_the_same_fields_holds_what_was_sent(sent: dict[str, Any], held: dict[str, Any]) -> None:
    action = ReadAction("a", "index", None, json.loads(json.dumps(sent)), ())
    assert effect_of(action, row(json.loads(json.dumps(sent)))) is HOLDS
    assert effect_of(action, row(held)) is HOLDS or held != sent
    assert (effect_of(action, row(held)) is HOLDS) <= (held.keys() == sent.keys())

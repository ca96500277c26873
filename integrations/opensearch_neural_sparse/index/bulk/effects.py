"""Whether an index holds what a bulk action was to do; pure."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from enum import Enum, auto
from struct import error as StructError  # noqa: N812  as exceptions are named
from struct import pack
from typing import Any, NamedTuple

from opensearch_neural_sparse.index.bulk.actions import BulkAction, BulkOperation


class Effect(Enum):
    """Effect of an action on a document, as the index shows it."""

    HOLDS = auto()
    """The index holds what the action was to do."""
    OTHER = auto()
    """It holds something else, or nothing where there was to be something."""
    UNCLEAR = auto()
    """It cannot be compared: fields are hidden, or a pipeline may have changed them."""


class ReadAction(NamedTuple):
    """An action, read from its lines.

    Attributes:
        id: The document's id.
        operation: Its name in the request.
        routing: What its shard is chosen by, in place of the id.
        body: Its second line.
        lacks: Vector fields that the document is written without.
    """

    id: str
    operation: str
    routing: str | None
    body: Mapping[str, Any]
    lacks: tuple[str, ...]


def read_action(action: BulkAction) -> ReadAction:
    """Read an action from its lines.

    Args:
        action: The action.
    """
    header, *body = action.body.splitlines()
    operation, parameters = next(iter(json.loads(header).items()))
    return ReadAction(
        action.id, operation, parameters.get("routing"), json.loads(body[0]) if body else {}, action.lacks
    )


def effect_of(action: ReadAction, row: Mapping[str, Any] | None, added: Collection[str] | None = None) -> Effect:
    """Return what a document of the index says of an action on its id.

    Args:
        action: The action.
        row: The row of a response to `_mget`; None where there is no answer.
        added: Names of the fields that a pipeline adds to documents; None where none runs, so that the index holds a
            document as it was sent.
    """
    if row is None or "error" in row or not isinstance(row.get("found"), bool):
        return Effect.UNCLEAR
    if action.operation == BulkOperation.DELETE:
        return Effect.OTHER if row["found"] else Effect.HOLDS
    if not row["found"]:
        return Effect.OTHER
    source = row.get("_source")
    if not isinstance(source, Mapping):
        return Effect.UNCLEAR
    if action.operation != "update":
        return _of_document(action.body, source, added)
    if "doc" in action.body:
        return _of_part(action.body["doc"], source)
    return _of_script(action.body["script"]["params"], source)


def _of_document(sent: Mapping[str, Any], source: Mapping[str, Any], added: Collection[str] | None) -> Effect:
    if added is None:
        differ = any(not _is_same(source[name], value) for name, value in sent.items() if name in source)
        if differ or source.keys() - sent.keys():
            return Effect.OTHER
        return Effect.HOLDS if source.keys() == sent.keys() else Effect.UNCLEAR
    as_sent = all(name in source and _is_same(source[name], value) for name, value in sent.items())
    return Effect.HOLDS if as_sent and source.keys() - sent.keys() <= set(added) else Effect.UNCLEAR


def _of_part(sent: Mapping[str, Any], source: Mapping[str, Any]) -> Effect:
    """Compare a partial document; the server merges its objects with those that are there."""
    if not sent.keys() <= source.keys():
        return Effect.UNCLEAR
    return Effect.HOLDS if all(_contains(source[name], value) for name, value in sent.items()) else Effect.OTHER


def _contains(held: object, sent: object) -> bool:
    if isinstance(held, Mapping) and isinstance(sent, Mapping):
        return all(name in held and _contains(held[name], value) for name, value in sent.items())
    return _is_same(held, sent)


def _is_same(held: object, sent: object) -> bool:
    """Compare values; lists of numbers as the server gives them, which keeps dense vectors as 32-bit numbers alone."""
    if held == sent:
        return True
    if not (isinstance(held, list) and isinstance(sent, list) and len(held) == len(sent)):
        return False
    try:
        return pack(f"{len(held)}f", *held) == pack(f"{len(sent)}f", *sent)
    except (StructError, OverflowError):
        return False


def _of_script(parameters: Mapping[str, Any], source: Mapping[str, Any]) -> Effect:
    """Compare the parameters of the script of `updates.py` with what it leaves."""
    nested = source.get(parameters["nested"])
    held, put = nested if isinstance(nested, Mapping) else {}, parameters["put"]
    kept = parameters["keep"]
    gone = not any(name in source for name in parameters["drop"] if name not in put)
    gone = gone and not any(name in held for name in parameters["nested_drop"])
    gone = gone and (kept is None or source.keys() <= {*kept, *put, parameters["nested"]})
    if not (gone and all(_is_same(source[name], value) for name, value in put.items() if name in source)):
        return Effect.OTHER
    if not put.keys() <= source.keys():
        return Effect.UNCLEAR
    return Effect.HOLDS if _contains(held, parameters["nested_put"]) else Effect.OTHER

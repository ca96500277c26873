"""Fields of boosts: whether the indices map them, by types that a boost reads."""

from __future__ import annotations

from collections.abc import Iterable

from opensearch_neural_sparse.errors import IndexSchemaError
from opensearch_neural_sparse.index.index_info import IndexInfo
from opensearch_neural_sparse.index.metadata.field_names import field_type, maps_field
from opensearch_neural_sparse.index.metadata.field_types import NUMBERS
from opensearch_neural_sparse.search.options.refinements.boosts import Boost, BoostMode, RecencyBoost
from opensearch_neural_sparse.store.operations.field_checks.unmapped_fields import suggested_field

_DATES = frozenset({"date", "date_nanos"})
_UNTYPED = frozenset({"alias", None})
"""Types of which the mapping of the field itself does not say whether a boost reads it; the server does."""
_READ = {True: _DATES | _UNTYPED, False: NUMBERS | _DATES | {"token_count"} | _UNTYPED}
"""Whether a boost is by dates -> types that the server takes; it refuses others, or finds nothing in them."""


def unreadable_boosts(boosts: Iterable[Boost], state: IndexInfo) -> list[Boost]:
    """Return the boosts by fields that the indices do not map, or by types that no boost reads.

    A field that some of several indices lack is read where the server takes the boost on the others.

    Args:
        boosts: The boosts.
        state: What is known of the index.
    """
    return [boost for boost in boosts if state.mappings and (_lacking(boost, state) or _unread(boost, state))]


def refuse_unreadable_boosts(index: str, boosts: Iterable[Boost], state: IndexInfo) -> None:
    """Raise IndexSchemaError for a boost by a field that the indices do not map, or of a type that no boost reads.

    Args:
        index: The name that is searched.
        boosts: The boosts.
        state: What is known of the index.
    """
    for boost in unreadable_boosts(boosts, state):
        if unread := _unread(boost, state):
            raise IndexSchemaError(_unread_message(index, boost, unread))
        raise IndexSchemaError(_lacking_message(index, boost, state))


def _lacking(boost: Boost, state: IndexInfo) -> list[str]:
    """Return the indices that lack a boost's field, where the server refuses the boost for it."""
    pairs = zip(state.indices, state.mappings, strict=True)
    lacking = [name for name, mappings in pairs if not maps_field(mappings, boost.path)]
    bears = not isinstance(boost, RecencyBoost) or boost.mode is BoostMode.ADD
    return [] if bears and len(lacking) < len(state.mappings) else lacking


def _unread(boost: Boost, state: IndexInfo) -> str | None:
    """Return a type of the field that a boost does not read, or None."""
    types = (field_type(mappings, boost.path) for mappings in state.mappings)
    return next((found for found in types if found not in _READ[isinstance(boost, RecencyBoost)]), None)


def _lacking_message(index: str, boost: Boost, state: IndexInfo) -> str:
    lacking = _lacking(boost, state)
    where = f"index {index!r} does not have"
    if len(lacking) < len(state.indices):
        where = f"{', '.join(map(repr, lacking))} behind {index!r} {'does' if len(lacking) == 1 else 'do'} not have"
    if boost.path != boost.field and (held := _held_type(boost.field, state)) is not None:
        wayout = "No document has had a date there. Write dates as ISO 8601, such as '2026-06-01'."
        if held in _DATES:
            wayout = f"It holds dates itself: RecencyBoost(field={boost.field!r}, subfield=None, ...)."
        return f"boosts names the dates of field {boost.field!r} ({held}) as {boost.path!r}, which {where}. {wayout}"
    declared = {boost.field: {"type": "date" if isinstance(boost, RecencyBoost) else "double"}}
    wayout = f"Indices created with metadata_fields={declared} have it before any document does."
    if close := suggested_field(boost.field, state):
        wayout = f"{close} {wayout}"
    return f"boosts names field {boost.field!r}, which {where}. {wayout}"


def _held_type(field: str, state: IndexInfo) -> str | None:
    """Return the type of a field in the first index that maps it."""
    types = (field_type(mappings, field) for mappings in state.mappings)
    return next((found for found in types if found is not None), None)


def _unread_message(index: str, boost: Boost, found: str) -> str:
    kind, reads = type(boost).__name__, "dates" if isinstance(boost, RecencyBoost) else "numbers"
    return (
        f"A {kind} reads {reads}, and field {boost.path!r} of index {index!r} is of type {found}. Name one of {reads}."
    )

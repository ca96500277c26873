"""Filters on fields that no index maps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from opensearch_neural_sparse.error_reasons import did_you_mean, first_of
from opensearch_neural_sparse.errors import FilterSyntaxError, HiddenFieldError, IndexSchemaError, UnmappedFieldWarning
from opensearch_neural_sparse.index.index_info import IndexInfo
from opensearch_neural_sparse.index.metadata.field_names import field_names, maps_field
from opensearch_neural_sparse.index.metadata.instants import AS_DATE
from opensearch_neural_sparse.index.schema import META_FIELD
from opensearch_neural_sparse.search.filters.clause_checks import fields_of
from opensearch_neural_sparse.search.filters.foreign_syntax import without_prefix
from opensearch_neural_sparse.search.options.legs import Bm25Leg, DenseLeg, Leg
from opensearch_neural_sparse.search.query.resolved_legs import words_fields
from opensearch_neural_sparse.search.results.hits import SearchHits
from opensearch_neural_sparse.telemetry.caller import warn_caller

_NAMED = 10
"""Fields that are named where none is close."""


def unmapped_fields(
    clauses: Iterable[Mapping[str, Any]], state: IndexInfo, found: Iterable[SearchHits] = ()
) -> list[str]:
    """Return the fields of filter clauses that none of the indices maps; none where the mappings are not known.

    Args:
        clauses: The filter.
        state: What is known of the index.
        found: Hits of it; a field that one of them has is mapped by now, whatever is known.
    """
    if not state.mappings:
        return []
    named = dict.fromkeys(name for clause in clauses for name in fields_of(clause))
    return [
        name
        for name in named
        if not _is_mapped(name, state) and not any(_holds(hit.source, name) for hits in found for hit in hits)
    ]


def report_unmapped(index: str, clauses: Iterable[Mapping[str, Any]], state: IndexInfo, part: str = "filter") -> None:
    """Warn of fields of filter clauses that none of the indices maps; an index without metadata yet is no cause.

    Args:
        index: The name that is searched.
        clauses: The clauses.
        state: What is known of the index.
        part: The part of the search that has the fields.

    Raises:
        FilterSyntaxError: Such a field is one of the index behind the prefix that other libraries write.
    """
    unmapped = unmapped_fields(clauses, state)
    for name in unmapped:
        if (own := without_prefix(name)) != name and _is_mapped(own, state):
            raise FilterSyntaxError(
                f"No mapping of index {index!r} has the field {name!r} of the {part}: metadata lies at the top level. "
                f"Write {own!r}."
            )
    if unmapped and (known := _metadata_fields(state)):
        warn_caller(UnmappedFieldWarning(_message(index, unmapped, known, part)))


def unmapped_legs(legs: Iterable[Leg], state: IndexInfo) -> list[tuple[str, str]]:
    """Return name and field of the legs that search a field which none of the indices maps."""
    if not state.mappings:
        return []
    searched = [(leg.name, _searched_field(leg, state)) for leg in legs]
    return [(name, field) for name, field in searched if not _is_mapped(field, state)]


def refuse_unmapped_legs(index: str, legs: Sequence[Leg], state: IndexInfo) -> None:
    """Raise IndexSchemaError where a leg searches a field that none of the indices maps."""
    languages = {leg.name: leg.language for leg in legs if isinstance(leg, Bm25Leg)}
    for name, field in unmapped_legs(legs, state):
        if field == state.hidden_text or field in state.schema.bindings:
            raise HiddenFieldError(index, field, use=f"which leg {name!r} searches")
        if (language := languages.get(name)) is not None:
            known = sorted(state.schema.languages)
            wayout = f"Its languages are {known}." if known else "It has no text by language."
            wayout += f" New indices get one by IndexSchema(languages=[{language!r}])."
        elif field == state.schema.embedding_field:
            wayout = "Dense vectors need IndexSchema(embedding_dimension=...) when the index is created."
        else:
            known = sorted({own for mappings in state.mappings for own in field_names(mappings.get("properties", {}))})
            wayout = _suggestion([field], known)
        raise IndexSchemaError(f"Leg {name!r} searches field {field!r}, which index {index!r} does not have. {wayout}")


def _searched_field(leg: Leg, state: IndexInfo) -> str:
    if isinstance(leg, Bm25Leg):
        return words_fields(state.schema, leg.field, leg.language)[0]
    return leg.field or (state.schema.embedding_field if isinstance(leg, DenseLeg) else state.schema.sparse_path)


def refuse_unmapped_group(index: str, field: str, state: IndexInfo) -> None:
    """Raise IndexSchemaError where hits are grouped by a field that none of the indices maps."""
    if unmapped_fields([{"exists": {"field": field}}], state):
        wayout = _suggestion([field], _metadata_fields(state))
        raise IndexSchemaError(f"collapse groups by field {field!r}, which index {index!r} does not have. {wayout}")


def suggested_field(name: str, state: IndexInfo) -> str | None:
    """Return which fields of metadata a misspelt one may be, or which there are; None where there are none."""
    known = _metadata_fields(state)
    return _suggestion([without_prefix(name)], known) if known else None


def _message(index: str, unmapped: list[str], known: list[str], part: str) -> str:
    fields = "field" if len(unmapped) == 1 else "fields"
    wayout = _suggestion(map(without_prefix, unmapped), known)
    named = ", ".join(map(repr, unmapped))
    return f"No mapping of index {index!r} has the {fields} {named} of the {part}, so no document does. {wayout}"


def _suggestion(names: Iterable[str], known: list[str]) -> str:
    """Return which of the known fields are close to the names of others, or else which there are."""
    close = dict.fromkeys(match for name in names for match in get_close_matches(name, known))
    return did_you_mean(close) or f"It has {first_of(known, _NAMED)}."


def _metadata_fields(state: IndexInfo) -> list[str]:
    """Return the fields of the mappings without those that the index keeps for itself."""
    names = (name for mappings in state.mappings for name in field_names(mappings.get("properties", {})))
    names = (name for name in names if not name.endswith(f".{AS_DATE}"))
    return sorted({name for name in names if name.startswith(f"{META_FIELD}.") or not state.schema.is_reserved(name)})


def _is_mapped(name: str, state: IndexInfo) -> bool:
    return any(maps_field(mappings, name) for mappings in state.mappings)


def _holds(source: Mapping[str, Any], name: str) -> bool:
    value: Any = source
    for part in name.split("."):
        if not isinstance(value, Mapping) or part not in value:
            return False
        value = value[part]
    return True

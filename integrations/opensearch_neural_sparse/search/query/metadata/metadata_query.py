"""Query of documents by words of their metadata."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from opensearch_neural_sparse.index.metadata.searched_types import SearchedBy
from opensearch_neural_sparse.search.options.metadata_search import MetadataMode
from opensearch_neural_sparse.search.query.metadata.patterns import (
    FEWEST_LETTERS,
    containing,
    equal,
    nearly_containing,
)

_EQUAL, _WORD, _NEARLY = 4.0, 1.0, 0.5
"""Scores of a value that is the whole part, of a word in it, and of a word that is one edit away."""
_NO_MORE_EDITS = 1000
"""Letters from which on two edits would be allowed; no word has so many."""


def metadata_query(
    parts: Sequence[Sequence[str]], fields: Mapping[str, SearchedBy], mode: MetadataMode, clauses: Sequence[Any]
) -> dict[str, Any]:
    """Return the query of documents that have words of a part in a field.

    Its scores depend on the values of the fields alone, so that documents of one row have one score.

    Args:
        parts: The words of each part.
        fields: Full name -> how the field is searched.
        mode: Whether all words of a part are in one field, or any.
        clauses: The filter.
    """
    found = [_best([_part(words, field, by, mode) for field, by in fields.items()]) for words in parts]
    return {"bool": {"should": found, "minimum_should_match": 1, "filter": list(clauses)}}


def _part(words: Sequence[str], field: str, by: SearchedBy, mode: MetadataMode) -> dict[str, Any]:
    found = [_word(word, field, by, mode) for word in words]
    needed = len(found) if mode is MetadataMode.STRICT else 1
    query: dict[str, Any] = {"bool": {"should": found, "minimum_should_match": needed}}
    whole = equal(words) if by is SearchedBy.PATTERN else None
    return query if whole is None else _best([query, _scored(_matching(field, whole), _EQUAL)])


def _word(word: str, field: str, by: SearchedBy, mode: MetadataMode) -> dict[str, Any]:
    if by is SearchedBy.VALUE:
        return _scored({"match": {field: {"query": word, "lenient": True}}}, _WORD)
    ways = [_scored(_matching(field, containing(word)), _WORD)]
    if by is SearchedBy.TERMS:  # a word that the analyzer drops is in every text, where all words are needed
        dropped = "all" if mode is MetadataMode.STRICT else "none"
        ways.append(_scored({"match": {field: {"query": word, "zero_terms_query": dropped}}}, _WORD))
    if mode is MetadataMode.FUZZY:
        ways += map(partial(_scored, score=_NEARLY), _nearly(word, field, by))
    return _best(ways)


def _nearly(word: str, field: str, by: SearchedBy) -> list[dict[str, Any]]:
    if by is SearchedBy.TERMS:
        fuzziness = f"AUTO:{FEWEST_LETTERS},{_NO_MORE_EDITS}"
        return [{"match": {field: {"query": word, "fuzziness": fuzziness, "fuzzy_rewrite": "constant_score"}}}]
    pattern = nearly_containing(word)
    return [] if pattern is None else [_matching(field, pattern)]


def _matching(field: str, pattern: str) -> dict[str, Any]:
    return {"regexp": {field: {"value": pattern, "flags": "NONE", "case_insensitive": True}}}


def _scored(query: Mapping[str, Any], score: float) -> dict[str, Any]:
    return {"constant_score": {"filter": dict(query), "boost": score}}


def _best(queries: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return queries[0] if len(queries) == 1 else {"dis_max": {"queries": list(queries)}}

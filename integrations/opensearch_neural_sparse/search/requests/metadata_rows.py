"""Rows of metadata from hits: each combination of values once, best first."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from opensearch_neural_sparse.search.options.metadata_search import MetadataSearch
from opensearch_neural_sparse.search.results.hits import SearchHits

Row = dict[str, Any]
_GROUP = 3


def metadata_rows(search: MetadataSearch, hits: SearchHits) -> list[Row]:
    """Return the rows of hits as field -> value, without fields that a document lacks, best first.

    Args:
        search: The search.
        hits: Its hits, best first; of rows that are as good as each other, the first found comes first.
    """
    rows = {_key(row): row for hit in hits if (row := _row(hit.source, search.fields))}
    parts = [" ".join(words).casefold() for words in search.parts]
    scores = {key: _score(row, parts, search.exact_match_weight) for key, row in rows.items()}
    return [rows[key] for key in sorted(rows, key=scores.__getitem__, reverse=True)[: search.size]]


def _row(source: Mapping[str, Any], fields: Sequence[str]) -> Row:
    found = ((field, list(_values(source, field))) for field in fields)
    return {field: values[0] if len(values) == 1 else values for field, values in found if values}


def _key(row: Row) -> str:
    return json.dumps(row, sort_keys=True)


def _values(value: Any, path: str) -> Iterator[Any]:
    """Yield the values of a field; its name may be one key with dots in it, or several keys."""
    if isinstance(value, list):
        for each in value:
            yield from _values(each, path)
    elif isinstance(value, Mapping):
        for key, below in value.items():
            if key == path and below not in (None, []):
                yield below
            elif path.startswith(f"{key}."):
                yield from _values(below, path[len(key) + 1 :])


def _score(row: Row, parts: Iterable[str], weight: float) -> float:
    values = [text for value in row.values() for text in _texts(value)]
    return sum(max((_similarity(part, value, weight) for value in values), default=0.0) for part in parts)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for each in value:
            yield from _texts(each)
    else:
        yield (value if isinstance(value, str) else json.dumps(value)).casefold()


def _similarity(part: str, value: str, weight: float) -> float:
    ours, theirs = _groups(part), _groups(value)
    return len(ours & theirs) / len(ours | theirs) + (weight if part in value else 0.0)


def _groups(text: str) -> set[str]:
    """Return the groups of three letters of the words of a text, with its beginnings and ends as such."""
    words = [f"  {word} " for word in text.split()]
    return {word[place : place + _GROUP] for word in words for place in range(len(word) - _GROUP + 1)}

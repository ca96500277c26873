"""Requests of a journal in an index, and what their answers say.

The index holds a document of target and run, and a log: groups of entries, each a document that is never changed. The
sequence numbers of the server are their order.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from opensearch_neural_sparse.error_reasons import short_reason
from opensearch_neural_sparse.errors import JournalError, unreadable_answer
from opensearch_neural_sparse.index.documents.serializer import to_exact_line
from opensearch_neural_sparse.ingestion.journals.entry_columns import from_columns, to_columns
from opensearch_neural_sparse.ingestion.journals.journal import JournalEntry

FORMAT = 2
"""Version of the index's format, stored in the `_meta` of its mapping."""
LOAD_ID = "load"
"""Id of the document of target and run."""
META_KEY = "opensearch_neural_sparse_journal"
BULK_ANSWER = "items.*.status,items.*.error"
ROWS_PER_GROUP = 1000
GROUPS_PER_PAGE = 20
_CONFLICT = 409
_GENERATION, _RUN, _GROUP = "generation", "run", "group"


@dataclass(frozen=True, kw_only=True)
class RecordedGroup:
    """A group of the log.

    Attributes:
        run: Number of the run that recorded it.
        entries: Entries, each in place of that of its id before.
        forgotten: Ids whose entries are dropped.
    """

    run: int
    entries: Sequence[JournalEntry] = ()
    forgotten: Sequence[str] = ()


def index_body() -> dict[str, Any]:
    """Return the body of a new index; it is refreshed on request alone."""
    properties = {
        _GENERATION: {"type": "keyword", "doc_values": False},
        _RUN: {"type": "integer", "index": False, "doc_values": False},
        _GROUP: {"type": "object", "enabled": False},
        "load": {"type": "object", "enabled": False},
    }
    return {
        "settings": {"number_of_shards": 1, "auto_expand_replicas": "0-1", "refresh_interval": "-1"},
        "mappings": {"dynamic": False, "_meta": {META_KEY: FORMAT}, "properties": properties},
    }


def is_journal(index: Mapping[str, Any]) -> bool:
    """Return whether an index, as `GET /<index>` describes it, is a journal of this format."""
    found = index.get("mappings", {}).get("_meta", {}).get(META_KEY)
    return bool(found == FORMAT)


def group_lines(name: str, generation: str, group: RecordedGroup) -> bytes:
    """Return the bulk action that records a group; to send it twice records it once.

    Args:
        name: Its id.
        generation: The generation of the log.
        group: The group.
    """
    rows = {"entries": to_columns(group.entries), "forgotten": group.forgotten}
    source = {_GENERATION: generation, _RUN: group.run, _GROUP: rows}
    return to_exact_line({"create": {"_id": name}}) + to_exact_line(source)


def current_lines(condition: Mapping[str, int]) -> bytes:
    """Return the bulk action that changes nothing, and fails where another run was begun.

    Args:
        condition: `if_seq_no` and `if_primary_term` of the document of the run.
    """
    return to_exact_line({"update": {"_id": LOAD_ID, **condition}}) + to_exact_line({"doc": {}})


def is_current(item: Mapping[str, Any]) -> bool:
    """Return whether no other run was begun, by the item of `current_lines`."""
    (result,) = item.values()
    return bool(result["status"] != _CONFLICT)


def crowded_out(items: Sequence[Mapping[str, Any]], sent: int, overloaded: Collection[int]) -> bool:
    """Return whether a bulk request is to be sent again, since the server had no room for a part of it.

    Args:
        items: The items of its answer.
        sent: How many actions it had.
        overloaded: The statuses of a server without room.

    Raises:
        JournalError: An action failed for another reason.
        ServerRequestError: The answer cannot be read.
    """
    if not isinstance(items, list) or len(items) != sent:
        raise unreadable_answer("it has another number of items than the request")
    results = [result for item in items for result in item.values()]
    for result in results:
        if "error" in result and result["status"] not in {_CONFLICT, *overloaded}:
            raise JournalError(f"The server refused an entry of a journal: {short_reason(result['error'])}.")
    return any(result["status"] in overloaded for result in results)


def condition_of(found: Mapping[str, Any]) -> dict[str, int]:
    """Return what a write is conditional on, so that the document of an answer is as it was then."""
    return {"if_seq_no": found["_seq_no"], "if_primary_term": found["_primary_term"]}


def read_load(found: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return target and run of the answer of a `GET` of their document; empty before the first run."""
    load: Mapping[str, Any] = found.get("_source", {}).get("load", {})
    return load


def groups_body(generation: str, after: int) -> dict[str, Any]:
    """Return the search for a page of groups.

    Args:
        generation: The generation of the log.
        after: Sequence number of the last group that is known, or -1.
    """
    filters = [{"term": {_GENERATION: generation}}, {"range": {"_seq_no": {"gt": after}}}]
    return {
        "query": {"bool": {"filter": filters}},
        "size": GROUPS_PER_PAGE,
        "sort": [{"_seq_no": "asc"}],
        "track_total_hits": False,
    }


def read_groups(hits: Sequence[Mapping[str, Any]]) -> Iterator[tuple[int, RecordedGroup]]:
    """Yield the sequence number and the group of each hit of `groups_body`."""
    for hit in hits:
        source = hit["_source"]
        entries = [*from_columns(source[_GROUP]["entries"])]
        (number,) = hit["sort"]
        yield number, RecordedGroup(run=source[_RUN], entries=entries, forgotten=source[_GROUP]["forgotten"])


def other_generations(generation: str) -> dict[str, Any]:
    """Return the query of the groups of all generations but one."""
    other = [{"term": {_GENERATION: generation}}, {"ids": {"values": [LOAD_ID]}}]
    return {"query": {"bool": {"must_not": other}}}


def groups_of(run: int, entries: Sequence[JournalEntry]) -> Iterator[RecordedGroup]:
    """Yield entries in groups."""
    rest = iter(entries)
    while part := [*islice(rest, ROWS_PER_GROUP)]:
        yield RecordedGroup(run=run, entries=part)

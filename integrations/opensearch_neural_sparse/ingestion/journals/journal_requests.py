"""Bodies and answers of the requests of a journal in an index; no network."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Collection, Iterable, Mapping, Sequence
from hashlib import blake2b
from types import MappingProxyType
from typing import Any

from opensearch_neural_sparse.error_reasons import short_reason
from opensearch_neural_sparse.errors import JournalError, unreadable_answer
from opensearch_neural_sparse.index.documents.serializer import to_lines
from opensearch_neural_sparse.ingestion.journals.journal import Gone, JournalEntry

FORMAT = 1
"""Version of the index's format, stored in the `_meta` of its mapping."""
LOAD_ID = "load"
"""Id of the document of target and run; those of rows are hashes."""
META_KEY = "opensearch_neural_sparse_journal"
ROWS_PER_PAGE = 500
BULK_ANSWER = "items.*.status,items.*.error"
LOOKUP_ANSWER: Mapping[str, str] = MappingProxyType({"filter_path": "docs._id,docs.found,docs._source"})
_KEY_BYTES = 16
_MISSING = 404
_STORED = {"index": False, "doc_values": False}


def index_body() -> dict[str, Any]:
    """Return the body of a new index; it is refreshed on request alone."""
    properties = {
        "id": {"type": "keyword", "index": False},
        "run": {"type": "integer"},
        "content": {"type": "binary"},
        "place": {"type": "keyword", **_STORED},
        "routing": {"type": "keyword", **_STORED},
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


def entry_lines(entries: Iterable[JournalEntry]) -> Sequence[bytes]:
    """Return the bulk actions that record entries."""
    return _lines((_header("index", entry.id), _source(entry)) for entry in entries)


def mark_lines(ids: Iterable[str], run: int) -> Sequence[bytes]:
    """Return the bulk actions that record a run in the entries of ids, where there are such entries."""
    return _lines((_header("update", name), {"doc": {"run": run}}) for name in ids)


def delete_lines(ids: Iterable[str]) -> Sequence[bytes]:
    """Return the bulk actions that drop the entries of ids."""
    return _lines((_header("delete", name),) for name in ids)


def refused_lines(lines: Sequence[bytes], response: Mapping[str, Any], overloaded: Collection[int]) -> Sequence[bytes]:
    """Return the bulk actions that an overloaded server did not take.

    Raises:
        JournalError: An action failed for another reason.
        ServerRequestError: The answer cannot be read.
    """
    items = response["items"]
    if not isinstance(items, list) or len(items) != len(lines):
        raise unreadable_answer("it has another number of items than the request")
    refused = []
    for line, item in zip(lines, items, strict=True):
        (result,) = item.values()
        if result["status"] in overloaded:
            refused.append(line)
        elif "error" in result and result["status"] != _MISSING:  # an entry that is not there needs no mark
            raise JournalError(f"The server refused an entry of a journal: {short_reason(result['error'])}.")
    return refused


def lookup_body(ids: Iterable[str]) -> dict[str, Any]:
    """Return the body of `_mget` for the document of the run, and the entries of ids."""
    return {"ids": [LOAD_ID, *map(_key, ids)]}


def read_load(found: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return target and run of the answer of a `GET` of their document; empty before the first run."""
    load: Mapping[str, Any] = found.get("_source", {}).get("load", {})
    return load


def read_entries(response: Mapping[str, Any]) -> dict[str, JournalEntry]:
    """Return the entries of an answer of `_mget`, by id."""
    sources = (found["_source"] for found in response["docs"] if found.get("found") and found["_id"] != LOAD_ID)
    return {entry.id: entry for entry in map(_entry, sources)}


def gone_body(run: int, after: Sequence[Any] | None) -> dict[str, Any]:
    """Return the search for a page of entries that a run has not read."""
    body: dict[str, Any] = {
        "query": {"range": {"run": {"lt": run}}},
        "size": ROWS_PER_PAGE,
        "sort": [{"id": "asc"}],
        "_source": ["id", "routing", "place"],
        "track_total_hits": False,
    }
    return body if after is None else {**body, "search_after": after}


def read_gone(hits: Iterable[Mapping[str, Any]]) -> list[Gone]:
    """Return the documents that hits of `gone_body` name."""
    sources = (hit["_source"] for hit in hits)
    return [Gone(source["id"], source.get("routing"), source["place"]) for source in sources]


def count_body(run: int | None = None) -> dict[str, Any]:
    """Return the query that counts entries: all of them, or those that a run read or wrote."""
    return {"query": {"range": {"run": {"gte": 0}}} if run is None else {"term": {"run": run}}}


def _key(name: str) -> str:
    return blake2b(name.encode("utf-8", "surrogatepass"), digest_size=_KEY_BYTES).hexdigest()


def _header(operation: str, name: str) -> dict[str, Any]:
    return {operation: {"_id": _key(name)}}


def _lines(actions: Iterable[Sequence[object]]) -> Sequence[bytes]:
    lines: list[bytes] = []
    for line in to_lines(actions):
        if isinstance(line, Exception):
            raise line
        lines.append(line)
    return lines


def _source(entry: JournalEntry) -> dict[str, Any]:
    content = b64encode(entry.content).decode()
    return {"id": entry.id, "content": content, "place": entry.place, "run": entry.run, "routing": entry.routing}


def _entry(source: Mapping[str, Any]) -> JournalEntry:
    content = b64decode(source["content"])
    return JournalEntry(source["id"], content, source["place"], source["run"], source.get("routing"))

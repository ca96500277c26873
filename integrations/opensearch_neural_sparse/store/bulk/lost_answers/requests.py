"""Requests that look up documents, and their answers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from opensearch_neural_sparse.index.bulk.effects import ReadAction

IDS_PER_LOOK = 500
_SHARD = re.compile(r"\]\[(\d+)\]$")


@dataclass(frozen=True)
class Ask:
    """Send a request beside the bulk requests; answer with the response, or with the error.

    Attributes:
        name: Its name in opensearch-py, such as `mget`.
        request: Client -> the response, awaited where the client is asynchronous.
    """

    name: str
    request: Callable[[Any], Any]


def ask_for_sequence_numbers(index: str, seconds: float) -> Ask:
    """Ask for the sequence numbers of an index's shards; the smallest of its statistics is named beside them.

    Args:
        index: The index.
        seconds: How long to wait.
    """
    parameters = {"level": "shards", "filter_path": "indices.*.shards.*.seq_no", "request_timeout": seconds}
    return Ask(
        "indices.stats", lambda client: client.indices.stats(index=index, metric="warmer", params=dict(parameters))
    )


def ask_for_bulk_tasks(seconds: float) -> Ask:
    """Ask for the bulk requests that the server is at work on.

    Args:
        seconds: How long to wait.
    """
    parameters = {"actions": "indices:data/write/bulk*", "detailed": "true", "request_timeout": seconds}
    return Ask("tasks.list", lambda client: client.tasks.list(params=dict(parameters)))


def ask_for_documents(index: str, actions: Sequence[ReadAction], routing: str | None, seconds: float) -> Ask:
    """Ask for documents by id, as they are at that moment.

    Args:
        index: The index.
        actions: Actions on their ids.
        routing: The routing of those that have none of their own.
        seconds: How long to wait.
    """
    wanted = [_wanted(action, routing) for action in actions]
    parameters = {"request_timeout": seconds}
    return Ask("mget", lambda client: client.mget(body={"docs": wanted}, index=index, params=dict(parameters)))


def ask_for_shards(index: str, ids: Iterable[str], seconds: float) -> list[Ask]:
    """Ask in which shards documents are, which a search explains once the index is refreshed.

    Args:
        index: The index.
        ids: Their ids.
        seconds: How long to wait.
    """
    names = list(ids)
    body = {"size": len(names), "query": {"ids": {"values": names}}, "_source": False, "explain": True}
    parameters = {"request_timeout": seconds}
    return [
        Ask("indices.refresh", lambda client: client.indices.refresh(index=index, params=dict(parameters))),
        Ask("search", partial(_search, index, body, parameters)),
    ]


def bulk_is_under_way(response: Any, index: str) -> bool | None:
    """Return whether the server is at work on a bulk request to an index; None where it does not say so.

    Args:
        response: The answer to `ask_for_bulk_tasks`.
        index: The index.
    """
    nodes = response.get("nodes") if isinstance(response, Mapping) else None
    if not isinstance(nodes, Mapping) or "node_failures" in response:
        return None
    tasks = [task for node in nodes.values() for task in node.get("tasks", {}).values()]
    return any(index in task.get("description", index) for task in tasks)


def rows_of(response: Any, count: int) -> list[Mapping[str, Any] | None]:
    """Return the rows of a response to `ask_for_documents`, or None for each where there is none.

    Args:
        response: The response, or the error.
        count: How many documents were asked for.
    """
    rows = response.get("docs") if isinstance(response, Mapping) else None
    if not (isinstance(rows, list) and len(rows) == count):
        return [None] * count
    return [row if isinstance(row, Mapping) else None for row in rows]


def shards_of(response: Any) -> dict[str, int]:
    """Return id -> shard of the response to the search of `ask_for_shards`.

    Args:
        response: The response, or the error.
    """
    hits = response.get("hits") if isinstance(response, Mapping) else None
    rows = hits.get("hits") if isinstance(hits, Mapping) else None
    found = {row["_id"]: _SHARD.search(str(row.get("_shard"))) for row in rows or []}
    return {name: int(shard[1]) for name, shard in found.items() if shard is not None}


def _wanted(action: ReadAction, routing: str | None) -> dict[str, Any]:
    chosen = action.routing or routing
    row: dict[str, Any] = {"_id": action.id} if chosen is None else {"_id": action.id, "routing": chosen}
    return row | {"_source": False} if action.operation == "delete" else row


def _search(index: str, body: Mapping[str, Any], parameters: Mapping[str, Any], client: Any) -> Any:
    return client.search(body=body, index=index, params=dict(parameters))

"""Warm up, clear and merge an index."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import quote

from opensearch_neural_sparse.arguments import check_count, check_number
from opensearch_neural_sparse.errors import IndexSchemaError, ServerRequestError
from opensearch_neural_sparse.index.schema import FieldType
from opensearch_neural_sparse.index.seismic import SPARSE_VECTOR_SINCE
from opensearch_neural_sparse.server_info import NEURAL_SEARCH
from opensearch_neural_sparse.store.context import StoreContext
from opensearch_neural_sparse.store.operations.lifecycle import open_index, read_server
from opensearch_neural_sparse.store.steps import Request, Steps


def warm_up_or_clear(context: StoreContext, action: Literal["warmup", "clear_cache"]) -> Steps[None]:
    """Load an approximate index into the server's memory, or evict it.

    Raises:
        IndexSchemaError: The index has none.
        ServerRequestError: Some shards failed.
        UnsupportedServerError: The server knows of none.
    """
    yield from open_index(context)
    server = yield from read_server(context)
    feature = f"The request {action} of approximate indices"
    server.require(SPARSE_VECTOR_SINCE, feature)
    server.require_plugin(NEURAL_SEARCH, feature)
    if context.schema.field_type is not FieldType.SPARSE_VECTOR:
        raise IndexSchemaError(
            f"Index {context.index!r} is searched exactly, so it has no memory of its own. Only an index of "
            "FieldType.SPARSE_VECTOR has."
        )
    path = f"/_plugins/_neural/{action}/{quote(context.index, safe=',*')}"
    response = yield Request(f"neural.{action}", lambda client: client.transport.perform_request("POST", path))
    _ensure_all_shards(response)


def force_merge(context: StoreContext, *, max_segments: int, timeout: float) -> Steps[None]:
    """Merge the segments of an index.

    Raises:
        ServerRequestError: Some shards failed.
        ValueError: No segment would be left.
    """
    check_count(1, max_segments=max_segments)
    check_number(0, timeout=timeout)
    yield from open_index(context)
    if max_segments < 1:
        raise ValueError(f"max_segments is at least 1, got {max_segments}.")
    parameters = {"max_num_segments": max_segments, "request_timeout": timeout}
    response = yield Request(
        "indices.forcemerge", lambda client: client.indices.forcemerge(index=context.index, params=parameters)
    )
    _ensure_all_shards(response)


def _ensure_all_shards(response: Mapping[str, Any]) -> None:
    shards = response["_shards"]
    if shards["failed"]:
        raise ServerRequestError(200, "shards_failed", f"{shards['failed']} of {shards['total']} shards failed")

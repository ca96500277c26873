"""How an index is looked after: what both stores share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import quote

from opensearch_neural_sparse.errors import IndexSchemaError, ServerRequestError
from opensearch_neural_sparse.index.schema import FieldType, IndexSchema
from opensearch_neural_sparse.index.seismic import SPARSE_VECTOR_SINCE
from opensearch_neural_sparse.server_info import NEURAL_SEARCH, ServerInfo
from opensearch_neural_sparse.store.steps import Steps


def warm_up_or_clear(
    index: str, server: ServerInfo, schema: IndexSchema, action: Literal["warmup", "clear_cache"]
) -> Steps[None]:
    """Load an approximate index into memory, or let go of it there.

    Raises:
        IndexSchemaError: The index has none.
        ServerRequestError: Some shards failed.
        UnsupportedServerError: The server knows of none.
    """
    feature = f"The request {action} of approximate indices"
    server.require(SPARSE_VECTOR_SINCE, feature)
    server.require_plugin(NEURAL_SEARCH, feature)
    if schema.field_type is not FieldType.SPARSE_VECTOR:
        raise IndexSchemaError(
            f"Index {index!r} is searched exactly, and only what is searched approximately (FieldType.SPARSE_VECTOR) "
            "is kept in memory of its own."
        )
    path = f"/_plugins/_neural/{action}/{quote(index, safe=',*')}"
    response = yield lambda client: client.transport.perform_request("POST", path)
    _ensure_all_shards(response)


def force_merge(index: str, *, max_segments: int, timeout: float) -> Steps[None]:
    """Merge the segments of an index.

    Raises:
        ServerRequestError: Some shards failed.
        ValueError: No segment would be left.
    """
    if max_segments < 1:
        raise ValueError(f"max_segments is at least 1, got {max_segments}.")
    parameters = {"max_num_segments": max_segments, "request_timeout": timeout}
    response = yield lambda client: client.indices.forcemerge(index=index, params=parameters)
    _ensure_all_shards(response)


def _ensure_all_shards(response: Mapping[str, Any]) -> None:
    shards = response["_shards"]
    if shards["failed"]:
        raise ServerRequestError(200, "shards_failed", f"{shards['failed']} of {shards['total']} shards failed")

"""Requests to an index with shards that have not started, as after its creation or a restart."""

from __future__ import annotations

from typing import Any

from opensearch_neural_sparse.errors import NeuralSparseError, ServerRequestError

NO_SHARD = "no_shard_available_action_exception"
NO_SHARD_STATUS = 503
WAITS = 2
"""Most waits for the shards of one request; a busy server starts them slowly."""
_LONGEST_WAIT, _FOR_THE_ANSWER = 5, 5
"""Seconds that the server waits for shards, and those in which its answer then comes."""
_OF_SHARDS = frozenset({"search_phase_execution_exception", NO_SHARD})
_DENIED_OR_TIMED_OUT = (403, 404, 405, 408)


def lacks_shards(error: NeuralSparseError) -> bool:
    """Return whether a request failed because no copy of a shard has started."""
    return isinstance(error, ServerRequestError) and error.status == NO_SHARD_STATUS and error.error_type in _OF_SHARDS


def wait_for_shards(client: Any, index: str) -> Any:
    """Wait up to five seconds until every primary shard has started; return the response or its awaitable.

    A server that denies the request, or runs out of the time, raises nothing: the request to the index shows its state.

    Args:
        client: A blocking or asynchronous client.
        index: Name of an index or alias, or a pattern.
    """
    # The client takes `timeout` for its own, unless it has one.
    seconds = _LONGEST_WAIT + _FOR_THE_ANSWER
    params = {
        "wait_for_status": "yellow",
        "timeout": f"{_LONGEST_WAIT}s",
        "request_timeout": seconds,
        "ignore": _DENIED_OR_TIMED_OUT,
    }
    return client.cluster.health(index=index, params=params)

"""Run a change of an index on each of its shards, as tasks of Ray."""

from __future__ import annotations

import pickle
from collections import deque
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any, TypeVar

from opensearch_neural_sparse.distributed.ray_room import ensure_room
from opensearch_neural_sparse.errors import IndexNotFoundError, MissingDependencyError, NeuralSparseError
from opensearch_neural_sparse.store._sync.store import NeuralSparseStore

RETRIES = 10
"""Most repetitions of a shard after its worker died; its own texts may be what ends workers."""
_CANCEL_SECONDS = 60.0
Part = TypeVar("Part")


def change_by_shards(
    store: NeuralSparseStore, change: partial[Part], *, workers: int, cpus: float, gpus: float
) -> tuple[list[Part], Part]:
    """Begin a change of an index, run it on each shard by a worker of the cluster, and end it.

    Args:
        store: The store; it is pickled.
        change: A method of a store, with its arguments but the store and `shards`.
        workers: How many shards are worked on at a time.
        cpus: CPUs that Ray reserves for each of them.
        gpus: GPUs that Ray reserves for each of them.

    Returns:
        What the calls for one shard each returned, and the one that ended.
    """
    try:
        import ray
    except ImportError:
        raise MissingDependencyError("ray", "ray", "A change by Ray") from None
    pickle.dumps(store)
    ensure_room(workers, cpus=cpus, gpus=gpus)
    change(store, shards=())
    task = ray.remote(num_cpus=cpus, num_gpus=gpus, max_retries=RETRIES, retry_exceptions=False)(_run_shard)
    parts = list(_run(partial(task.remote, store, change), _shards(store), workers))
    return parts, change(store)


def _shards(store: NeuralSparseStore) -> range:
    try:
        return range(store.open().shards)
    except IndexNotFoundError:  # its alias was moved, and it was deleted since
        return range(0)


def _run_shard(store: NeuralSparseStore, change: partial[Any], shard: int) -> Any:
    """Run a change on a shard, and return what it returned or the error: Ray raises another one in its place."""
    with store:
        try:
            return change(store, shards=(shard,))
        except NeuralSparseError as error:
            return error


def _run(start: partial[Any], shards: Iterable[int], workers: int) -> Iterator[Any]:
    """Yield what the tasks of shards return, so many of which run at a time; after an error the others are ended."""
    import ray

    waiting, running = deque(shards), dict[Any, int]()
    try:
        while waiting or running:
            while waiting and len(running) < workers:
                shard = waiting.popleft()
                running[start(shard)] = shard
            (done,), _ = ray.wait(list(running))
            yield _result(done, running.pop(done))
    finally:
        for task in running:
            ray.cancel(task, force=True)
        if running:
            ray.wait(list(running), num_returns=len(running), timeout=_CANCEL_SECONDS)


def _result(task: Any, shard: int) -> Any:
    import ray
    from ray.exceptions import NodeDiedError, OutOfMemoryError, WorkerCrashedError

    try:
        result = ray.get(task)
    except (NodeDiedError, OutOfMemoryError, WorkerCrashedError) as error:
        raise NeuralSparseError(
            f"The worker of shard {shard} died {RETRIES + 1} times, at last by {type(error).__name__}. Written "
            "documents stay; repeat the same call to resume. Where memory is short, give fewer workers or smaller "
            "batch_tokens."
        ) from error
    if isinstance(result, NeuralSparseError):
        raise result
    return result

"""Another model for an index, its shards encoded by the workers of a Ray cluster or of one machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opensearch_neural_sparse.distributed.ray_shards import change_by_shards
from opensearch_neural_sparse.encode.pruning import Prune
from opensearch_neural_sparse.models.registry import get_model
from opensearch_neural_sparse.store._sync.store import NeuralSparseStore
from opensearch_neural_sparse.store.operations.model_changes.reindex_job import MissingText, ReindexReport
from opensearch_neural_sparse.store.write_options import DEFAULT_WRITE, WriteOptions

if TYPE_CHECKING:
    from opensearch_neural_sparse.models.spec import ModelSpec


def reindex_by_ray(
    store: NeuralSparseStore,
    target: str,
    *,
    model: str | Path | ModelSpec,
    alias: str | None = None,
    on_missing_text: MissingText = "raise",
    prune: Prune | None = None,
    encoder_options: Mapping[str, Any] | None = None,
    options: WriteOptions = DEFAULT_WRITE,
    workers: int = 1,
    cpus: float = 1.0,
    gpus: float = 0.0,
) -> ReindexReport:
    """Reindex the documents into a new index of another model, each shard copied by a worker of the cluster.

    It calls `NeuralSparseStore.reindex_with_model` for each shard of the source, then for all. Workers copy while
    writes to the source pass; the last call refuses them, copies what has changed since, and moves the alias. A shard
    whose worker or node dies is continued by another one; after a death of the program, the same call goes on. What
    the target holds already is not encoded again.

    Args:
        store: A store of the source that can be pickled: with a url, and without encoders that were handed in.
        target: Name of the new index.
        model: The new model.
        alias: An alias that is moved from the source to the target at the end; None moves none.
        on_missing_text: Whether documents without a text are an error or copied without a vector.
        prune: Which tokens are kept of the vectors; None keeps all.
        encoder_options: Options of `load_document_encoder` for the new model, such as `{"threads": 1}`.
        options: How documents are written; `batch_size` of them are read, encoded and written at a time.
        workers: How many shards are copied at a time, each by a model of its own; no more than the source has.
        cpus: CPUs that Ray reserves for each of them.
        gpus: GPUs that Ray reserves for each of them.

    Returns:
        The report; what a worker that died had encoded is in its `documents` alone.

    Raises:
        BulkWriteError: Some documents were not written.
        IndexSchemaError: The source is several indices, documents have no text, the target is there and is no
            unfinished copy of it, or the counts differ at the end.
        MissingDependencyError: Ray is not installed.
        NeuralSparseError: The worker of a shard died time after time.
        TypeError: The store cannot be pickled.
        ValueError: Ray has not the CPUs or GPUs of so many workers.
    """
    choices: dict[str, Any] = {"alias": alias, "on_missing_text": on_missing_text, "prune": prune, "options": options}
    method = NeuralSparseStore.reindex_with_model
    change = partial(method, target=target, model=get_model(model), encoder_options=encoder_options, **choices)
    parts, end = change_by_shards(store, change, workers=workers, cpus=cpus, gpus=gpus)
    names = ("encoded", "without_text", "without_vector")
    return replace(end, **{name: sum(getattr(report, name) for report in [*parts, end]) for name in names})


def add_field_by_ray(
    store: NeuralSparseStore,
    name: str,
    *,
    model: str | Path | ModelSpec,
    encoder_options: Mapping[str, Any] | None = None,
    prune: Prune | None = None,
    options: WriteOptions = DEFAULT_WRITE,
    workers: int = 1,
    cpus: float = 1.0,
    gpus: float = 0.0,
) -> int:
    """Add a sparse field of another model to the index, each shard encoded by a worker of the cluster.

    It calls `NeuralSparseStore.add_field` for each shard, then for all. A shard whose worker or node dies is continued
    by another one; after a death of the program, the same call goes on. Documents that have the field are not encoded
    again.

    Args:
        store: A store that can be pickled: with a url, and without encoders that were handed in.
        name: Name of the field.
        model: The model.
        encoder_options: Options of `load_document_encoder` for it, such as `{"threads": 1}`.
        prune: Which tokens are kept of the vectors; None keeps all.
        options: How documents are written; `batch_size` of them are read, encoded and written at a time.
        workers: How many shards are encoded at a time, each by a model of its own; no more than the index has.
        cpus: CPUs that Ray reserves for each of them.
        gpus: GPUs that Ray reserves for each of them.

    Returns:
        How many documents were encoded, without those of workers that died.

    Raises:
        BulkWriteError: Some documents were not written.
        IndexSchemaError: The name covers several indices, or the index cannot have such a field.
        MissingDependencyError: Ray is not installed.
        ModelMismatchError: The field is there and belongs to another model.
        NeuralSparseError: The worker of a shard died time after time.
        TypeError: The store cannot be pickled.
        ValueError: Ray has not the CPUs or GPUs of so many workers.
    """
    choices: dict[str, Any] = {"encoder_options": encoder_options, "prune": prune, "options": options}
    change = partial(NeuralSparseStore.add_field, name=name, model=get_model(model), **choices)
    parts, end = change_by_shards(store, change, workers=workers, cpus=cpus, gpus=gpus)
    return sum(parts) + end

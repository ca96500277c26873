"""Document encoders: protocol and loading."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from opensearch_neural_sparse.arguments import check_count, check_flag, check_text
from opensearch_neural_sparse.encode.encoding_settings import document_dims, read_encoding_settings
from opensearch_neural_sparse.encode.engines.engine import (
    Engine,
    EngineLike,
    NetworkOptions,
    Precision,
    PrecisionLike,
    choose_engine,
    load_network,
)
from opensearch_neural_sparse.encode.engines.scalar.encoders import BgeM3DocumentEncoder, WordDocumentEncoder
from opensearch_neural_sparse.encode.engines.transformer_encoder import TransformerDocumentEncoder
from opensearch_neural_sparse.encode.remote.loading import check_remote_options, load_remote_encoder
from opensearch_neural_sparse.encode.remote.remote_encoder import RemoteDocumentEncoder
from opensearch_neural_sparse.encode.remote.remote_options import RemoteOptions
from opensearch_neural_sparse.encode.sparse_vector import SparseVector
from opensearch_neural_sparse.encode.tokenizer import SparseTokenizer
from opensearch_neural_sparse.encode.workers.devices import CPU, worker_devices
from opensearch_neural_sparse.models.files.hub import COMMIT
from opensearch_neural_sparse.models.files.json_file import JsonObject, read_object
from opensearch_neural_sparse.models.files.metadata import count_positions
from opensearch_neural_sparse.models.files.resolve import ModelFiles, Side, resolve_files
from opensearch_neural_sparse.models.registry import get_model
from opensearch_neural_sparse.models.spec import Family, ModelSpec

if TYPE_CHECKING:
    from opensearch_neural_sparse.encode.workers.parallel_encoder import ParallelDocumentEncoder

_ENCODERS: Mapping[Family, type[TransformerDocumentEncoder]] = {
    Family.BGE_M3: BgeM3DocumentEncoder,
    Family.DEEP_IMPACT: WordDocumentEncoder,
}
SHORTEST = 3
"""Minimum text length: one token between two special tokens."""


@runtime_checkable
class DocumentEncoder(Protocol):
    """Protocol of document encoders.

    An empty or blank text gives an empty vector; special tokens never appear in one.
    """

    @property
    def max_length(self) -> int:
        """Longest text in tokens, special tokens included."""

    @property
    def max_active_dims(self) -> int | None:
        """Maximum number of tokens of a vector, the heaviest; None keeps all."""

    @property
    def files(self) -> ModelFiles:
        """Files of the model."""

    def encode_documents(
        self, texts: Sequence[str], *, progress: Callable[[int], None] | None = None
    ) -> list[SparseVector]:
        """Return the vectors of documents, in their order.

        Args:
            texts: The documents.
            progress: Called after every batch with the number of texts it had.
        """

    def close(self) -> None:
        """Release the model."""


def load_document_encoder(
    model: str | Path | ModelSpec | ModelFiles,
    *,
    engine: EngineLike = Engine.AUTO,
    max_length: int | None = None,
    max_active_dims: int | None = None,
    prompt: str | None = None,
    batch_tokens: int | None = None,
    device: str | None = None,
    dtype: PrecisionLike = Precision.FLOAT32,
    threads: int | None = None,
    workers: int | None = None,
    devices: Sequence[str] | None = None,
    revision: str | None = None,
    token: str | None = None,
    cache_dir: str | Path | None = None,
    local_files_only: bool = False,
    trust_remote_code: bool = False,
    url: str | None = None,
    api_key: str | None = None,
    remote_options: RemoteOptions | Mapping[str, Any] | None = None,
) -> TransformerDocumentEncoder | ParallelDocumentEncoder | RemoteDocumentEncoder:
    """Load a model's document encoder.

    With a `url` the model runs there: an encoder of this package (`serve-encoder`) or Text Embeddings Inference. Its
    weights are not needed here; options of an engine are the encoder's, and cannot be given.

    With `workers` or `devices` it encodes in several processes. Each one imports the program's main module, so that a
    script that loads it does so under `if __name__ == "__main__":`.

    Args:
        model: Name, id, folder, spec or resolved files of a model.
        engine: What runs it.
        max_length: Longest text in tokens; what follows is cut off. By default the model's own.
        max_active_dims: Keep this many of the heaviest tokens of a document; by default as the model says, or all. The
            size of the vocabulary keeps all.
        prompt: Text put before every document; by default the model's own.
        batch_tokens: Most tokens run at once, padding included; by default what suits the engine.
        device: Where the torch engine runs, such as `cpu` or `cuda`; by default a GPU if there is one.
        dtype: Number format.
        threads: Number of threads of the ONNX engine; by default one for each physical core. Of several processes, the
            threads of each; by default the cores are divided among them.
        workers: Number of processes that encode, each with the model; on the CPU unless a device is named.
        devices: Devices of the processes, such as `["cuda:0", "cuda:1"]`, one process for each; of more `workers`, a
            multiple of their number, as many on each device.
        revision: Commit, tag or branch on the hub; by default the pinned one.
        token: Hub token for gated and private models.
        cache_dir: Cache of the hub.
        local_files_only: Whether to leave the hub alone.
        trust_remote_code: Whether the torch engine may run code that lies with the model's files; a model from the hub
            then needs a commit as its revision.
        url: Address of an encoder that runs the model, such as `http://localhost:8080`.
        api_key: Its key, sent as `Authorization: Bearer`.
        remote_options: How texts are sent to it: batches, timeout and retries.

    Raises:
        UnknownModelError: No such model.
        ModelFilesError: Its files are out of reach, incomplete or damaged, or the engine does not know the model.
        MissingDependencyError: No engine is installed, or not the one asked for.
        EncodingWorkerError: Processes end while they start.
        RemoteEncoderError: The encoder at the URL does not answer, or runs another model.
        ValueError: A number out of range, the engine has no such device or number format, `workers` and `devices` do
            not fit together, or options of an engine beside a URL.
    """
    numbers = {"max_active_dims": max_active_dims, "batch_tokens": batch_tokens, "threads": threads, "workers": workers}
    check_count(1, optional=True, max_length=max_length, **numbers)
    check_text(optional=True, prompt=prompt, device=device, url=url, api_key=api_key)
    check_flag(trust_remote_code=trust_remote_code)
    where = {"url": url, "api_key": api_key, "remote_options": remote_options}
    engine_options = {
        "engine": engine,
        "batch_tokens": batch_tokens,
        "device": device,
        "dtype": dtype,
        "threads": threads,
        "workers": workers,
        "devices": devices,
        "trust_remote_code": trust_remote_code,
    }
    check_remote_options(engine_options | where)
    hub = {"revision": revision, "token": token, "cache_dir": cache_dir, "local_files_only": local_files_only}
    if url is not None:
        return load_remote_encoder(
            model,
            url,
            api_key=api_key,
            remote_options=remote_options,
            max_length=max_length,
            max_active_dims=max_active_dims,
            prompt=prompt,
            hub=hub,
        )
    processes = worker_devices(workers, devices, device)
    if trust_remote_code:
        _check_pinned(model, revision)
    files = document_files(model, hub)
    options = NetworkOptions(
        engine=Engine(engine),
        dtype=Precision(dtype),
        device=device,
        threads=threads,
        trust_remote_code=trust_remote_code,
    )
    encoding = _Encoding(
        max_length=max_length, max_active_dims=max_active_dims, prompt=prompt, batch_tokens=batch_tokens
    )
    if processes:
        return _start_workers(files, options, encoding, processes)
    return _load(files, options, encoding)


@dataclass(frozen=True, kw_only=True)
class _Encoding:
    """Options of document encoding; None is the model's or the engine's own."""

    max_length: int | None
    max_active_dims: int | None
    prompt: str | None
    batch_tokens: int | None


def _load(files: ModelFiles, options: NetworkOptions, encoding: _Encoding) -> TransformerDocumentEncoder:
    config = read_object(files.weights[0].parent / "config.json")
    tokenizer = _document_tokenizer(files, config, encoding.max_length)
    network = load_network(files, options)
    settings = read_encoding_settings(files.root)
    encoder = _ENCODERS.get(Family(files.spec.family), TransformerDocumentEncoder)
    return encoder(
        files,
        tokenizer,
        network,
        prompt=settings.document_prompt if encoding.prompt is None else encoding.prompt,
        pad_id=config.whole("pad_token_id", 0),
        batch_tokens=encoding.batch_tokens or network.batch_tokens,
        max_active_dims=document_dims(encoding.max_active_dims, files.spec, settings),
        dtype=options.dtype.value,
    )


def _start_workers(
    files: ModelFiles, options: NetworkOptions, encoding: _Encoding, devices: Sequence[str]
) -> ParallelDocumentEncoder:
    from opensearch_neural_sparse.encode.workers.parallel_encoder import ParallelDocumentEncoder

    most_demanding = next((device for device in devices if device != CPU), CPU)
    options = replace(options, engine=choose_engine(files, replace(options, device=most_demanding)))
    load = partial(_load_in_worker, files, options, encoding)
    encoder = ParallelDocumentEncoder(load, files, devices=devices, engine=options.engine, threads=options.threads)
    return encoder.start()


def _load_in_worker(
    files: ModelFiles, options: NetworkOptions, encoding: _Encoding, *, device: str, threads: int
) -> TransformerDocumentEncoder:
    return _load(files, replace(options, device=device, threads=threads), encoding)


def document_files(model: str | Path | ModelSpec | ModelFiles, hub: Mapping[str, Any]) -> ModelFiles:
    """Resolve a model's files with its document side.

    Args:
        model: Name, id, folder, spec or resolved files of a model.
        hub: Options of the hub, by their names in `resolve_files`.
    """
    if not isinstance(model, ModelFiles):
        return resolve_files(get_model(model), side=Side.DOCUMENT, **hub)
    if model.document is None:
        return resolve_files(model.spec, side=Side.DOCUMENT, **{**hub, "revision": model.revision})
    return model


def _check_pinned(model: str | Path | ModelSpec | ModelFiles, revision: str | None) -> None:
    if isinstance(model, ModelFiles):
        return
    spec = get_model(model)
    wanted = revision or spec.revision or "main"
    if spec.path is None and not COMMIT.fullmatch(wanted):
        raise ValueError(
            f"trust_remote_code runs what the repository {spec.id!r} holds, and its revision is {wanted!r}, which may "
            "change. Give the full commit that you have read: revision='0123...'."
        )


def _document_tokenizer(files: ModelFiles, config: JsonObject, max_length: int | None) -> SparseTokenizer:
    longest = count_positions(config, least=SHORTEST) or files.spec.max_length
    max_length = files.spec.max_length if max_length is None else max_length
    if not SHORTEST <= max_length <= longest:
        raise ValueError(
            f"max_length is {max_length}; {files.spec.id!r} takes texts of {SHORTEST} to {longest} tokens, "
            "special tokens included."
        )
    return SparseTokenizer.from_file(files.weights[0].parent / "tokenizer.json", max_length=max_length)

"""Loading of an encoder behind HTTP: which model it is, and whether that is the one that was named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from opensearch_neural_sparse.encode.encoding_settings import document_dims, read_encoding_settings
from opensearch_neural_sparse.encode.remote.connection import EncoderConnection
from opensearch_neural_sparse.encode.remote.encoder_address import check_api_key, check_encoder_url, warn_of_plain_key
from opensearch_neural_sparse.encode.remote.encoder_answers import Interface, OwnInterface, TeiInterface
from opensearch_neural_sparse.encode.remote.encoder_info import EncoderInfo
from opensearch_neural_sparse.encode.remote.remote_encoder import RemoteDocumentEncoder, request_info
from opensearch_neural_sparse.encode.remote.remote_options import RemoteOptions, RemoteProtocol
from opensearch_neural_sparse.encode.tokenizer import SparseTokenizer
from opensearch_neural_sparse.errors import ModelFilesError, RemoteEncoderError
from opensearch_neural_sparse.models.files.resolve import ModelFiles, Side, resolve_files, resolve_without_weights
from opensearch_neural_sparse.models.files.scalar.families import TRAITS
from opensearch_neural_sparse.models.registry import get_model
from opensearch_neural_sparse.models.spec import Activation, Family, Mode, ModelSpec, Pooling

ENGINE_DEFAULTS: Mapping[str, Any] = {
    "engine": "auto",
    "batch_tokens": None,
    "device": None,
    "dtype": "float32",
    "threads": None,
    "workers": None,
    "devices": None,
    "trust_remote_code": False,
}
"""Options of an engine on this machine, with their defaults."""
REMOTE_ONLY = ("api_key", "remote_options")


def check_remote_options(options: Mapping[str, Any]) -> None:
    """Check options of `load_document_encoder` that say where a model runs.

    Args:
        options: The options that were given.

    Raises:
        ValueError: Options of an engine beside a URL, options of a URL without one, or a value out of range.
        TypeError: `remote_options` of another kind.
    """
    if options.get("url") is None:
        if lonely := [name for name in REMOTE_ONLY if options.get(name) is not None]:
            raise ValueError(f"{' and '.join(lonely)} need url, the address of an encoder. Give it, or leave them out.")
        return
    local = [name for name, default in ENGINE_DEFAULTS.items() if options.get(name, default) not in (default, None)]
    if local:
        raise ValueError(
            f"{', '.join(local)} and url exclude each other: the model at a url runs there, on an engine of its own. "
            "Leave out one or the other."
        )
    check_encoder_url(options["url"])
    check_api_key(options.get("api_key"))
    RemoteOptions.of(options.get("remote_options"))


def load_remote_encoder(
    model: str | Path | ModelSpec | ModelFiles,
    url: str,
    *,
    api_key: str | None,
    remote_options: RemoteOptions | Mapping[str, Any] | None,
    max_length: int | None,
    max_active_dims: int | None,
    prompt: str | None,
    hub: Mapping[str, Any],
) -> RemoteDocumentEncoder:
    """Return an encoder behind HTTP, after a check of its model.

    Args:
        model: Name, id, folder, spec or resolved files of the model; its weights are not read.
        url: Address of the encoder.
        api_key: Its key.
        remote_options: How texts are sent.
        max_length: Longest text in tokens, which is the encoder's.
        max_active_dims: Keep this many of the heaviest tokens of a document.
        prompt: Text put before every document.
        hub: Options of the hub.

    Raises:
        RemoteEncoderError: The encoder does not answer, or runs another model.
        ModelFilesError: The model's tokenizer or query weights are out of reach, or nothing says which weights the
            encoder has.
        ValueError: The encoder has other limits or another prompt than those that were given.
    """
    options = RemoteOptions.of(remote_options)
    small = model if isinstance(model, ModelFiles) else resolve_without_weights(get_model(model), **hub)
    _check_family(small.spec)
    url = check_encoder_url(url)
    warn_of_plain_key(url, check_api_key(api_key))
    connection = EncoderConnection(url, api_key, options)
    info = request_info(connection, options)
    _check_protocol(small.spec, info, connection.url)
    settings = read_encoding_settings(small.root)
    _check_length(max_length, info, connection.url)
    own = info.protocol is RemoteProtocol.OWN
    if own:
        _check_prompt(prompt, settings.document_prompt)
    elif small.spec.pooling != Pooling.MAX:
        raise ModelFilesError(
            f"{small.spec.id!r} pools by {small.spec.pooling}, and Text Embeddings Inference by max alone. Serve the "
            "model with serve-encoder."
        )
    if max_active_dims is not None or not own:
        max_active_dims = document_dims(max_active_dims, small.spec, settings)
    files = replace(small, weights_fingerprint=_fingerprint(small, info, options, connection, hub))
    if small.query_route is not None and info.query_sha256 is not None:
        files = replace(files, query_route=replace(small.query_route, weights_fingerprint=info.query_sha256))
    _check_model(files, info, options, connection)
    return RemoteDocumentEncoder(
        files,
        connection,
        info,
        _interface(files, info),
        options=options,
        prompt="" if own else (settings.document_prompt if prompt is None else prompt),
        max_active_dims=_checked_dims(max_active_dims, info, connection.url),
    )


def _check_family(spec: ModelSpec) -> None:
    if spec.family in (Family.UNICOIL, Family.DEEP_IMPACT):
        raise ModelFilesError(
            f"{spec.id!r} is a {spec.family} model, which no encoder behind HTTP encodes. Leave url out: it runs in "
            "this program."
        )


def _check_protocol(spec: ModelSpec, info: EncoderInfo, url: str) -> None:
    if spec.family in TRAITS and info.protocol is not RemoteProtocol.OWN:
        raise ModelFilesError(
            f"{spec.id!r} is a {spec.family} model, and the encoder at {url} pools as SPLADE does. Start serve-encoder "
            "with the model in its place."
        )


def _interface(files: ModelFiles, info: EncoderInfo) -> Interface:
    tokenizer = SparseTokenizer.from_file(files.document_tokenizer, max_length=info.max_length)
    if info.protocol is RemoteProtocol.OWN:
        return OwnInterface(tokenizer, query_sha256=files.query_sha256, weights_sha256=files.weights_sha256)
    return TeiInterface(tokenizer, double_log=files.spec.activation == Activation.LOG1P_RELU)


def _fingerprint(
    files: ModelFiles,
    info: EncoderInfo,
    options: RemoteOptions,
    connection: EncoderConnection,
    hub: Mapping[str, Any],
) -> str:
    """Return the fingerprint of the encoder's weights: its own, that of the files here, or the stated one."""
    stated, given = options.weights_sha256, info.weights_sha256
    if given is None:
        return stated or _local_fingerprint(files, connection, hub)
    if stated not in (None, given):
        raise _other_model(connection, f"its weights_sha256 is {given[:12]}, {str(stated)[:12]} was stated")
    return given


def _local_fingerprint(files: ModelFiles, connection: EncoderConnection, hub: Mapping[str, Any]) -> str:
    if files.document is not None or files.weights_fingerprint is not None:
        return files.weights_sha256
    cached: dict[str, Any] = {"revision": files.revision, "cache_dir": hub.get("cache_dir"), "local_files_only": True}
    try:
        return resolve_files(files.spec, side=Side.DOCUMENT, **cached).weights_sha256
    except ModelFilesError:
        raise ModelFilesError(
            f"The encoder at {connection.url} does not say which weights it has, and those of {files.spec.id!r} are "
            "not on this machine, so nothing says which model made its vectors. State the fingerprint that an index or "
            "another machine has, remote_options={'weights_sha256': '...'}, or download the weights once: "
            "resolve_files(get_model(...))."
        ) from None


def _check_model(files: ModelFiles, info: EncoderInfo, options: RemoteOptions, connection: EncoderConnection) -> None:
    spec = files.spec
    for name, found, expected in (
        ("mode", info.mode, str(spec.mode)),
        ("activation", info.activation, str(spec.activation)),
        ("query_sha256", info.query_sha256, files.query_sha256),
    ):
        if found is not None and found != expected:
            raise _other_model(connection, f"its {name} is {found[:12]}, that of {spec.id!r} is {expected[:12]}")
    told_by_queries = info.query_sha256 is not None and spec.mode is Mode.DOC_ONLY
    if told_by_queries or options.weights_sha256 is not None or spec.path is not None or _is_path(info.model):
        return
    if info.model != spec.id:
        raise _other_model(connection, f"it says {info.model!r}, {spec.id!r} was named")
    if info.revision is not None and files.revision is not None and info.revision != files.revision:
        raise _other_model(connection, f"its revision is {info.revision[:12]}, here it is {files.revision[:12]}")


def _is_path(model: str) -> bool:
    return model.startswith(("/", ".", "~")) or model.count("/") != 1


def _other_model(connection: EncoderConnection, reason: str) -> RemoteEncoderError:
    return connection.error(
        f"runs another model than the one named here: {reason}",
        status=200,
        remedy="Start it with that model, or name the one that it runs.",
    )


def _check_length(max_length: int | None, info: EncoderInfo, url: str) -> None:
    if max_length is not None and max_length != info.max_length:
        raise ValueError(
            f"max_length is {max_length}, the encoder at {url} reads {info.max_length} tokens of a text. Start it with "
            f"that limit, or leave max_length out; an index keeps the limit that it was created with."
        )


def _check_prompt(prompt: str | None, own: str) -> None:
    if prompt not in (None, own):
        raise ValueError(
            f"This url takes no prompt {prompt!r}: the encoder puts the model's own, {own!r}, before each text. Leave "
            "prompt out, and load the encoder of queries that have another prompt on this machine."
        )


def _checked_dims(max_active_dims: int | None, info: EncoderInfo, url: str) -> int | None:
    kept = info.max_active_dims
    if max_active_dims is not None and kept is not None and max_active_dims > kept:
        raise ValueError(
            f"max_active_dims is {max_active_dims}, the encoder at {url} keeps {kept} tokens of a document. Give "
            f"{kept} or fewer."
        )
    return None if max_active_dims == kept else max_active_dims

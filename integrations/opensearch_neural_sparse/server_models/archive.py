"""Write a model as an archive that a server registers: a ZIP file of the model and its tokenizer.

The same files, written by the same versions of the libraries, give the same bytes, so an archive's checksum identifies
its content.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal

from opensearch_neural_sparse.encode.encoding_settings import document_dims, read_encoding_settings
from opensearch_neural_sparse.encode.engines.onnx_engine.architecture import KNOWN
from opensearch_neural_sparse.encode.engines.onnx_engine.network import onnx_obstacle
from opensearch_neural_sparse.errors import Choice, ModelFilesError
from opensearch_neural_sparse.models.files.fingerprints import read_tokenizer, special_ids, token_ids
from opensearch_neural_sparse.models.files.idf import SMALLEST_WEIGHT, read_idf
from opensearch_neural_sparse.models.files.json_file import read_object
from opensearch_neural_sparse.models.files.resolve import ModelFiles
from opensearch_neural_sparse.models.spec import Family, Mode, Pooling
from opensearch_neural_sparse.server_models.onnx_archive import LARGEST_FILE, onnx_file
from opensearch_neural_sparse.server_models.registered_model import ENCODING, TOKENIZING

if TYPE_CHECKING:
    from tokenizers import Tokenizer

WINDOWED = "modernbert"
"""Model type of which layers attend to a window of a text."""
LONGEST_TEXT = 512
"""Tokens at which a server cuts every text, whatever the model takes."""
logger = logging.getLogger(__name__)


class ArchiveFormat(Choice):
    """Format of the model in an archive.

    `ONNX` needs no torch, keeps the weights in their precision, and knows the models of the ONNX engine with max
    pooling; `TORCH_SCRIPT` knows every model of the torch engine. Neither knows ModernBERT, or models of one weight for
    each token. `AUTO` is ONNX where it is possible.
    """

    AUTO = "auto"
    ONNX = "onnx"
    TORCH_SCRIPT = "torch_script"


ArchiveFormatLike = ArchiveFormat | Literal["auto", "onnx", "torch_script"]
"""An `ArchiveFormat`, or its value as text."""


@dataclass(frozen=True, kw_only=True)
class ModelArchive:
    """An archive that a server registers.

    Attributes:
        path: The ZIP file.
        sha256: Its checksum, the `model_content_hash_value` of the registration.
        format: Format of its model; the `model_format` of the registration is its value in capital letters.
        function_name: The `function_name` of the registration.
        max_length: Longest text in tokens; what follows is cut off. The model's own, but 512 at most.
    """

    path: Path
    sha256: str
    format: ArchiveFormat
    function_name: str
    max_length: int


def write_document_archive(
    files: ModelFiles,
    folder: Path,
    *,
    format: ArchiveFormatLike = ArchiveFormat.AUTO,  # noqa: A002 - the server's word
    trust_remote_code: bool = False,
) -> ModelArchive:
    """Write the archive of a model that encodes documents, and, of a bi-encoder, queries too.

    The vectors in the server equal those of the encoders here, except for a blank text, to which the server gives a
    vector, and for a text of more than 512 tokens, where the server cuts it.

    Args:
        files: The model's files, with the document side.
        folder: Where the archive is written.
        format: Format of the model.
        trust_remote_code: Whether torch may run code that lies in the model's folder.

    Raises:
        ModelFilesError: The server would give other vectors than the model, or end at its windows of attention; the
            format does not know the model; or its files are damaged.
        MissingDependencyError: The libraries that the format needs are not installed.
    """
    _refuse_kind(files)
    chosen = _choose_format(files, ArchiveFormat(format))
    _refuse_settings(files)
    tokenizer = read_tokenizer(files.weights[0].parent / "tokenizer.json")
    _refuse_spelling(files, tokenizer)
    used = _used_ids(tokenizer)
    if chosen is ArchiveFormat.ONNX:
        name, model = "model.onnx", onnx_file(files, used)
    else:
        from opensearch_neural_sparse.server_models.torch_archive import torch_script_file

        name, model = "model.pt", torch_script_file(files, used, trust_remote_code=trust_remote_code)
    path = folder / f"{_file_name(files)}-{chosen}.zip"
    max_length = _server_length(files)
    _write_zip(path, {name: model, "tokenizer.json": [_tokenizer_file(tokenizer, max_length)]})
    return ModelArchive(path=path, sha256=_sha256(path), format=chosen, function_name=ENCODING, max_length=max_length)


def write_tokenizer_archive(files: ModelFiles, folder: Path) -> ModelArchive:
    """Write the archive of a tokenizer with query weights, which encodes the queries of a doc-only model.

    A server refuses weights of zero, so a token that weighs nothing here has the smallest weight there: a document
    that shares no other token with a query is then a hit, with a score of almost zero.

    Args:
        files: The model's files.
        folder: Where the archive is written.

    Raises:
        ModelFilesError: The model is a bi-encoder, the server would give other vectors than the model, or a file is
            damaged.
    """
    if files.spec.family is not Family.SPLADE:
        _refuse_kind(files)
    if files.idf is None:
        raise ModelFilesError(
            f"{files.spec.id!r} has no query weights: it is a {files.spec.mode} model. "
            "In a server the archive of its document side encodes queries too."
        )
    if read_encoding_settings(files.root).query_prompt:
        raise ModelFilesError(_settings_message(files, "a prompt before queries"))
    tokenizer = read_tokenizer(files.query_tokenizer)
    _refuse_spelling(files, tokenizer)
    vocabulary, special = token_ids(tokenizer), special_ids(tokenizer)
    table = read_idf(files.idf, vocabulary, ignored=special, tensor=files.idf_tensor)
    usable = sorted((index, token) for token, index in vocabulary.items() if token and index not in special)
    weights = {token: max(table[index], SMALLEST_WEIGHT) for index, token in usable}
    path = folder / f"{_file_name(files)}-tokenizer.zip"
    max_length = _server_length(files)
    plain = {**tokenizer, "post_processor": None}  # special tokens would take up room
    _write_zip(path, {"idf.json": [_json(weights)], "tokenizer.json": [_tokenizer_file(plain, max_length)]})
    return ModelArchive(
        path=path,
        sha256=_sha256(path),
        format=ArchiveFormat.TORCH_SCRIPT,
        function_name=TOKENIZING,
        max_length=max_length,
    )


def _choose_format(files: ModelFiles, wanted: ArchiveFormat) -> ArchiveFormat:
    if wanted is ArchiveFormat.TORCH_SCRIPT:
        return wanted
    obstacle = onnx_obstacle(files) if files.spec.pooling is Pooling.MAX else f"it pools by {files.spec.pooling}"
    if wanted is ArchiveFormat.ONNX and obstacle is not None:
        raise ModelFilesError(
            f"{files.spec.id!r} cannot be written as ONNX: {obstacle}. Known are {KNOWN} models in "
            "safetensors format. Use format='torch_script'."
        )
    if wanted is ArchiveFormat.ONNX:
        return wanted
    fits = obstacle is None and sum(path.stat().st_size for path in files.weights) < LARGEST_FILE
    return ArchiveFormat.ONNX if fits and find_spec("onnx") else ArchiveFormat.TORCH_SCRIPT


def _refuse_kind(files: ModelFiles) -> None:
    """Refuse a model that the archives do not compute rightly.

    The attention of ModernBERT to a window of each text ends the process of a server with ONNX Runtime 1.16, and a
    trace of a shorter text does not hold it.
    """
    if files.spec.family is not Family.SPLADE:
        kind = f"a {files.spec.family} model"
    elif files.document is not None and read_object(files.document / "config.json").text("model_type", "") == WINDOWED:
        kind = "a ModernBERT"
    else:
        return
    raise ModelFilesError(
        f"{files.spec.id!r} is {kind}; archives for a server hold SPLADE models with attention to the whole text "
        "alone. Encode with the encoders of this package, or connect the server to an encoder service."
    )


def _refuse_settings(files: ModelFiles) -> None:
    """Refuse settings of a model that a server cannot follow."""
    settings = read_encoding_settings(files.root)
    if settings.document_prompt or (files.spec.mode is Mode.BI_ENCODER and settings.query_prompt):
        raise ModelFilesError(_settings_message(files, "a prompt before texts"))
    if files.query_route is not None:
        raise ModelFilesError(_settings_message(files, "a transformer of its own for queries"))
    if (dims := document_dims(None, files.spec, settings)) is not None:
        raise ModelFilesError(
            _settings_message(files, f"max_active_dims={dims}")
            + f" Or write it from a copy without it, and give the ingest pipeline prune_type='top_k' and "
            f"prune_ratio={dims}."
        )


def _settings_message(files: ModelFiles, setting: str) -> str:
    return (
        f"{files.spec.id!r} has {setting}, which a model in the server cannot have. "
        "Encode with the encoders of this package, or connect the server to an encoder service."
    )


def _refuse_spelling(files: ModelFiles, tokenizer: dict[str, Any]) -> None:
    """Refuse a tokenizer of which the server would spell tokens differently: it decodes the ids one by one."""
    special, vocabulary = special_ids(tokenizer), token_ids(tokenizer)
    known = [(token, index) for token, index in vocabulary.items() if token and index not in special]
    spelled = _parse(tokenizer).decode_batch([[index] for _, index in known])
    wrong = [(token, found) for (token, _), found in zip(known, spelled, strict=True) if token != found]
    if wrong:
        token, found = wrong[0]
        raise ModelFilesError(
            f"The server spells {len(wrong)} of the {len(known)} tokens of {files.spec.id!r} differently, such as "
            f"{found!r} for {token!r}, as it does for every tokenizer other than WordPiece. Encode with the encoders "
            "of this package, or connect the server to an encoder service."
        )


def _parse(tokenizer: Mapping[str, Any]) -> Tokenizer:
    from tokenizers import Tokenizer

    return Tokenizer.from_str(json.dumps(tokenizer))


def _used_ids(tokenizer: dict[str, Any]) -> frozenset[int]:
    """Return the ids that have weights: those of tokens other than special ones."""
    return frozenset(index for token, index in token_ids(tokenizer).items() if token) - special_ids(tokenizer)


def _server_length(files: ModelFiles) -> int:
    """Return the longest text that a model takes in a server, with a warning if it takes longer ones here."""
    if files.spec.max_length > LONGEST_TEXT:
        logger.warning(
            "A server cuts texts at %d tokens; %s takes %d. Encode longer texts with the encoders of this package, or "
            "split them.",
            LONGEST_TEXT,
            files.spec.id,
            files.spec.max_length,
        )
    return min(files.spec.max_length, LONGEST_TEXT)


def _tokenizer_file(tokenizer: Mapping[str, Any], max_length: int) -> bytes:
    """Return a tokenizer.json that cuts texts to `max_length` tokens, special tokens included, and pads none."""
    truncation = {"direction": "Right", "max_length": max_length, "strategy": "LongestFirst", "stride": 0}
    return _json({**tokenizer, "truncation": truncation, "padding": None})


def _json(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, separators=(",", ":")).encode()


def _file_name(files: ModelFiles) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", files.spec.name).strip(".-") or "model"


def _write_zip(path: Path, members: Mapping[str, Iterable[bytes]]) -> None:
    """Write a ZIP file, uncompressed, under its name only when it is complete."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".partial-", dir=path.parent) as scratch:
        partial = Path(scratch, path.name)
        with zipfile.ZipFile(partial, "w") as archive:
            for name, blocks in members.items():
                info = zipfile.ZipInfo(name)  # its date is the earliest that a ZIP file knows
                with archive.open(info, "w", force_zip64=True) as file:
                    file.writelines(blocks)
        partial.replace(path)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

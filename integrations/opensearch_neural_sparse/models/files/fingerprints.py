"""Fingerprints (SHA-256) of model files.

A fingerprint covers what determines vectors and nothing else: not the names, dates and formatting of files.

- The **tokenizer** counts as its `tokenizer.json` without `truncation` and `padding` (which are set again when it is
  loaded): its vocabulary by id, and the rest as JSON with sorted keys.
- The **query side** of a doc-only model is its tokenizer and its effective weights, float32 by token id
  (`models.idf.read_idf`), so that `idf.json` and the same table in safetensors format count as equal. The query side
  of a bi-encoder is its document side.
- The **document side** is its activation, its tokenizer and the bytes of its weight files.
"""

from __future__ import annotations

import hashlib
import json
from array import array
from pathlib import Path
from typing import Any

from opensearch_neural_sparse.errors import ModelFilesError
from opensearch_neural_sparse.models.files.idf import read_idf
from opensearch_neural_sparse.models.files.layout import read_json, weight_files
from opensearch_neural_sparse.models.spec import Activation


def query_fingerprint(tokenizer: Path, idf: Path, tensor: Path | None = None) -> str:
    """Return the SHA-256 of a doc-only model's query side: `tokenizer.json` and the query weights."""
    content = read_tokenizer(tokenizer)
    weights = read_idf(idf, token_ids(content), ignored=special_ids(content), tensor=tensor)
    return hashlib.sha256(_canonical(content) + weights.tobytes()).hexdigest()


def document_fingerprint(folder: Path, activation: Activation) -> str:
    """Return the SHA-256 of the transformer in `folder` and of its activation."""
    digest = hashlib.sha256(activation.encode() + _canonical(read_tokenizer(folder / "tokenizer.json")))
    for path in weight_files(folder):
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def vocabulary_fingerprint(tokenizer: dict[str, Any]) -> str:
    """Return the SHA-256 of a tokenizer's tokens in id order."""
    return _hash_tokens(token_ids(tokenizer))


def tokenizer_fingerprint(tokenizer: dict[str, Any]) -> str:
    """Return the SHA-256 of the content of a `tokenizer.json`."""
    return hashlib.sha256(_canonical(tokenizer)).hexdigest()


def read_tokenizer(path: Path) -> dict[str, Any]:
    """Return the content of a `tokenizer.json`.

    Raises:
        ModelFilesError: The file is missing or is not a fast tokenizer's.
    """
    content = read_json(path)
    if not isinstance(content, dict) or not content.get("model", {}).get("vocab"):
        raise ModelFilesError(f"{path} is not the file of a fast tokenizer.")
    return content


def token_ids(tokenizer: dict[str, Any]) -> dict[str, int]:
    """Return token -> id of the content of a `tokenizer.json`."""
    vocabulary = tokenizer["model"]["vocab"]
    if isinstance(vocabulary, list):
        vocabulary = {token: index for index, (token, _) in enumerate(vocabulary)}
    return {**vocabulary, **{token["content"]: token["id"] for token in tokenizer.get("added_tokens", [])}}


def special_ids(tokenizer: dict[str, Any]) -> frozenset[int]:
    """Return the ids of the special tokens of the content of a `tokenizer.json`."""
    return frozenset(token["id"] for token in tokenizer.get("added_tokens", []) if token["special"])


def _canonical(tokenizer: dict[str, Any]) -> bytes:
    rest = {key: value for key, value in tokenizer.items() if key not in ("truncation", "padding", "model")}
    model = dict(tokenizer["model"])
    if isinstance(model["vocab"], dict):  # its order in the file does not count, and sorting it as JSON takes long
        vocabulary: dict[str, int] = model.pop("vocab")
        model["ids"] = hashlib.sha256(array("I", sorted(vocabulary.values())).tobytes()).hexdigest()
        model["tokens"] = _hash_tokens(vocabulary)
    return json.dumps({**rest, "model": model}, sort_keys=True, separators=(",", ":")).encode()


def _hash_tokens(vocabulary: dict[str, int]) -> str:
    tokens = sorted(vocabulary, key=vocabulary.__getitem__)
    return hashlib.sha256("\0".join(tokens).encode("utf-8", "surrogatepass")).hexdigest()

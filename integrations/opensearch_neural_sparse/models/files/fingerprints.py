"""Fingerprints (SHA-256) of model files.

A fingerprint covers what determines vectors and nothing else: not the names, dates and formatting of files.

- The **tokenizer** counts as its `tokenizer.json` without `truncation` and `padding` (which are set again when it is
  loaded): its vocabulary by id, and the rest as JSON with sorted keys.
- The **query side** of a doc-only model is its tokenizer and its effective weights, float32 by token id
  (`models.idf.read_idf`), so that `idf.json` and the same table in safetensors format count as equal. The query side
  of a bi-encoder is its document side, or the same of the transformer that it has for queries.
- The **document side** is its activation, its pooling where that is not `max`, its tokenizer and the bytes of its
  weight files; of a model of one weight for each token, its family and its head too. The query side of DeepImpact is
  how its tokenizer finds words.
"""

from __future__ import annotations

import hashlib
import json
from array import array
from pathlib import Path
from typing import Any

from opensearch_neural_sparse.errors import ModelFilesError
from opensearch_neural_sparse.models.files.idf import read_idf
from opensearch_neural_sparse.models.files.json_file import read_json
from opensearch_neural_sparse.models.files.layout import weight_files
from opensearch_neural_sparse.models.files.scalar.families import TRAITS, head_file
from opensearch_neural_sparse.models.spec import Activation, Family, Pooling


def query_fingerprint(tokenizer: Path, idf: Path, tensor: Path | None = None) -> str:
    """Return the SHA-256 of a doc-only model's query side: `tokenizer.json` and the query weights."""
    content = read_tokenizer(tokenizer)
    weights = read_idf(idf, token_ids(content), ignored=special_ids(content), tensor=tensor)
    return hashlib.sha256(_canonical(content) + weights.tobytes()).hexdigest()


def words_fingerprint(tokenizer: Path) -> str:
    """Return the SHA-256 of a query side of whole words: how `tokenizer.json` normalises and splits a text."""
    content = read_tokenizer(tokenizer)
    parts = {"weights": "binary words", **{name: content.get(name) for name in ("normalizer", "pre_tokenizer")}}
    return hashlib.sha256(json.dumps(parts, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def document_fingerprint(
    folder: Path, activation: Activation, pooling: Pooling = Pooling.MAX, family: Family = Family.SPLADE
) -> str:
    """Return the SHA-256 of the transformer in `folder`, of its head, its activation and its pooling."""
    settings = activation.encode() + (b"" if pooling is Pooling.MAX else pooling.encode())
    files = weight_files(folder)
    if family in TRAITS:
        settings, head = f"{family} {activation} ".encode(), head_file(folder)
        files = files if head is None else (*files, head)
    digest = hashlib.sha256(settings + _canonical(read_tokenizer(folder / "tokenizer.json")))
    for path in files:
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
    if not _is_tokenizer(content):
        raise ModelFilesError(f"{path} is not the file of a fast tokenizer.")
    known: dict[str, Any] = content
    return known


def _is_tokenizer(content: Any) -> bool:
    """Return whether a content has a vocabulary, and whole entries of added tokens; the rest is the library's."""
    if not isinstance(content, dict) or not isinstance(content.get("model"), dict):
        return False
    vocabulary, added = content["model"].get("vocab"), content.get("added_tokens", [])
    if isinstance(vocabulary, list):
        whole = all(isinstance(entry, list) and len(entry) == 2 and isinstance(entry[0], str) for entry in vocabulary)
    else:
        whole = isinstance(vocabulary, dict) and all(type(index) is int and index >= 0 for index in vocabulary.values())
    return bool(vocabulary) and whole and isinstance(added, list) and all(map(_is_added_token, added))


def _is_added_token(entry: Any) -> bool:
    if not isinstance(entry, dict):
        return False
    index = entry.get("id")
    return type(index) is int and index >= 0 and isinstance(entry.get("content"), str) and "special" in entry


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

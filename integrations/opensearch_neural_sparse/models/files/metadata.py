"""Model metadata from the model's own files."""

from __future__ import annotations

from math import prod
from pathlib import Path
from typing import Any

from opensearch_neural_sparse.errors import ModelFilesError
from opensearch_neural_sparse.models.files.fingerprints import (
    read_tokenizer,
    token_ids,
    tokenizer_fingerprint,
    vocabulary_fingerprint,
)
from opensearch_neural_sparse.models.files.idf import read_safetensors_header
from opensearch_neural_sparse.models.files.layout import find_file, read_json, read_layout
from opensearch_neural_sparse.models.spec import ModelSpec

SERVER_TOKENIZERS = {
    "82aa00c710d9ba2d2f00d548ae715773128ebdfcc01ee8080befe9aecab141c1": "bert-uncased",
    "a9a3124b91c689d77df4bcc21df6bfb906a82edaeac645b60f009c8ce3930678": "mbert-uncased",
}
"""Tokenizer fingerprint -> the server's analyzer with the same vocabulary."""
ENGLISH_VOCABULARY = "0fd8e5fc013d4f01648d5ee9922b4d79b89eb7f8831e8d80698a54f90136f594"
"""Vocabulary fingerprint of BERT's uncased English models."""
NO_LIMIT = 1_000_000
"""Length limits above this are transformers' placeholder for no limit."""


def read_spec(root: Path, *, id: str, path: Path | None = None) -> ModelSpec:  # noqa: A002  the field's name
    """Read a model's specification from the files in its folder.

    Args:
        root: The folder.
        id: What the model is called.
        path: The folder again for a model that lives there, None for one of the hub.

    Raises:
        ModelFilesError: A file is missing, damaged, or contradicts another; the message names it.
    """
    layout = read_layout(root)
    document = root / layout.document
    config = read_json(document / "config.json")
    tokenizer = find_file(root / layout.query / "tokenizer.json", root / "tokenizer.json")
    content = read_tokenizer(tokenizer)
    _check_vocabulary(document / "config.json", config, tokenizer, max(token_ids(content).values()) + 1)
    return ModelSpec(
        id=id,
        name=id.rpartition("/")[2],
        mode=layout.mode,
        activation=layout.activation,
        path=path,
        tokenizer=SERVER_TOKENIZERS.get(tokenizer_fingerprint(content), id),
        vocabulary_size=config["vocab_size"],
        max_length=read_max_length(document),
        parameters=_count_parameters(document / "model.safetensors"),
        backbone=config.get("model_type", "unknown"),
        languages=("en",) if vocabulary_fingerprint(content) == ENGLISH_VOCABULARY else (),
    )


def read_max_length(document: Path) -> int:
    """Read the maximum text length of a transformer, in tokens with special tokens.

    Raises:
        ModelFilesError: `config.json` is missing, or no file names a limit.
    """
    limits, config = [], read_json(document / "config.json")
    positions = config.get("max_position_embeddings")
    if isinstance(positions, int):
        # RoBERTa and its kin count positions from after the padding token.
        offset = config.get("pad_token_id", 1) + 1 if "roberta" in config.get("model_type", "") else 0
        limits.append(positions - offset)
    for name, key in (("tokenizer_config.json", "model_max_length"), ("sentence_bert_config.json", "max_seq_length")):
        if (document / name).is_file():
            limits.append(read_json(document / name).get(key))
    known = [limit for limit in limits if isinstance(limit, int) and 0 < limit < NO_LIMIT]
    if not known:
        raise ModelFilesError(
            f"{document / 'config.json'} names no max_position_embeddings, and no other file a limit."
        )
    return min(known)


def _check_vocabulary(path: Path, config: dict[str, Any], tokenizer: Path, needed: int) -> None:
    size = config.get("vocab_size")
    if not isinstance(size, int):
        raise ModelFilesError(f"{path} names no vocab_size.")
    if size < needed:
        raise ModelFilesError(f"{path} says vocab_size {size}, but {tokenizer} has {needed} tokens.")


def _count_parameters(weights: Path) -> int | None:
    if not weights.is_file():
        return None
    header, _ = read_safetensors_header(weights)
    return sum(int(prod(entry["shape"])) for entry in header.values())

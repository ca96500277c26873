"""What a model's own files say of it."""

from __future__ import annotations

from math import prod
from pathlib import Path
from typing import Any

from opensearch_neural_sparse.errors import ModelFilesError
from opensearch_neural_sparse.models.fingerprints import read_tokenizer, token_ids, tokenizer_fingerprint
from opensearch_neural_sparse.models.idf import read_idf, read_safetensors_header
from opensearch_neural_sparse.models.layout import Layout, find_file, idf_tables, read_json, read_layout
from opensearch_neural_sparse.models.spec import Mode, ModelSpec

SERVER_TOKENIZERS = {
    "192338f79e02d73b0c308feb73f0c2382fc9dc7869825d1603bced8f8e421753": "bert-uncased",
    "2991ad27a37bc9354bcbd96bc74a8db8d9cbe5080d6065d3fb7747ea2d5c5746": "mbert-uncased",
}
"""Fingerprint of a tokenizer -> the server's analyzer of the same vocabulary."""
NO_LIMIT = 1_000_000
"""A limit beyond this is transformers' way to write that there is none."""
TABLE_TOLERANCE = 1e-5


def read_spec(root: Path, *, id: str, path: Path | None = None) -> ModelSpec:  # noqa: A002  the field's name
    """Read what a model is from the files in its folder.

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
    vocabulary = token_ids(read_tokenizer(tokenizer))
    _check_vocabulary(document / "config.json", config, tokenizer, vocabulary)
    if layout.mode is Mode.DOC_ONLY:
        _check_tables(root, layout, vocabulary)
    return ModelSpec(
        id=id,
        name=id.rpartition("/")[2],
        mode=layout.mode,
        activation=layout.activation,
        path=path,
        tokenizer=SERVER_TOKENIZERS.get(tokenizer_fingerprint(tokenizer), id),
        vocabulary_size=config["vocab_size"],
        max_length=_max_length(document, config),
        parameters=_count_parameters(document / "model.safetensors"),
        backbone=config.get("model_type", "unknown"),
    )


def _check_vocabulary(path: Path, config: dict[str, Any], tokenizer: Path, vocabulary: dict[str, int]) -> None:
    size, needed = config.get("vocab_size"), max(vocabulary.values()) + 1
    if not isinstance(size, int):
        raise ModelFilesError(f"{path} names no vocab_size.")
    if size < needed:
        raise ModelFilesError(f"{path} says vocab_size {size}, but {tokenizer} has {needed} tokens.")


def _check_tables(root: Path, layout: Layout, vocabulary: dict[str, int]) -> None:
    # sentence-transformers reads the tensor, this package the JSON where there is one; they must not disagree.
    candidates = idf_tables(root, layout)
    table = find_file(*candidates)
    others = [path for path in candidates if path.is_file() and path != table]
    weights = read_idf(table, vocabulary)
    for other in others:
        pairs = zip(weights, read_idf(other, vocabulary), strict=True)
        different = sum(abs(one - two) > TABLE_TOLERANCE * max(one, two) for one, two in pairs)
        if different > TABLE_TOLERANCE * len(weights) + 2:
            raise ModelFilesError(
                f"{table} and {other} differ in the weights of {different} tokens; remove the stale one."
            )


def _max_length(document: Path, config: dict[str, Any]) -> int:
    limits = []
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


def _count_parameters(weights: Path) -> int | None:
    if not weights.is_file():
        return None
    header, _ = read_safetensors_header(weights)
    return sum(int(prod(entry["shape"])) for entry in header.values())

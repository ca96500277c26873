"""Checks of a model's tokenizers against its other files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from opensearch_neural_sparse.errors import ModelFilesError
from opensearch_neural_sparse.models.files.fingerprints import read_tokenizer, token_ids
from opensearch_neural_sparse.models.files.json_file import read_object

TRANSFORMER_SETTINGS = "sentence_bert_config.json"


def ensure_same_vocabulary(query: Path, document: Path) -> None:
    """Raise ModelFilesError where the tokenizers of queries and documents have other tokens.

    Args:
        query: `tokenizer.json` of queries.
        document: `tokenizer.json` of documents.
    """
    if query.read_bytes() == document.read_bytes():
        return
    one, other = (token_ids(read_tokenizer(path)) for path in (query, document))
    if one != other:
        raise ModelFilesError(
            f"{query} and {document} have other tokens: {len(one.items() ^ other.items())} entries differ. Queries and "
            "documents of one model share a vocabulary; save the model with one tokenizer for both routes."
        )


def refuse_lowercase(folder: Path, tokenizer: Path) -> None:
    """Raise ModelFilesError where sentence-transformers lowercases texts and the tokenizer's own file does not.

    Args:
        folder: Folder of the transformer.
        tokenizer: Its `tokenizer.json`.
    """
    settings = folder / TRANSFORMER_SETTINGS
    if not settings.exists() or not read_object(settings).flag("do_lower_case", default=False):
        return
    if not any(map(_lowercases, _normalizers(read_tokenizer(tokenizer).get("normalizer")))):
        raise ModelFilesError(
            f"{settings} says do_lower_case, but {tokenizer} keeps capital letters, so its tokens are not those of the "
            "model. Add a Lowercase normalizer to the tokenizer and save it again."
        )


def _normalizers(normalizer: Any) -> Iterator[dict[str, Any]]:
    if isinstance(normalizer, dict):
        yield normalizer
        for inner in normalizer.get("normalizers") or ():
            yield from _normalizers(inner)


def _lowercases(normalizer: dict[str, Any]) -> bool:
    return normalizer.get("type") == "Lowercase" or (
        normalizer.get("type") == "BertNormalizer" and normalizer.get("lowercase") is True
    )

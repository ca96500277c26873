"""Encoding settings of a model: those that sentence-transformers stores in its folder, and those of the catalogue."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from opensearch_neural_sparse.models.files.json_file import read_object
from opensearch_neural_sparse.models.spec import ModelSpec

FILE = "config_sentence_transformers.json"


@dataclass(frozen=True, kw_only=True)
class EncodingSettings:
    """Encoding settings of a model.

    Attributes:
        query_prompt: Text put before queries.
        document_prompt: Text put before documents.
        max_active_dims: How many tokens a vector keeps, of a document and of a query, or None.
    """

    query_prompt: str = ""
    document_prompt: str = ""
    max_active_dims: int | None = None


def read_encoding_settings(root: Path) -> EncodingSettings:
    """Read the encoding settings of the model in `root`; the default is no prompts and no limit.

    Raises:
        ModelFilesError: The file is not JSON, or a field is of another kind.
    """
    if not (root / FILE).exists():
        return EncodingSettings()
    config = read_object(root / FILE)
    prompts, dims = config.inner("prompts"), config.content.get("max_active_dims")
    return EncodingSettings(
        query_prompt=prompts.text("query", ""),
        document_prompt=prompts.text("document", ""),
        max_active_dims=None if dims is None else config.whole("max_active_dims", least=1),
    )


def document_dims(given: int | None, spec: ModelSpec, settings: EncodingSettings) -> int | None:
    """Return the most tokens of a document's vector: as given, else as the catalogue or the model's files say.

    Args:
        given: What the caller chose; the size of the vocabulary keeps all tokens.
        spec: The model.
        settings: Its settings.

    Returns:
        A number below the size of the vocabulary, or None, which keeps all tokens.
    """
    return _below(given or spec.max_active_dims or settings.max_active_dims, spec)


def query_dims(given: int | None, spec: ModelSpec, settings: EncodingSettings) -> int | None:
    """Return the most tokens of a query's vector; the arguments are those of `document_dims`."""
    return _below(given or spec.query_max_active_dims or settings.max_active_dims, spec)


def _below(dims: int | None, spec: ModelSpec) -> int | None:
    return None if dims is None or dims >= spec.vocabulary_size else dims

"""Encoding settings that sentence-transformers stores in a model folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opensearch_neural_sparse.models.files.layout import read_json

FILE = "config_sentence_transformers.json"


@dataclass(frozen=True, kw_only=True)
class EncodingSettings:
    """Encoding settings of a model.

    Attributes:
        query_prompt: Text put before queries.
        document_prompt: Text put before documents.
        max_active_dims: How many tokens a vector keeps, or None.
    """

    query_prompt: str = ""
    document_prompt: str = ""
    max_active_dims: int | None = None


def read_encoding_settings(root: Path) -> EncodingSettings:
    """Read the encoding settings of the model in `root`; the default is no prompts and no limit.

    Raises:
        ModelFilesError: The file is not JSON.
    """
    if not (root / FILE).is_file():
        return EncodingSettings()
    config: dict[str, Any] = read_json(root / FILE)
    prompts = config.get("prompts") or {}
    return EncodingSettings(
        query_prompt=prompts.get("query") or "",
        document_prompt=prompts.get("document") or "",
        max_active_dims=config.get("max_active_dims"),
    )

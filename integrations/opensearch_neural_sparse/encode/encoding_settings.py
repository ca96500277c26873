"""What sentence-transformers keeps about encoding in a model's folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opensearch_neural_sparse.models.files.layout import read_json

FILE = "config_sentence_transformers.json"


@dataclass(frozen=True, kw_only=True)
class EncodingSettings:
    """How a model wants texts to be encoded.

    Attributes:
        query_prompt: Text put before queries.
        document_prompt: Text put before documents.
        max_active_dims: How many tokens a vector keeps, or None.
    """

    query_prompt: str = ""
    document_prompt: str = ""
    max_active_dims: int | None = None


def read_encoding_settings(root: Path) -> EncodingSettings:
    """Read the settings of the model in `root`; a model without any has no prompts and no limit.

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

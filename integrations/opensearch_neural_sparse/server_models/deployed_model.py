"""A model that a server runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class DeployedModel:
    """A model in the server that answers.

    Attributes:
        name: Its name in the server.
        model_id: The server's id of what encodes documents.
        query_model_id: The server's id of what encodes queries: the tokenizer of a doc-only model, or the model itself.
        changed_settings: Cluster settings that were changed for it, with their values.
    """

    name: str
    model_id: str
    query_model_id: str
    changed_settings: Mapping[str, Any] = field(default_factory=dict, compare=False)

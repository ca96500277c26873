"""A model that is registered in the server, in whatever state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from opensearch_neural_sparse.server_models.identity import ModelIdentity

ENCODING, TOKENIZING, REMOTE = "SPARSE_ENCODING", "SPARSE_TOKENIZE", "REMOTE"
"""The server's names of functions of models."""


@dataclass(frozen=True, kw_only=True)
class RegisteredModel:
    """A model in the server.

    Attributes:
        model_id: The server's id.
        name: Its name, which others may share.
        function: What it does: `SPARSE_ENCODING`, `SPARSE_TOKENIZE`, `REMOTE`, or another function of the server.
        state: The server's word for its state, such as `DEPLOYED`; a model of that state may still not answer.
        description: Its description.
        format: Format of its archive; None of a model behind a connector.
        content_sha256: Checksum of its archive; None of a model behind a connector.
        connector_id: The server's id of its connector, or None.
        group_id: The server's id of its group, or None.
    """

    model_id: str
    name: str
    function: str
    state: str
    description: str | None = None
    format: str | None = None
    content_sha256: str | None = None
    connector_id: str | None = None
    group_id: str | None = None

    @classmethod
    def read(cls, model_id: str, source: Mapping[str, Any]) -> Self:
        """Read a model of the server's response.

        Args:
            model_id: The server's id.
            source: Its document.
        """
        return cls(
            model_id=model_id,
            name=str(source.get("name", "")),
            function=str(source.get("algorithm", "")),
            state=str(source.get("model_state", "UNKNOWN")),
            description=source.get("description"),
            format=source.get("model_format"),
            content_sha256=source.get("model_content_hash_value"),
            connector_id=source.get("connector_id"),
            group_id=source.get("model_group_id"),
        )

    @property
    def identity(self) -> ModelIdentity | None:
        """Identity of the model's files, as its description holds it; None of models of others."""
        return ModelIdentity.read(self.description)

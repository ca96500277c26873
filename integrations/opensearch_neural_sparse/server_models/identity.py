"""Identity of a model's files, kept in the description of a model in the server."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from opensearch_neural_sparse.models.files.resolve import ModelFiles

_PATTERN = re.compile(
    r"opensearch-neural-sparse model:(?P<model>\S+) "
    r"query_sha256:(?P<query>[0-9a-f]{64}) weights_sha256:(?P<weights>[0-9a-f]{64})"
)
_NOT_IN_DESCRIPTIONS = re.compile(r"[^A-Za-z0-9.,!?():@_'/\"-]+")
"""Characters that the server takes in no description."""


@dataclass(frozen=True, kw_only=True)
class ModelIdentity:
    """Identity of a model's files.

    Attributes:
        model: Id of the model.
        query_sha256: Fingerprint of what queries are encoded with.
        weights_sha256: Fingerprint of the weights that documents are encoded with.
    """

    model: str
    query_sha256: str
    weights_sha256: str

    @classmethod
    def of(cls, files: ModelFiles) -> Self:
        """Return the identity of a model's files.

        Args:
            files: The files, with the document side.
        """
        return cls(model=files.spec.id, query_sha256=files.query_sha256, weights_sha256=files.weights_sha256)

    def describe(self) -> str:
        """Return the description under which the model is registered; characters that it cannot hold are hyphens."""
        model = _NOT_IN_DESCRIPTIONS.sub("-", self.model)
        return (
            f"opensearch-neural-sparse model:{model} query_sha256:{self.query_sha256} "
            f"weights_sha256:{self.weights_sha256}"
        )

    @classmethod
    def read(cls, description: str | None) -> Self | None:
        """Read a description; None where it holds no identity.

        Args:
            description: Description of a model in the server.
        """
        found = _PATTERN.search(description or "")
        if found is None:
            return None
        return cls(model=found["model"], query_sha256=found["query"], weights_sha256=found["weights"])

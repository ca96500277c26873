"""Encoding of an index by a model in the server, as its stamp keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self

from opensearch_neural_sparse.arguments import check_count
from opensearch_neural_sparse.errors import IndexSchemaError
from opensearch_neural_sparse.index.binding.server_chunking import ServerChunking
from opensearch_neural_sparse.short_repr import short_repr

_FOUND = frozenset({"model_name", "content_sha256", "probe"})
"""Attributes that the creation of an index finds in the server."""


@dataclass(frozen=True, kw_only=True)
class ServerEncoding:
    """Encoding of documents and queries by a model in the server.

    Attributes:
        model_id: The server's id of the model that encodes documents.
        query_model_id: The server's id of what encodes queries: the tokenizer of a doc-only model. None is the model
            itself.
        pipeline: Name of the ingest pipeline, which is the default pipeline of the index. None derives it from the
            index's name.
        batch_size: Texts that the pipeline hands to the model at once.
        chunking: How the pipeline cuts texts into passages, each with a vector of its own; None keeps one vector a
            document.
        model_name: Name of the model in the server, as `create` found it.
        content_sha256: Hash of the model's archive, as `create` found it; None for a model behind a connector.
        probe: Some token weights that the model gave for one fixed text when the index was created. A model that gives
            others is another one, whatever its id or address.
    """

    model_id: str
    query_model_id: str | None = None
    pipeline: str | None = None
    batch_size: int = 10
    chunking: ServerChunking | None = None
    model_name: str | None = None
    content_sha256: str | None = None
    probe: Mapping[str, float] | None = field(default=None, repr=False)

    __repr__ = short_repr

    def __post_init__(self) -> None:
        if not isinstance(self.model_id, str) or not self.model_id.strip():
            raise ValueError(f"model_id is the server's id of a deployed model, got {self.model_id!r}.")
        check_count(1, batch_size=self.batch_size)
        object.__setattr__(self, "chunking", ServerChunking.parse(self.chunking))

    @classmethod
    def from_meta(cls, stamp: Mapping[str, Any]) -> Self:
        """Read the part of a model stamp that says how the server encodes; unknown keys are ignored.

        Args:
            stamp: What `to_meta` returned, read back from a mapping.

        Raises:
            IndexSchemaError: A part is missing or damaged.
        """
        known = {each.name for each in fields(cls)}
        try:
            return cls(**{name: value for name, value in stamp.items() if name in known})
        except (AttributeError, TypeError, ValueError) as error:
            raise IndexSchemaError(f"The model stamp of the index is damaged: {error}") from None

    @classmethod
    def parse(cls, value: ServerEncoding | Mapping[str, Any] | str | None) -> ServerEncoding | None:
        """Return how the server encodes, from plain values.

        Args:
            value: The server's id of a model, a mapping of the attributes that a caller gives, an object of this class,
                or None.

        Raises:
            TypeError: Another type, an unknown attribute, or no model id.
            ValueError: An empty model id, or a batch of less than one text.
        """
        if value is None or isinstance(value, ServerEncoding):
            return value
        if isinstance(value, str):
            return cls(model_id=value)
        if not isinstance(value, Mapping):
            raise TypeError(
                f"server_encoding is a ServerEncoding, a mapping of its attributes or the server's id of a model, got "
                f"{type(value).__name__}."
            )
        given = [each.name for each in fields(cls) if each.name not in _FOUND]
        if unknown := sorted(map(str, value.keys() - set(given))):
            raise TypeError(f"server_encoding has the unknown keys {', '.join(unknown)}; known are {', '.join(given)}.")
        if "model_id" not in value:
            raise TypeError("server_encoding lacks 'model_id', the id of a model in the server.")
        return cls(**value)

    def to_dict(self) -> dict[str, Any]:
        """Return what a caller gives as plain values, without what is left to its default."""
        given = [each for each in fields(self) if each.name not in _FOUND]
        parts = {each.name: value for each in given if (value := getattr(self, each.name)) != each.default}
        return parts if self.chunking is None else parts | {"chunking": self.chunking.to_dict()}

    def to_meta(self) -> dict[str, Any]:
        """Return the part of a model stamp that says how the server encodes."""
        parts = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "chunking"}
        return parts if self.chunking is None else parts | {"chunking": self.chunking.to_dict()}

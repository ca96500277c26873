"""Encoding of a query's text by the server."""

from __future__ import annotations

from dataclasses import dataclass

from opensearch_neural_sparse.short_repr import short_repr


@dataclass(frozen=True, kw_only=True)
class ServerQuery:
    """Encoding of a query's text by the server: by a model or a tokenizer that it runs, or by an analyzer.

    Attributes:
        model_id: The server's id of a deployed model, or of the tokenizer of a doc-only model.
        analyzer: An analyzer whose tokens have weights, such as `bert-uncased`; a server of 3.1 or later with the
            plugin ml-commons. Without a `model_id` either, the index says what encodes its queries: its model stamp,
            its `semantic` field, or the `neural_query_enricher` of its default search pipeline.

    Raises:
        TypeError: An id or a name that is no text.
        ValueError: Both a model and an analyzer, or a blank one.
    """

    model_id: str | None = None
    analyzer: str | None = None

    __repr__ = short_repr

    def __post_init__(self) -> None:
        for name in ("model_id", "analyzer"):
            value = getattr(self, name)
            if value is not None and not isinstance(value, str):
                raise TypeError(f"{name} is a text, got {type(value).__name__}.")
            if value is not None and not value.strip():
                raise ValueError(f"{name} is blank, got {value!r}; leave it out, and the index says what is used.")
        if self.model_id is not None and self.analyzer is not None:
            raise ValueError(
                f"A query is encoded by one of them, got model_id={self.model_id!r} and analyzer={self.analyzer!r}; "
                "leave one out."
            )

    @property
    def is_default(self) -> bool:
        """Whether the index says what encodes the query."""
        return self.model_id is None and self.analyzer is None

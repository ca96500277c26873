"""A text field of type `semantic`, which the server encodes when documents are written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from opensearch_neural_sparse.encode.pruning import Prune, PruneType
from opensearch_neural_sparse.errors import IndexSchemaError
from opensearch_neural_sparse.index.binding.server_encoding import ServerEncoding

SEMANTIC = "semantic"
SEMANTIC_SINCE = (3, 1, 0)
EMBEDDING, CHUNKS = "embedding", "chunks"
SERVER_PRUNE = Prune(type=PruneType.MAX_RATIO, ratio=0.1)
"""Pruning rule that the server applies where a field names none."""


def semantic_info(text_field: str) -> str:
    """Return the name of the object that the server keeps beside a semantic field."""
    return f"{text_field}_semantic_info"


@dataclass(frozen=True, kw_only=True)
class SemanticField:
    """Encoding of a text field of type `semantic` by the server; OpenSearch 3.1 or later.

    Attributes:
        model_id: The server's id of the model that encodes documents; None where the mapping does not say it.
        search_model_id: The server's id of what encodes queries: the tokenizer of a doc-only model.
        search_analyzer: An analyzer that encodes queries, such as `bert-uncased`, in place of a model.
        prune: Which tokens of a document are kept; the server's own default is `max_ratio:0.1`.
        chunking: Whether the server cuts texts into chunks, each with a vector of its own.

    Raises:
        IndexSchemaError: Both a model and an analyzer for queries.
    """

    model_id: str | None
    search_model_id: str | None = None
    search_analyzer: str | None = None
    prune: Prune = SERVER_PRUNE
    chunking: bool = False

    def __post_init__(self) -> None:
        if self.search_model_id is not None and self.search_analyzer is not None:
            raise IndexSchemaError(
                "Queries of a semantic field are encoded by search_model_id or by search_analyzer; leave one out."
            )

    @property
    def server(self) -> ServerEncoding | None:
        """Encoding of the field by the server, for the stamp of the index; None where it is not known."""
        if self.model_id is None:
            return None
        return ServerEncoding(model_id=self.model_id, query_model_id=self.search_model_id)

    def to_mapping(self) -> dict[str, Any]:
        """Return the type of the field and its parameters.

        Raises:
            IndexSchemaError: No model for documents.
        """
        if self.model_id is None:
            raise IndexSchemaError("A semantic field is created with the model that encodes documents: model_id='...'.")
        mapping: dict[str, Any] = {"type": SEMANTIC, "model_id": self.model_id}
        if self.search_model_id is not None:
            mapping["search_model_id"] = self.search_model_id
        if self.search_analyzer is not None:
            mapping["semantic_field_search_analyzer"] = self.search_analyzer
        if self.chunking:
            mapping["chunking"] = True
        ratio = {} if self.prune.ratio is None else {"prune_ratio": self.prune.ratio}
        mapping["sparse_encoding_config"] = {"prune_type": str(self.prune.type), **ratio}
        return mapping

    @classmethod
    def of_mappings(cls, mappings: Mapping[str, Any], text_field: str) -> Self | None:
        """Read the field from the mappings of an index; None where the server encodes no such field.

        Args:
            mappings: The mappings of one index.
            text_field: Name of the text field.
        """
        properties = mappings.get("properties", {})
        held = properties.get(semantic_info(text_field), {}).get("properties", {})
        field = properties.get(text_field, {})
        if not {EMBEDDING, CHUNKS} & set(held):
            return None
        parts = field if field.get("type") == SEMANTIC else {}
        given = parts.get("sparse_encoding_config", {})
        prune = Prune(type=PruneType(given["prune_type"]), ratio=given.get("prune_ratio")) if given else SERVER_PRUNE
        return cls(
            model_id=parts.get("model_id"),
            search_model_id=parts.get("search_model_id"),
            search_analyzer=parts.get("semantic_field_search_analyzer"),
            prune=prune,
            chunking=CHUNKS in held,
        )

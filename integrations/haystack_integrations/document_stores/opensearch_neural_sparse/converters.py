"""Haystack's documents <-> the core's documents and hits; pure functions over values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, cast

from haystack.dataclasses import ByteStream, Document

from haystack_integrations.document_stores.opensearch_neural_sparse.sparse_embedding import DocumentSparseEmbedding
from opensearch_neural_sparse import SparseDocument
from opensearch_neural_sparse.layer_support import check_type

if TYPE_CHECKING:
    from opensearch_neural_sparse import ModelBinding, SearchHit, SparseVector

BLOB = "blob"
ROUTING = "_routing"
"""Metadata key that opensearch-haystack takes a document's shard from; it is not stored."""
EXPLANATION = "_explanation"
"""Metadata key of the explanation of a hit; it is not stored either."""
CHUNK = "_chunk"
"""Metadata key of the chunk that a document of an index of chunks was found by; nor is this stored."""
NOT_STORED = (ROUTING, EXPLANATION, CHUNK)


def checked_documents(documents: Iterable[Document]) -> list[Document]:
    """Return documents as a list.

    Raises:
        ValueError: Something else among them.
    """
    check_type(Iterable, documents=documents)
    rows = list(documents)
    if unexpected := {type(row).__name__ for row in rows if not isinstance(row, Document)}:
        raise ValueError(f"write_documents takes a list of documents, got {', '.join(sorted(unexpected))} in it.")
    return rows


def to_sparse_document(document: Document, vector: SparseVector | None, model: str | None) -> SparseDocument:
    """Return a document as the core writes it.

    Args:
        document: The document; its `blob` is stored as opensearch-haystack stores it.
        vector: Its sparse embedding as token -> weight.
        model: Marker of the model that made this; None where not known.
    """
    routing = document.meta.get(ROUTING)
    return SparseDocument(
        id=document.id,
        text=document.content,
        metadata={key: value for key, value in document.meta.items() if key not in NOT_STORED},
        vector=vector,
        embedding=document.embedding,
        model=model,
        routing=None if routing is None else str(routing),
        extra_fields={} if document.blob is None else {BLOB: document.blob.to_dict()},
    )


def of_sparse_document(document: SparseDocument) -> Document:
    """Return a document of the core as Haystack has it, to be embedded; without a sparse embedding."""
    blob, meta = document.extra_fields.get(BLOB), dict(document.metadata)
    embedding = cast("Sequence[float] | None", document.embedding)  # arrays became lists when it was made
    return Document(
        id=str(document.id),
        content=document.text,
        blob=ByteStream.from_dict(blob) if blob else None,
        meta=meta if document.routing is None else {**meta, ROUTING: document.routing},
        embedding=None if embedding is None else list(embedding),
    )


def to_document(
    hit: SearchHit, *, vector: SparseVector | None, vocabulary: Mapping[str, int], binding: ModelBinding | None
) -> Document:
    """Return a hit as a Haystack document, its score in `Document.score`, its best chunk in `meta["_chunk"]`.

    Args:
        hit: The hit.
        vector: Its sparse vector, where that is wanted; it then carries the model that made it, where that is known.
        vocabulary: Token -> id.
        binding: The model of the index.
    """
    known = binding if binding is not None and hit.model == binding.marker else None
    blob = hit.source.get(BLOB)
    return Document(
        id=hit.id,
        content=hit.text,
        blob=ByteStream.from_dict(blob) if blob else None,
        meta=dict(hit.metadata) | ({} if hit.chunk is None else {CHUNK: asdict(hit.chunk)}),
        score=hit.score,
        embedding=None if hit.embedding is None else list(hit.embedding),
        sparse_embedding=DocumentSparseEmbedding.of(vector, vocabulary, known) if vector else None,
    )


def with_explanation(document: Document, hit: SearchHit) -> Document:
    """Return a document with the tokens that matched, and scores of legs and reranker, in its metadata."""
    parts: dict[str, Any] = {}
    if hit.matches is not None:
        parts["tokens"] = [asdict(match) for match in hit.matches]
    if hit.legs is not None:
        parts["legs"] = {name: leg.to_dict() for name, leg in hit.legs.items()}
    if hit.search_score is not None:
        parts["rerank"] = {"score": hit.rerank_score, "search_score": hit.search_score}
    return replace(document, meta={**document.meta, EXPLANATION: parts})

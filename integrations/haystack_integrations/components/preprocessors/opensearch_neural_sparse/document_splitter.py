"""Split documents into passages that fit into a model."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

from haystack import Document, component, default_to_dict, logging
from haystack.utils import Secret

from haystack_integrations.document_stores.opensearch_neural_sparse.lazy import Lazy
from haystack_integrations.document_stores.opensearch_neural_sparse.serialization import query_files, saved_parameters
from opensearch_neural_sparse import Chunk, ChunkOptions, ModelFiles, SparseTokenizer, chunk_text
from opensearch_neural_sparse.layer_support import read_encoding_settings

logger = logging.getLogger(__name__)

PAGE_BREAK = "\f"


@component
class NeuralSparseDocumentSplitter:
    """Split documents by the tokens of the model that embeds them, so that none is cut off.

    Passages overlap and are cut at the beginning of words where that is possible, never within a token. Put together
    again without their overlap they are the document's text, character by character. Their ids are the document's id,
    `#` and a number, so writing a document again overwrites its passages. They carry the document's metadata and, as
    those of Haystack's own splitters, `source_id`, `split_id`, `split_idx_start` and `page_number`.

    Args:
        model: Name, hub id or folder of a model; of a doc-only one, no more than the small files are downloaded.
        split_length: Most tokens of a passage, without the special tokens that the model adds.
        split_overlap: How many tokens two neighbours share, about; at most half of a passage.
        revision: Commit, tag or branch on the hub; by default the pinned one.
        token: Hub token for gated and private models.
        cache_dir: Cache of the hub.
        local_files_only: Whether to leave the hub alone.

    Raises:
        ValueError: A passage without tokens, or an overlap of more than its half.

    Examples:
        >>> splitter = NeuralSparseDocumentSplitter("examples/models/small-en", split_length=4, split_overlap=0)
        >>> passages = splitter.run([Document(id="1", content="Split a string into a list.")])["documents"]
        >>> [passage.content for passage in passages]
        ['Split a string into ', 'a list.']
    """

    def __init__(
        self,
        model: str | Path,
        *,
        split_length: int = 256,
        split_overlap: int = 32,
        revision: str | None = None,
        token: Secret | None = Secret.from_env_var(["HF_API_TOKEN", "HF_TOKEN"], strict=False),  # noqa: B008
        cache_dir: str | Path | None = None,
        local_files_only: bool = False,
    ) -> None:
        self.model = model
        self.split_length = split_length
        self.split_overlap = split_overlap
        self.revision = revision
        self.token = token
        self.cache_dir = cache_dir
        self.local_files_only = local_files_only
        self._options = ChunkOptions(tokens=split_length, overlap=split_overlap)
        self._tokenizer = Lazy(self._load)

    def to_dict(self) -> dict[str, Any]:
        """Return the parameters as plain values, as they were given."""
        return default_to_dict(self, **saved_parameters(self))

    def warm_up(self) -> None:
        """Load the model's tokenizer.

        Raises:
            ValueError: The model cannot take passages of this length.
        """
        self._tokenizer.get()

    async def warm_up_async(self) -> None:
        """Load the model's tokenizer, off the event loop."""
        await self._tokenizer.get_async()

    def close(self) -> None:
        """Release the tokenizer; the next run loads it again."""
        self._tokenizer.take()

    @component.output_types(documents=list[Document])
    def run(self, documents: list[Document]) -> dict[str, Any]:
        """Split documents.

        Args:
            documents: The documents; one without text is left out, which a warning says.

        Returns:
            `documents`: their passages, in order. They have no embeddings.

        Raises:
            TypeError: Something else than a list of documents.
            ValueError: A document whose content is None, or passages that are too long for the model.
        """
        if not isinstance(documents, list) or not all(isinstance(document, Document) for document in documents):
            raise TypeError("NeuralSparseDocumentSplitter splits a list of documents.")
        tokenizer = self._tokenizer.get()
        return {"documents": [passage for document in documents for passage in self._split(document, tokenizer)]}

    @component.output_types(documents=list[Document])
    async def run_async(self, documents: list[Document]) -> dict[str, Any]:
        """Split documents off the event loop; see `run`."""
        return await asyncio.to_thread(self.run, documents)

    def _split(self, document: Document, tokenizer: SparseTokenizer) -> Iterator[Document]:
        text = document.content
        if text is None:
            raise ValueError(f"Document {document.id!r} has no text to split: its content is None.")
        if not text:
            logger.warning("Document {id} is empty and is left out.", id=document.id)
            return
        chunks = chunk_text(text, tokenizer, document_id=document.id, options=self._options)
        if not chunks:  # nothing but blanks
            chunks = [Chunk(id=f"{document.id}#0", number=0, text=text, start=0, end=len(text))]
        yield from _passages(document, text, chunks)

    def _load(self) -> SparseTokenizer:
        files = query_files(self)
        tokenizer = SparseTokenizer.from_file(files.query_tokenizer)
        longest = files.spec.max_length - _room_around(tokenizer, files)
        if self.split_length > longest:
            raise ValueError(
                f"split_length is {self.split_length}; {files.spec.id!r} takes passages of up to {longest} tokens."
            )
        return tokenizer


def _room_around(tokenizer: SparseTokenizer, files: ModelFiles) -> int:
    """Return how many tokens the model has besides those of a passage: its prompt and special tokens."""
    return len(tokenizer.batch_document_ids([read_encoding_settings(files.root).document_prompt])[0])


def _passages(document: Document, text: str, chunks: Sequence[Chunk]) -> Iterator[Document]:
    """Yield chunks as documents, what lies between two of them at the end of the first."""
    starts = [0, *(chunk.start for chunk in chunks[1:])]
    page, counted = 1, 0
    for chunk, start, following in zip(chunks, starts, [*starts[1:], len(text)], strict=True):
        page, counted = page + text.count(PAGE_BREAK, counted, chunk.start), chunk.start
        places = {
            "source_id": document.id,
            "page_number": page,
            "split_id": chunk.number,
            "split_idx_start": start,
        }
        meta = {**deepcopy(document.meta), **places}
        yield Document(id=chunk.id, content=text[start : max(chunk.end, following)], meta=meta)

"""Splitting of long texts by the model's tokens."""

from __future__ import annotations

from copy import deepcopy
from functools import cached_property
from pathlib import Path
from typing import Any

from langchain_core.documents import Document
from langchain_text_splitters import TextSplitter

from opensearch_neural_sparse import (
    Chunk,
    ChunkOptions,
    ModelSpec,
    Side,
    SparseTokenizer,
    chunk_text,
    get_model,
    resolve_files,
)


class NeuralSparseTextSplitter(TextSplitter):
    """Split texts into passages within the model's limit, at word starts where possible.

    The tokenizer is loaded when it is first used; the transformer is not needed.

    Args:
        model: Name, hub id or folder of the model.
        chunk_size: Most tokens of a passage, without special tokens.
        chunk_overlap: How many tokens two neighbours share, about.
        add_start_index: Whether metadata gets the place of a passage in its text, in characters, as `start_index`.
        **hub_options: Options of `resolve_files`, such as `revision` and `local_files_only`.

    Raises:
        ValueError: No token at all, or an overlap of more than half of a passage.
    """

    def __init__(
        self,
        model: str | Path | ModelSpec,
        *,
        chunk_size: int = 256,
        chunk_overlap: int = 32,
        add_start_index: bool = False,
        **hub_options: Any,
    ) -> None:
        self._options = ChunkOptions(tokens=chunk_size, overlap=chunk_overlap)
        super().__init__(chunk_size, chunk_overlap, add_start_index=add_start_index)
        self._model, self._hub_options = model, hub_options

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_tokenizer"}

    def split_text(self, text: str) -> list[str]:
        """Split a text into passages; a text without tokens has none.

        Args:
            text: The text.
        """
        return [chunk.text for chunk in self._chunks(text)]

    def create_documents(self, texts: list[str], metadatas: list[dict[Any, Any]] | None = None) -> list[Document]:
        """Split texts into documents, one per passage, with the metadata of its text.

        Args:
            texts: The texts.
            metadatas: Metadata of each; by default none.
        """
        return [
            Document(page_content=chunk.text, metadata=self._metadata(chunk, metadata))
            for text, metadata in zip(texts, metadatas or [{}] * len(texts), strict=True)
            for chunk in self._chunks(text)
        ]

    @cached_property
    def _tokenizer(self) -> SparseTokenizer:
        files = resolve_files(get_model(self._model), side=Side.QUERY, **self._hub_options)
        return SparseTokenizer.from_file(files.query_tokenizer)

    def _chunks(self, text: str) -> list[Chunk]:
        return chunk_text(text, self._tokenizer, document_id="", options=self._options)

    def _metadata(self, chunk: Chunk, metadata: dict[Any, Any]) -> dict[Any, Any]:
        return deepcopy(metadata) | ({"start_index": chunk.start} if self._add_start_index else {})

"""Constructors and closing of a vector store."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, Self, TypeVar

from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings

from langchain_opensearch_neural_sparse.vectorstore_base import VectorStoreBase

_Store = TypeVar("_Store", bound="Constructors")


class Constructors(VectorStoreBase):
    """LangChain's constructors of a vector store, and closing of what they opened."""

    if TYPE_CHECKING:

        def __init__(
            self, index: str | None = None, *, embedding: Embeddings | None = None, **options: Any
        ) -> None: ...

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.aclose()

    def close(self) -> None:
        """Close the blocking client and the model opened here; the client of an event loop closes with its loop."""
        self.stores.close()

    async def aclose(self) -> None:
        """Close everything opened here, with the client of this event loop."""
        await self.stores.aclose()

    @classmethod
    def from_texts(
        cls,
        texts: Iterable[str],
        embedding: Embeddings | None = None,
        metadatas: Sequence[Mapping[str, Any]] | None = None,
        *,
        ids: Sequence[str | None] | None = None,
        batch_size: int | None = None,
        **kwargs: Any,
    ) -> Self:
        """Make a vector store and add texts to it.

        Args:
            texts: Texts; consumed once.
            embedding: Dense model of a dense leg; None where there is none. The sparse one is `model`.
            metadatas: Metadata, one for each text.
            ids: Ids, one for each text; one is made where it is None.
            batch_size: Documents of a request, in place of the one in `write_options`.
            **kwargs: Arguments of the constructor, such as `index`, `url`, `model`, and `settings` of a new index.

        Raises:
            ValueError: A dense model without its dimension, or the counts differ.
            BulkWriteError: Some documents were not written.
        """
        added: dict[str, Any] = {"texts": texts, "metadatas": metadatas, "ids": ids, "batch_size": batch_size}
        with _closed_on_error(cls(embedding=embedding, **kwargs)) as vectorstore:
            vectorstore.add_texts(**added)
        return vectorstore

    @classmethod
    def from_documents(
        cls,
        documents: Iterable[Document],
        embedding: Embeddings | None = None,
        *,
        ids: Sequence[str | None] | None = None,
        batch_size: int | None = None,
        **kwargs: Any,
    ) -> Self:
        """Make a vector store and add `documents` to it; the arguments are those of `from_texts`."""
        added: dict[str, Any] = {"documents": documents, "ids": ids, "batch_size": batch_size}
        with _closed_on_error(cls(embedding=embedding, **kwargs)) as vectorstore:
            vectorstore.add_documents(**added)
        return vectorstore

    @classmethod
    def from_existing_index(cls, index: str, **kwargs: Any) -> Self:
        """Open an existing index; check its fields and its model.

        Args:
            index: Index or alias.
            **kwargs: Arguments of the constructor.

        Raises:
            IndexNotFoundError: There is no such index.
            IndexNotBoundError: It carries no model, and none is given.
            ModelMismatchError: It is bound to another model than the one given.
        """
        with _closed_on_error(cls(index, **kwargs)) as vectorstore:
            vectorstore.store.open()
        return vectorstore

    @classmethod
    async def afrom_texts(
        cls,
        texts: Iterable[str],
        embedding: Embeddings | None = None,
        metadatas: Sequence[Mapping[str, Any]] | None = None,
        *,
        ids: Sequence[str | None] | None = None,
        batch_size: int | None = None,
        **kwargs: Any,
    ) -> Self:
        """Run `from_texts` asynchronously."""
        added: dict[str, Any] = {"texts": texts, "metadatas": metadatas, "ids": ids, "batch_size": batch_size}
        async with _aclosed_on_error(cls(embedding=embedding, **kwargs)) as vectorstore:
            await vectorstore.aadd_texts(**added)
        return vectorstore

    @classmethod
    async def afrom_documents(
        cls,
        documents: Iterable[Document],
        embedding: Embeddings | None = None,
        *,
        ids: Sequence[str | None] | None = None,
        batch_size: int | None = None,
        **kwargs: Any,
    ) -> Self:
        """Run `from_documents` asynchronously."""
        added: dict[str, Any] = {"documents": documents, "ids": ids, "batch_size": batch_size}
        async with _aclosed_on_error(cls(embedding=embedding, **kwargs)) as vectorstore:
            await vectorstore.aadd_documents(**added)
        return vectorstore

    @classmethod
    async def afrom_existing_index(cls, index: str, **kwargs: Any) -> Self:
        """Run `from_existing_index` asynchronously."""
        async with _aclosed_on_error(cls(index, **kwargs)) as vectorstore:
            await vectorstore.async_store.open()
        return vectorstore


@contextmanager
def _closed_on_error(vectorstore: _Store) -> Iterator[_Store]:
    try:
        yield vectorstore
    except BaseException:
        vectorstore.close()
        raise


@asynccontextmanager
async def _aclosed_on_error(vectorstore: _Store) -> AsyncIterator[_Store]:
    try:
        yield vectorstore
    except BaseException:
        await vectorstore.aclose()
        raise

"""The core's two stores, blocking and asynchronous, over documents in Haystack's terms."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from haystack_integrations.document_stores.opensearch_neural_sparse.document_codec import DocumentCodec
from haystack_integrations.document_stores.opensearch_neural_sparse.lazy import Lazy
from opensearch_neural_sparse.encode.tokenizer import SparseTokenizer
from opensearch_neural_sparse.errors import IndexNotFoundError
from opensearch_neural_sparse.store._async.store import AsyncNeuralSparseStore
from opensearch_neural_sparse.store._sync.store import NeuralSparseStore
from opensearch_neural_sparse.store.bulk.missing_vectors import VectorRemedies
from opensearch_neural_sparse.transport.errors import translated_errors

if TYPE_CHECKING:
    from haystack.dataclasses import Document
    from opensearchpy import AsyncOpenSearch

    from opensearch_neural_sparse.index.bulk.report import BulkReport
    from opensearch_neural_sparse.index.index_info import IndexInfo
    from opensearch_neural_sparse.store.context import StoreContext
    from opensearch_neural_sparse.store.write_options import WriteOptions


IN_HAYSTACK = VectorRemedies(
    sparse="Embed documents by NeuralSparseDocumentEmbedder before they are written; a content in which the model "
    "knows no token has no vector.",
    further="NeuralSparseStore.add_field() fills it.",
    dense="Embed documents by a dense embedder as well, or leave embedding_dim out.",
)


class _WithCodec:
    """Either store, as far as it turns documents to what an index holds."""

    index: str
    _context: StoreContext

    def _codec(self, state: IndexInfo) -> DocumentCodec:
        return DocumentCodec(self.index, state.schema, state.binding, self._tokenizer)

    @cached_property
    def _tokenizer(self) -> Lazy[SparseTokenizer]:
        return Lazy(self._context.encoders.query_tokenizer)


class DocumentIndex(_WithCodec, NeuralSparseStore):
    """The core's store in Haystack's words; its arguments are those of `NeuralSparseStore`."""

    def codec(self) -> DocumentCodec:
        """Return what writes and reads documents of the index."""
        return self._codec(self.open())

    def open_or_create(self, settings: Mapping[str, Any] | None, *, create: bool) -> Mapping[str, Any]:
        """Open the index, made first if it is missing and that is wished, and return the mappings behind its name.

        Raises:
            IndexNotFoundError: It is missing, and not to be made.
        """
        try:
            self.open()
        except IndexNotFoundError:
            if not create:
                raise
            self.create(exist_ok=True, settings=settings)
        info = self.open()
        return {str(number): {"mappings": mappings} for number, mappings in enumerate(info.mappings)}

    def create_unstamped(self, mappings: Mapping[str, Any], settings: Mapping[str, Any] | None) -> None:
        """Create the index by mappings of one's own, without a stamp; one that exists is left as it is."""
        body = {"mappings": mappings, "settings": settings or {}}
        with translated_errors(self.client(), self.index):
            if not self.client().indices.exists(index=self.index):
                self.client().indices.create(index=self.index, body=body)

    def check_fields(self, clause: Mapping[str, Any]) -> None:
        """Warn of a filter clause on fields that no index maps; refuse one on a field behind another's prefix."""
        self.check_filter(clause)

    def send(self, documents: Sequence[Document], options: WriteOptions) -> BulkReport:
        """Write documents with the vectors they have; `DocumentCodec` says what is refused beforehand."""
        rows = self._codec(self.open_to_write()).to_sparse_documents(documents)
        return self.write(rows, options=options)


class AsyncDocumentIndex(_WithCodec, AsyncNeuralSparseStore):
    """The core's asynchronous store in Haystack's words; its methods are those of `DocumentIndex`, awaited.

    Attributes:
        opened: Whether the index was opened or created, so that it is not created in silence if it vanishes.
    """

    opened = False

    async def codec(self) -> DocumentCodec:
        """Return what writes and reads documents of the index."""
        return self._codec(await self.open())

    async def open_or_create(self, settings: Mapping[str, Any] | None, *, create: bool) -> Mapping[str, Any]:
        """Open the index, made first if it is missing and that is wished, and return the mappings behind its name.

        Raises:
            IndexNotFoundError: It is missing, and not to be made.
        """
        try:
            await self.open()
        except IndexNotFoundError:
            if not create:
                raise
            await self.create(exist_ok=True, settings=settings)
        self.opened, info = True, await self.open()
        return {str(number): {"mappings": mappings} for number, mappings in enumerate(info.mappings)}

    async def check_fields(self, clause: Mapping[str, Any]) -> None:
        """Warn of a filter clause on fields that no index maps; refuse one on a field behind another's prefix."""
        await self.check_filter(clause)

    async def send(self, documents: Sequence[Document], options: WriteOptions) -> BulkReport:
        """Write documents with the vectors they have; `DocumentCodec` says what is refused beforehand."""
        codec = self._codec(await self.open_to_write())
        rows = await asyncio.to_thread(codec.to_sparse_documents, documents)
        return await self.write(rows, options=options)

    def connected(self) -> AsyncOpenSearch | None:
        """Return the client of the running event loop, if it has one."""
        return self.connected_client

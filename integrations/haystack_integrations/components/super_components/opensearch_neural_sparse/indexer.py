"""Split, embed and write documents, in one component."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any

from haystack import Document, component, default_to_dict
from haystack.document_stores.types import DuplicatePolicy

from haystack_integrations.components.embedders.opensearch_neural_sparse import NeuralSparseDocumentEmbedder
from haystack_integrations.components.super_components.opensearch_neural_sparse.composite import (
    Composite,
    DocumentStep,
    saved_part,
)
from haystack_integrations.document_stores.opensearch_neural_sparse import OpenSearchNeuralSparseDocumentStore

SOURCE = "source_id"


@component
class OpenSearchNeuralSparseIndexer(Composite):
    """Split documents, embed and write them, batch by batch.

    It does what a pipeline of splitter, embedders and `DocumentWriter` does, without the deep copies that a pipeline
    makes of every document and vector between them, and holds the vectors of one batch at a time.

    Args:
        document_store: The document store.
        embedder: Makes the sparse embeddings, by the model of the index.
        splitter: Cuts documents into passages, such as `NeuralSparseDocumentSplitter`; None writes them whole.
        dense_embedder: Makes dense embeddings; the store then needs `embedding_dim`. None makes none.
        policy: What happens to ids that exist: `none` and `fail` are an error, `skip`, `overwrite`. Overwriting with a
            splitter deletes the passages that a document no longer has, too.
        batch_size: How many documents, before they are split, are embedded and written at once.

    Raises:
        TypeError: Another kind of document store or embedder.
        ValueError: No such policy, or a batch of none.

    Examples:
        >>> store = OpenSearchNeuralSparseDocumentStore(hosts="http://localhost:9200", model="doc-v3-distill")
        >>> embedder = NeuralSparseDocumentEmbedder("doc-v3-distill")
        >>> indexer = OpenSearchNeuralSparseIndexer(document_store=store, embedder=embedder, policy="overwrite")
        >>> indexer.run([Document(content="Split a string.")])
        {'documents_written': 1}
    """

    PARTS = ("splitter", "embedder", "dense_embedder", "document_store")

    def __init__(
        self,
        *,
        document_store: OpenSearchNeuralSparseDocumentStore,
        embedder: NeuralSparseDocumentEmbedder,
        splitter: DocumentStep | None = None,
        dense_embedder: DocumentStep | None = None,
        policy: DuplicatePolicy | str = DuplicatePolicy.NONE,
        batch_size: int = 256,
    ) -> None:
        _check_type("document_store", document_store, OpenSearchNeuralSparseDocumentStore)
        _check_type("embedder", embedder, NeuralSparseDocumentEmbedder)
        if batch_size < 1:
            raise ValueError(f"batch_size is {batch_size}; it must be 1 or more.")
        self.document_store = document_store
        self.embedder = embedder
        self.splitter = splitter
        self.dense_embedder = dense_embedder
        self.policy = DuplicatePolicy(policy)
        self.batch_size = batch_size

    def to_dict(self) -> dict[str, Any]:
        """Return the parameters as plain values."""
        return default_to_dict(
            self,
            document_store=self.document_store,
            embedder=self.embedder,
            splitter=saved_part(self.splitter, "splitter"),
            dense_embedder=saved_part(self.dense_embedder, "dense_embedder"),
            policy=self.policy.value,
            batch_size=self.batch_size,
        )

    @component.output_types(documents_written=int)
    def run(self, documents: list[Document], policy: DuplicatePolicy | None = None) -> dict[str, Any]:
        """Split, embed and write documents; they are searchable when it returns.

        Args:
            documents: The documents, which are not changed.
            policy: What happens to ids that exist; by default as the component says.

        Returns:
            `documents_written`: how many passages were written, or documents where none are split.

        Raises:
            DuplicateDocumentError: Ids that exist; the other documents of that batch and of those before it were
                written.
            DocumentStoreError: Documents that the server refused; the others of that batch and of those before it were
                written.
            ModelMismatchError: The embedder's model or settings are not those of the index.
        """
        policy = self.policy if policy is None else policy
        written = 0
        for batch in self._batches(documents):
            ready = self._embedded(batch)
            if (leftovers := self._leftovers(batch, ready, policy)) is not None:
                self.document_store.delete_by_filter(leftovers)
            written += self.document_store.write_documents(ready, policy, refresh=False)
        self.document_store.refresh()
        return {"documents_written": written}

    @component.output_types(documents_written=int)
    async def run_async(self, documents: list[Document], policy: DuplicatePolicy | None = None) -> dict[str, Any]:
        """Split and embed documents in a worker thread, and write them; see `run`."""
        policy = self.policy if policy is None else policy
        written = 0
        for batch in self._batches(documents):
            ready = await asyncio.to_thread(self._embedded, batch)
            if (leftovers := self._leftovers(batch, ready, policy)) is not None:
                await self.document_store.delete_by_filter_async(leftovers)
            written += await self.document_store.write_documents_async(ready, policy, refresh=False)
        await self.document_store.refresh_async()
        return {"documents_written": written}

    def _batches(self, documents: list[Document]) -> Iterator[list[Document]]:
        for start in range(0, len(documents), self.batch_size):
            yield documents[start : start + self.batch_size]

    def _embedded(self, documents: list[Document]) -> list[Document]:
        for step in (self.splitter, self.embedder, self.dense_embedder):
            if step is not None:
                documents = step.run(documents)["documents"]
        return documents

    def _leftovers(
        self, documents: Sequence[Document], passages: Sequence[Document], policy: DuplicatePolicy
    ) -> dict[str, Any] | None:
        """Return filters for passages that earlier versions of documents had and these have not."""
        if self.splitter is None or policy is not DuplicatePolicy.OVERWRITE:
            return None
        conditions = [
            {"field": SOURCE, "operator": "in", "value": [document.id for document in documents]},
            {"field": "id", "operator": "not in", "value": [passage.id for passage in passages]},
        ]
        return {"operator": "AND", "conditions": conditions}


def _check_type(name: str, value: object, kind: type) -> None:
    if not isinstance(value, kind):
        article = "an" if kind.__name__.startswith("O") else "a"
        raise TypeError(f"{name} is {article} {kind.__name__}, got {type(value).__name__}.")

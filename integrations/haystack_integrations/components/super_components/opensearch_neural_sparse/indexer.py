"""Split, embed and write documents, in one component."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from haystack import Document, component, default_to_dict
from haystack.document_stores.types import DuplicatePolicy

from haystack_integrations.components.embedders.opensearch_neural_sparse import NeuralSparseDocumentEmbedder
from haystack_integrations.components.super_components.opensearch_neural_sparse.composite import (
    Composite,
    DocumentStep,
    saved_part,
)
from haystack_integrations.components.super_components.opensearch_neural_sparse.journal_options import (
    JournalOptions,
    report_of,
)
from haystack_integrations.document_stores.opensearch_neural_sparse import OpenSearchNeuralSparseDocumentStore
from haystack_integrations.document_stores.opensearch_neural_sparse.duplicate_policy import policy_of
from opensearch_neural_sparse import Load, LoadReport
from opensearch_neural_sparse.layer_support import check_count, check_path, check_type

SOURCE = "source_id"


@component
class OpenSearchNeuralSparseIndexer(Composite):
    """Split documents, embed and write them, batch by batch.

    It does what a pipeline of splitter, embedders and `DocumentWriter` does, without the deep copies that a pipeline
    makes of every document and vector between them, and holds the vectors of one batch at a time.

    Args:
        document_store: The document store.
        embedder: Makes the sparse embeddings, by the model of the index; None leaves them to the server, for an index
            whose documents it encodes.
        splitter: Cuts documents into passages, such as `NeuralSparseDocumentSplitter`; None writes them whole.
        dense_embedder: Makes dense embeddings; the store then needs `embedding_dim`. None makes none.
        policy: What happens to ids that exist: `none` and `fail` are an error, `skip`, `overwrite`. Overwriting with a
            splitter deletes the passages that a document no longer has, too, once its others are written.
        batch_size: How many documents, before they are split, are embedded and written at once; by a journal, how many
            passages.
        journal: A file that records what the index holds; it is made when first needed. What is unchanged since an
            earlier run is split and compared, but neither embedded nor written; the rest is overwritten, and passages
            that a document no longer has are deleted. A run that ended early is continued by the next one.
        source: Name of the source of the documents, which a journal belongs to; by default `documents`.
        sync: Whether documents that a run is not given are deleted, if earlier runs by this journal wrote them.
        dead_letters: File of JSON lines for what could not be split, embedded or written: id, place, stage, reason.
        max_errors: How many of these end a run; None sets no limit.

    Raises:
        TypeError: Another kind of document store or embedder.
        ValueError: No such policy or one that cannot be used with a journal, a batch of none, or options of a journal
            without one.

    Examples:
        >>> store = OpenSearchNeuralSparseDocumentStore(hosts="http://localhost:9200", model="doc-v3-distill")
        >>> embedder = NeuralSparseDocumentEmbedder("doc-v3-distill")
        >>> indexer = OpenSearchNeuralSparseIndexer(document_store=store, embedder=embedder, policy="overwrite")
        >>> indexer.run([Document(content="Split a string.")])
        {'documents_written': 1}
    """

    _PARTS = ("splitter", "embedder", "dense_embedder", "document_store")

    def __init__(
        self,
        *,
        document_store: OpenSearchNeuralSparseDocumentStore,
        embedder: NeuralSparseDocumentEmbedder | None = None,
        splitter: DocumentStep | None = None,
        dense_embedder: DocumentStep | None = None,
        policy: DuplicatePolicy | str = DuplicatePolicy.NONE,
        batch_size: int = 256,
        journal: str | Path | None = None,
        source: str | None = None,
        sync: bool = False,
        dead_letters: str | Path | None = None,
        max_errors: int | None = None,
    ) -> None:
        check_type(OpenSearchNeuralSparseDocumentStore, document_store=document_store)
        check_type(NeuralSparseDocumentEmbedder, optional=True, embedder=embedder)
        check_count(1, batch_size=batch_size)
        check_path(optional=True, journal=journal, dead_letters=dead_letters)
        self.document_store = document_store
        self.embedder = embedder
        self.splitter = splitter
        self.dense_embedder = dense_embedder
        self.policy = policy_of(policy)
        self.batch_size = batch_size
        self._by_journal = JournalOptions(
            journal=None if journal is None else str(journal),
            source=source,
            sync=sync,
            dead_letters=None if dead_letters is None else str(dead_letters),
            max_errors=max_errors,
        )
        self._by_journal.check_policy(self.policy)

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
            **self._by_journal.saved(),
        )

    @component.output_types(documents_written=int, report=dict[str, Any])
    def run(self, documents: list[Document], policy: DuplicatePolicy | None = None) -> dict[str, Any]:
        """Split, embed and write documents; they are searchable when it returns.

        Args:
            documents: The documents, which are not changed.
            policy: What happens to ids that exist; by default as the component says.

        Returns:
            `documents_written`: how many passages were written, or documents where none are split. By a journal also
            `report`: how many were `read`, `written`, `unchanged`, `refused`, `deleted` and `left`, and whether that is
            `complete`; a run that is not complete is a warning, and its dead letters say why.

        Raises:
            DuplicateDocumentError: Ids that exist; the other documents of that batch and of those before it were
                written.
            DocumentStoreError: Documents that the server refused; the others of that batch and of those before it were
                written.
            ModelMismatchError: The embedder's model or settings are not those of the index.
            JournalError: The journal belongs to another source, index or model, cannot be used, or is in use.
            ValueError: A policy that cannot be used with a journal, or no embedder for an index that the server does
                not encode.
        """
        if self.embedder is None:
            _ensure_encoded(self.document_store.is_encoded_by_server())
        policy = self.policy if policy is None else policy
        if self._by_journal.journal is not None:
            return _outcome(self.document_store.ingest(self._load(documents, policy), batch_size=self.batch_size))
        written = 0
        for batch in self._batches(documents):
            ready = self._embedded(batch)
            written += self.document_store.write_documents(ready, policy, refresh=False)
            if (leftovers := self._leftovers(batch, ready, policy)) is not None:
                self.document_store.delete_by_filter(leftovers)
        self.document_store.refresh()
        return {"documents_written": written}

    @component.output_types(documents_written=int, report=dict[str, Any])
    async def run_async(self, documents: list[Document], policy: DuplicatePolicy | None = None) -> dict[str, Any]:
        """Split and embed documents in a worker thread, and write them; see `run`."""
        if self.embedder is None:
            _ensure_encoded(await self.document_store.is_encoded_by_server_async())
        policy = self.policy if policy is None else policy
        if self._by_journal.journal is not None:
            load = self._load(documents, policy)
            return _outcome(await self.document_store.ingest_async(load, batch_size=self.batch_size))
        written = 0
        for batch in self._batches(documents):
            ready = await asyncio.to_thread(self._embedded, batch)
            written += await self.document_store.write_documents_async(ready, policy, refresh=False)
            if (leftovers := self._leftovers(batch, ready, policy)) is not None:
                await self.document_store.delete_by_filter_async(leftovers)
        await self.document_store.refresh_async()
        return {"documents_written": written}

    def _batches(self, documents: list[Document]) -> Iterator[list[Document]]:
        for start in range(0, len(documents), self.batch_size):
            yield documents[start : start + self.batch_size]

    def _load(self, documents: list[Document], policy: DuplicatePolicy) -> Load:
        self._by_journal.check_policy(policy)
        return self._by_journal.load_of(documents, self.splitter, self._with_vectors)

    def _embedded(self, documents: list[Document]) -> list[Document]:
        passages = documents if self.splitter is None else self.splitter.run(documents)["documents"]
        return self._with_vectors(passages)

    def _with_vectors(self, documents: Sequence[Document]) -> list[Document]:
        embedded = list(documents)
        for step in (self.embedder, self.dense_embedder):
            if step is not None:
                embedded = step.run(embedded)["documents"]
        return embedded

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


def _outcome(report: LoadReport) -> dict[str, Any]:
    return {"documents_written": report.written, "report": report_of(report)}


def _ensure_encoded(by_server: bool) -> None:
    if not by_server:
        raise ValueError(
            "The server does not encode the documents of this index. Give the indexer an embedder, such as "
            "NeuralSparseDocumentEmbedder, or create the index with server_encoding='<id of a model in the server>'."
        )

"""The documents of an index: written, read, deleted, counted, over a blocking client."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import partial
from itertools import islice

from opensearch_neural_sparse.errors import ServerConnectionError, ServerRequestError
from opensearch_neural_sparse.index.bulk.actions import BulkAction, delete_action
from opensearch_neural_sparse.index.bulk.report import BulkFailure, BulkReport
from opensearch_neural_sparse.index.bulk.truncated_documents import TruncatedDocuments
from opensearch_neural_sparse.index.documents.document import SparseDocument, check_ids
from opensearch_neural_sparse.index.index_info import IndexInfo
from opensearch_neural_sparse.search.filters.filter_clauses import Filter, filter_clauses
from opensearch_neural_sparse.search.options.request_options import RequestOptions
from opensearch_neural_sparse.search.requests.search_request import filter_body
from opensearch_neural_sparse.search.results.shard_failures import check_shards
from opensearch_neural_sparse.store._sync.session import StoreSession
from opensearch_neural_sparse.store.bulk.missing_vectors import warn_of_missing_vectors
from opensearch_neural_sparse.store.bulk.prepare import Document, prepare_actions
from opensearch_neural_sparse.store.bulk.thread_sender import BulkSender
from opensearch_neural_sparse.store.context import DEFAULT_WRITE, DELETIONS_PER_REQUEST, IDS_PER_REQUEST
from opensearch_neural_sparse.store.operations.documents import explain_conflicts, read_documents
from opensearch_neural_sparse.store.operations.pagination import KEEP_ALIVE, page_body, read_page
from opensearch_neural_sparse.store.write_options import Refresh, WriteOptions


class StoredDocuments(StoreSession):
    """The documents of an index."""

    def write(self, documents: Iterable[Document], *, options: WriteOptions = DEFAULT_WRITE) -> BulkReport:
        """Write documents, encoding those that have a text and no vector.

        Args:
            documents: Documents, mappings with the keys of `SparseDocument`, or texts; any iterable, read once, a batch
                at a time.
            options: How to write.

        Raises:
            BulkWriteError: Some documents were not written; its report says which and why, the others were.
            IndexSchemaError: A list of documents holds one that no index can take; none was written.
            ModelMismatchError: The encoder is not the one that the index is bound to.
        """
        state = self._open_to_write()
        encode, more, cut = partial(self._encode, state.binding), self._more_encodings(), TruncatedDocuments()
        actions = prepare_actions(
            documents, self.schema, options, bound=state.binding, encode=encode, cut=cut, more=more
        )
        return self._write_actions(state, actions, options, cut)

    def get(self, ids: Iterable[str], *, routing: str | None = None) -> list[SparseDocument]:
        """Return the documents of these ids, in this order; ids that are not there are left out.

        Args:
            ids: Their ids.
            routing: What they were written with (`WriteOptions.routing`).
        """
        state = self.open()
        target = RequestOptions(routing=routing).target
        wanted = iter(check_ids(ids))
        found: list[SparseDocument] = []
        while part := list(islice(wanted, IDS_PER_REQUEST)):
            with self._errors():
                response = self.client().mget(body={"ids": part}, index=self.index, params=target)
            state = self._state_for(state, response["docs"])
            found += read_documents(response, state)
        return found

    def scan(
        self,
        filter: Filter | None = None,  # noqa: A002
        *,
        page_size: int = 500,
        routing: str | None = None,
        preference: str | None = None,
    ) -> Iterator[SparseDocument]:
        """Yield every document, or every one a filter lets through, as the index was when the first one was asked for.

        Documents come by id with all their vectors, in memory a page at a time. The server's resources are set free at
        the end, or when the iterator is closed.

        Args:
            filter: A query clause that documents satisfy, or a list of such, all of which they satisfy.
            page_size: Documents that are read at once, 1 to 10,000.
            routing: Only shards that hold documents of this routing are read.
            preference: Which copies of the shards are read, as in `RequestOptions.preference`.

        Raises:
            IndexSchemaError: A document of an index of several shards has no id field to order it by.
            PartialResultsError: Some shards failed.
        """
        self._check_fields(filter_clauses(filter))
        state, target = self.open(), RequestOptions(routing=routing, preference=preference).target
        with self._errors():
            point_in_time = self.client().create_pit(index=self.index, params={**KEEP_ALIVE, **target})["pit_id"]
        try:
            page = None
            while page is None or page.after is not None:
                body = page_body(filter, page, size=page_size, point_in_time=point_in_time)
                with self._errors():
                    response = self.client().search(body=body)
                state = self._state_for(state, response["hits"]["hits"])
                page = read_page(response, state, size=page_size)
                yield from page.documents
        finally:
            with suppress(ServerConnectionError, ServerRequestError), self._errors():
                self.client().delete_pit(body={"pit_id": [point_in_time]})

    def delete(self, ids: Iterable[str], *, refresh: Refresh = True, routing: str | None = None) -> int:
        """Delete documents by id and return how many there were; ids that are not there are no error.

        Args:
            ids: Their ids.
            refresh: When the deletions are seen by searches, as in `WriteOptions.refresh`.
            routing: What they were written with (`WriteOptions.routing`).

        Raises:
            BulkWriteError: Some deletions were refused or went without an answer.
        """
        state = self._open_to_write()
        options = WriteOptions(refresh=refresh, routing=routing, pipeline=None, batch_size=DELETIONS_PER_REQUEST)
        return self._write_actions(state, map(delete_action, check_ids(ids)), options).written

    def count(self, filter: Filter | None = None, *, routing: str | None = None) -> int:  # noqa: A002
        """Return how many documents there are, or how many a filter lets through.

        Args:
            filter: A query clause that documents satisfy, or a list of such, all of which they satisfy.
            routing: Only shards that hold documents of this routing are asked.
        """
        self.open()
        self._check_fields(filter_clauses(filter))
        body = filter_body(filter)
        with self._errors():
            response = self.client().count(index=self.index, body=body, params=RequestOptions(routing=routing).target)
        check_shards(response)
        return int(response["count"])

    def refresh(self) -> None:
        """Make everything that was written searchable."""
        self.open()
        BulkSender(self.client(), self.index).refresh()

    def _write_actions(
        self,
        state: IndexInfo,
        actions: Iterable[BulkAction | BulkFailure],
        options: WriteOptions,
        cut: TruncatedDocuments | None = None,
    ) -> BulkReport:
        """Send actions and report what became of them; raise BulkWriteError unless all were carried out.

        Args:
            state: What the index was when documents were encoded for it.
            actions: What is sent.
            options: How to write.
            cut: Holds the documents whose texts were cut, once the actions are made.
        """
        report = self._send(state, actions, options)
        if cut is not None:
            cut.warn()
        report.raise_if_incomplete()
        return report

    def _send(self, state: IndexInfo, actions: Iterable[BulkAction | BulkFailure], options: WriteOptions) -> BulkReport:
        with self._errors():
            report = BulkSender(self.client(), self.index, options, state=state).send(actions)
        warn_of_missing_vectors(self.index, report, state.schema, self.REMEDIES)
        return explain_conflicts(report, options.operation)

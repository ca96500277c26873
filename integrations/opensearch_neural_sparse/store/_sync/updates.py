"""Documents that are there, changed and deleted in numbers, over a blocking client."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from opensearch_neural_sparse.index.bulk.report import BulkReport
from opensearch_neural_sparse.index.bulk.truncated_documents import TruncatedDocuments
from opensearch_neural_sparse.index.bulk.updates import text_draft
from opensearch_neural_sparse.search.filters.filter_clauses import Filter, filter_clauses
from opensearch_neural_sparse.store._sync.documents import StoredDocuments
from opensearch_neural_sparse.store.bulk.prepare import prepare_actions
from opensearch_neural_sparse.store.context import DEFAULT_WRITE
from opensearch_neural_sparse.store.operations.updates import delete_matching, metadata_changes, text_changes
from opensearch_neural_sparse.store.write_options import WriteOptions


class ChangedDocuments(StoredDocuments):
    """The documents of an index, and what changes them where they are."""

    def update_metadata(
        self,
        updates: Mapping[str, Mapping[str, Any]],
        *,
        replace: bool = False,
        options: WriteOptions = DEFAULT_WRITE,
    ) -> BulkReport:
        """Change the metadata of documents that are there, and keep their texts and vectors.

        The server applies each change to what the document holds at that moment, so changes by others are not lost; one
        that meets another of the same document is applied anew, five times at most.

        Args:
            updates: Id -> metadata. A key that is given replaces what it held, maps and lists whole; None removes it;
                keys that are not given stay.
            replace: Whether keys that are not given go, so that a document has the given metadata and no other.
            options: How to write; its `operation` has no say.

        Raises:
            BulkWriteError: Some documents were not changed, among them those that are not there
                (`document_missing_exception`); its report says which and why, the others were.
        """
        state = self._open_to_write()
        return self._write_actions(state, metadata_changes(updates, self.schema, replace=replace), options)

    def update_text(self, texts: Mapping[str, str], *, options: WriteOptions = DEFAULT_WRITE) -> BulkReport:
        """Give documents that are there other texts, encode these, and keep their metadata and dense vectors.

        The whole vector is replaced, so no token of the old text stays. As with `update_metadata`, the server applies
        each change to what the document holds at that moment.

        Args:
            texts: Id -> text.
            options: How to write; its `operation` has no say.

        Raises:
            BulkWriteError: Some documents were not changed, among them those that are not there
                (`document_missing_exception`); its report says which and why, the others were.
            IndexSchemaError: An id that no index can take, or a text that is none; nothing was changed.
            ModelMismatchError: The encoder is not the one that the index is bound to.
        """
        state = self._open_to_write()
        documents, bound = text_changes(texts), state.binding
        encode, more, cut = partial(self._encode, bound), self._more_encodings(), TruncatedDocuments()
        make = partial(text_draft, schema=self.schema)
        actions = prepare_actions(
            documents, self.schema, options, bound=bound, encode=encode, cut=cut, more=more, make=make
        )
        return self._write_actions(state, actions, options, cut)

    def delete_matching(
        self,
        filter: Filter,  # noqa: A002
        *,
        refresh: bool = True,
        routing: str | None = None,
        timeout: float = 600.0,
    ) -> int:
        """Delete every document that a filter lets through, and return how many there were.

        Documents that were written since the last refresh are not seen. One that is changed by others meanwhile is
        looked at again, three times at most.

        Args:
            filter: A query clause that documents satisfy, or a list of such, all of which they satisfy;
                `{"match_all": {}}` is every document.
            refresh: Whether the deletions are seen by searches when this returns.
            routing: Only shards that hold documents of this routing are looked at.
            timeout: Seconds to wait; after that the server goes on all the same.

        Raises:
            BulkWriteError: Some documents were changed by others each time; its report says how many were deleted.
            FilterSyntaxError: No filter.
            ServerConnectionError: No answer in time.
            ServerRequestError: The server could not delete some documents; others may be gone.
        """
        self.open()
        self._check_fields(filter_clauses(filter))
        work = delete_matching(self.index, filter, refresh=refresh, routing=routing, timeout=timeout)
        return self._run(work)

"""What a blocking store holds open: its client, its index, its model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

from opensearch_neural_sparse.encode.sparse_vector import SparseVector
from opensearch_neural_sparse.errors import ServerRequestError
from opensearch_neural_sparse.index.index_info import UUID_FILTER, IndexInfo, uuids_of
from opensearch_neural_sparse.search.options.legs import Leg
from opensearch_neural_sparse.search.results.hits import SearchHits
from opensearch_neural_sparse.server_info import ServerInfo
from opensearch_neural_sparse.store.bulk.thread_sender import BulkSender
from opensearch_neural_sparse.store.context import pass_if_there
from opensearch_neural_sparse.store.operations.search import AskingStore
from opensearch_neural_sparse.store.operations.unmapped_fields import (
    refuse_unmapped_legs,
    report_unmapped,
    unmapped_fields,
    unmapped_legs,
)
from opensearch_neural_sparse.store.steps import Delivery, Done, Result, Step, Steps, advance
from opensearch_neural_sparse.transport.address import shown
from opensearch_neural_sparse.transport.connection_failures import check_files
from opensearch_neural_sparse.transport.errors import read_server
from opensearch_neural_sparse.transport.server_cache import known_server, remember_server

if TYPE_CHECKING:
    from opensearchpy import OpenSearch


class StoreSession(AskingStore["OpenSearch"]):
    """An index, its client and its model; each is opened when it is first needed, under one lock."""

    def create(self, *, exist_ok: bool = False, settings: Mapping[str, Any] | None = None) -> None:
        """Create the index, bound to the model.

        Args:
            exist_ok: Whether an index that is there already is opened instead, if it belongs to the model.
            settings: Index settings, such as `{"number_of_shards": 1}`.

        Raises:
            IndexNotBoundError: No model was named.
            ServerRequestError: The index exists, or its settings are refused.
        """
        self._ensure_named()
        body = self._index_body(self.server(), settings)
        try:
            with self._errors():
                self.client().indices.create(index=self.index, body=body)
        except ServerRequestError as error:
            pass_if_there(error, exist_ok=exist_ok)
        self._forget()
        self.open()

    def open(self) -> IndexInfo:
        """Check the index and the model against each other; every operation does so first, once.

        Raises:
            IndexNotFoundError: There is no such index.
            IndexNotBoundError: The index carries no model and none was named.
            ModelMismatchError: The index belongs to another model.
            IndexSchemaError: The index is not of this layout.
        """
        with self._lock:
            if (state := self._state) is None:
                state = self._state = self._look()
            return state

    def delete_index(self) -> None:
        """Delete the index and everything in it.

        Raises:
            IndexNotFoundError: There is no such index.
        """
        with self._errors():
            self.client().indices.delete(index=self.index)
        self._forget()

    def close(self) -> None:
        """Close what was opened here: the client of a url, and the encoder that was loaded."""
        with self._lock:
            self._close_encoders()
            if self._owns_client and self._client is not None:
                self._client.close()
                self._client = None
            self._server = self._named_server
            self._forget()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def client(self) -> OpenSearch:
        """Return the client, made when it is first needed."""
        with self._lock:
            if self._client is None:
                from opensearchpy import OpenSearch

                check_files(self._client_options, shown(self._url))
                self._client = OpenSearch(self._url, **self._client_options)
            return self._client

    def server(self) -> ServerInfo:
        """Return what the server is, read once a client.

        Raises:
            UnsupportedServerError: Too old, or not OpenSearch.
        """
        with self._lock:
            if self._server is None:
                client = self.client()
                self._server = known_server(client) or remember_server(client, read_server(client))
            return self._server

    def encode_query(self, text: str) -> SparseVector:
        """Return the token weights that `search` looks for a text by; none where the model knows no token of it.

        Args:
            text: The query.
        """
        return self._only_vector(self.open(), text)

    def _look(self) -> IndexInfo:
        try:
            with self._errors():
                response = self.client().indices.get(index=self.index)
        except ServerRequestError as error:
            return self._without_check(error)
        return self._read_index(response)

    def _check_fields(self, clauses: Sequence[Mapping[str, Any]], found: Iterable[SearchHits] = ()) -> None:
        """Warn of filter clauses on fields that no index maps; a write may have mapped them since the last look."""
        if not clauses:
            return
        state = self.open()
        if unmapped_fields(clauses, state, found):
            fresh = self._look()
            self._refresh(state, fresh)
            report_unmapped(self.index, clauses, fresh)

    def _open_to_write(self) -> IndexInfo:
        """Open the index, after a look whether its name still leads where it did, to one index of one model."""
        known = self._state
        state = self.open()
        if state is known and not self._still_leads_to(state):
            self._forget()
            state = self.open()
        state.ensure_writable(self.index, self.schema)
        return state

    def _check_legs(self, legs: Sequence[Leg]) -> None:
        """Refuse legs on fields that no index maps; a write may have mapped them since the last look."""
        state = self.open()
        if unmapped_legs(legs, state):
            fresh = self._look()
            self._refresh(state, fresh)
            refuse_unmapped_legs(self.index, legs, fresh)

    def _still_leads_to(self, state: IndexInfo) -> bool:
        """Return whether the name leads to the same indices, by a request of some hundred bytes."""
        if not state.checked:
            return True
        with self._errors():
            response = self.client().indices.get(index=self.index, params=dict(UUID_FILTER))
        return uuids_of(response) == state.uuids

    def _state_for(self, state: IndexInfo, rows: Iterable[Mapping[str, Any]]) -> IndexInfo:
        """Return what is known of the index, after another look where documents lie in one that is not known."""
        if state.holds(rows):
            return state
        self._forget()
        return self.open()

    def _run(self, work: Steps[Result]) -> Result:
        step = advance(work, None)
        while not isinstance(step, Done):
            with self._errors():
                answer = self._answer(step)
            step = advance(work, answer)
        return step.result

    def _answer(self, step: Step) -> Any:
        if isinstance(step, Delivery):
            return BulkSender(self.client(), step.index, replace(step.options, refresh=False)).send(step.actions)
        return step(self.client())

    def _errors(self) -> AbstractContextManager[None]:
        return self._translated(self.client())

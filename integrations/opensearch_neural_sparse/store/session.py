"""What a blocking store holds open: its client, its index, its model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any, Self

from opensearch_neural_sparse.encode.sparse_vector import SparseVector
from opensearch_neural_sparse.errors import IndexNotBoundError, IndexNotFoundError
from opensearch_neural_sparse.index.fields import IndexSchema
from opensearch_neural_sparse.models.files import Side
from opensearch_neural_sparse.server import ServerInfo
from opensearch_neural_sparse.store.connection import read_server, translated_errors
from opensearch_neural_sparse.store.encoders import Encoders
from opensearch_neural_sparse.store.index_state import IndexState, read_index

if TYPE_CHECKING:
    from opensearchpy import OpenSearch

    from opensearch_neural_sparse.encode.document_encoder import DocumentEncoder
    from opensearch_neural_sparse.encode.query_encoder import QueryEncoder
    from opensearch_neural_sparse.models.spec import ModelSpec


class StoreSession:
    """An index, its client and its model; each is opened when it is first needed, under one lock."""

    def __init__(
        self,
        index: str,
        *,
        client: OpenSearch | None = None,
        url: str | None = None,
        model: str | Path | ModelSpec | None = None,
        schema: IndexSchema | None = None,
        query_encoder: QueryEncoder | None = None,
        document_encoder: DocumentEncoder | None = None,
        encoder_options: Mapping[str, Any] | None = None,
        client_options: Mapping[str, Any] | None = None,
    ) -> None:
        if (client is None) == (url is None):
            raise ValueError("Give either a client or the url of a server.")
        self.index = index
        self.schema = schema or IndexSchema()
        self._client, self._url = client, url
        self._owns_client = client is None
        self._client_options = dict(client_options or {})
        self._encoders = Encoders(model, query_encoder, document_encoder, encoder_options)
        self._server: ServerInfo | None = None
        self._state: IndexState | None = None
        self._lock = RLock()

    @property
    def model_id(self) -> str | None:
        """Id of the model, as far as it is known without asking the server."""
        return self._encoders.model_id

    def open(self) -> IndexState:
        """Check the index and the model against each other; every operation does so first, once.

        Raises:
            IndexNotFoundError: There is no such index.
            IndexNotBoundError: The index carries no model and none was named.
            ModelMismatchError: The index belongs to another model.
            IndexSchemaError: The index is not of this layout.
        """
        with self._lock:
            if self._state is None:
                with self._errors():
                    response = self.client().indices.get(index=self.index)
                state = read_index(self.index, response, self.schema)
                self._check(state)
                self._state = state
            return self._state

    def close(self) -> None:
        """Close what was opened here: the client of a url, and the encoder that was loaded."""
        with self._lock:
            self._encoders.close()
            if self._owns_client and self._client is not None:
                self._client.close()
                self._client = None
            self._server = None
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

                self._client = OpenSearch(self._url, **self._client_options)
            return self._client

    def server(self) -> ServerInfo:
        """Return what the server is, read once.

        Raises:
            UnsupportedServerError: Too old, not OpenSearch, or one that does not tell its version.
        """
        with self._lock:
            if self._server is None:
                self._server = read_server(self.client())
            return self._server

    def _check(self, state: IndexState) -> None:
        binding = state.binding
        if binding is None and not self._encoders.named:
            raise IndexNotBoundError(self.index, self.schema.sparse_field)
        self._encoders.follow(binding)
        if binding is not None and self._encoders.checkable:
            field = self.schema.sparse_field
            binding.ensure_same_model(self._encoders.spec, index=self.index, field=field)
            binding.ensure_matches_query(self._encoders.files(Side.QUERY), index=self.index, field=field)

    def _encode(self, texts: Sequence[str]) -> tuple[list[SparseVector], str]:
        given = self._encoders.binding(self.schema.text_field)
        bound = self.open().binding
        if bound is not None:
            bound.ensure_matches_write(given, index=self.index, field=self.schema.sparse_field)
        return self._encoders.document().encode_documents(texts), given.marker

    def _query_vector(self, query: str | Mapping[str, float]) -> SparseVector:
        if isinstance(query, str):
            return self._encoders.query().encode_query(query)
        return query if isinstance(query, SparseVector) else SparseVector(query)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            with translated_errors(self.client(), self.index):
                yield
        except IndexNotFoundError:
            self._forget()
            raise

    def _forget(self) -> None:
        with self._lock:
            self._state = None

"""Indices of open and secret documents on a server, and the stores that search them."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from unittest.mock import patch

from langchain_core.embeddings import Embeddings
from opensearchpy import OpenSearch

from haystack_integrations.components.embedders.opensearch_neural_sparse import NeuralSparseTextEmbedder
from haystack_integrations.document_stores.opensearch_neural_sparse import OpenSearchNeuralSparseDocumentStore
from langchain_opensearch_neural_sparse import OpenSearchNeuralSparseVectorStore
from opensearch_neural_sparse import (
    AsyncNeuralSparseStore,
    ChunkOptions,
    DocumentChunk,
    IndexSchema,
    NeuralSparseStore,
    SparseDocument,
    get_model,
    load_query_encoder,
    register_model,
)
from opensearch_neural_sparse.models import registry
from tests.paths import SMALL_MODEL

QUERY = "a river and a stone"
OPEN, SECRET = 4, 12
CANARY = "zqcanary"
"""Part of every text, label and nested value of secret documents, and of nothing else; no filter names it."""
SECRET_ID = "hidden"
"""Beginning of the ids of secret documents."""
DENSE = [1.0, 0.25, -0.5]
FIELDS = {"team": {"type": "keyword"}, "label": {"type": "keyword"}, "group": {"type": "keyword"}}


class OneVector(Embeddings):
    """A dense model that gives every text the same vector."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Return a vector for each text."""
        return [DENSE for _ in texts]

    def embed_query(self, text: str) -> list[float]:
        """Return the vector."""
        return DENSE

    def run(self, text: str) -> dict[str, Any]:
        """Return the vector as a component of Haystack."""
        return {"embedding": DENSE}


class Spy:
    """A reranker that keeps what it reads."""

    def __init__(self) -> None:
        self.read: list[str] = []

    def score(self, query: str, texts: Sequence[str]) -> list[float]:
        """Score texts by their place."""
        self.read += texts
        return [float(-place) for place in range(len(texts))]


@dataclass
class Site:
    """Indices on a server.

    Attributes:
        url: Address of the server.
        prefix: Beginning of the names of the indices.
        client_options: Options of the client of whoever searches.
        fenced: Whether searches have a fence of their own; else only the server's holds.
        stack: Closes what was opened.
    """

    url: str
    prefix: str
    client_options: Mapping[str, Any] = field(default_factory=dict)
    fenced: bool = True
    stack: ExitStack = field(default_factory=ExitStack)

    @cached_property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The event loop of asynchronous paths."""
        loop = asyncio.new_event_loop()
        self.stack.callback(loop.close)
        return loop

    @cached_property
    def vector(self) -> dict[str, float]:
        """The query as token weights."""
        return dict(load_query_encoder(get_model(SMALL_MODEL)).encode_query(QUERY))

    @cached_property
    def client(self) -> OpenSearch:
        """A client of whoever searches, in a process that knows the model of the indices by a name."""
        self.stack.enter_context(patch.dict(registry._registered))
        register_model(SMALL_MODEL, name="small-en-of-the-campaign")
        return self.stack.enter_context(OpenSearch(self.url, **self.client_options))

    @cached_property
    def embedding(self) -> Any:
        """The query as a sparse embedding of Haystack."""
        return NeuralSparseTextEmbedder(SMALL_MODEL).run(QUERY)["sparse_embedding"]

    def names(self) -> list[str]:
        """Return the names that are searched: an index, one of chunks, and a pattern over both."""
        return [f"{self.prefix}-plain", f"{self.prefix}-chunked", f"{self.prefix}-*"]

    def most(self, name: str) -> int:
        """Return how many open documents are behind a name."""
        return OPEN * (2 if name.endswith("*") else 1)

    def store(self, name: str) -> NeuralSparseStore:
        """Return a blocking store."""
        return self._kept("store", name)  # type: ignore[no-any-return]

    def awaited(self, name: str) -> AsyncNeuralSparseStore:
        """Return an asynchronous store."""
        return self._kept("awaited", name)  # type: ignore[no-any-return]

    def vectorstore(self, name: str, mode: str = "sparse") -> OpenSearchNeuralSparseVectorStore:
        """Return a vector store of LangChain with a dense model, in a retrieval mode."""
        return self._kept("vectorstore", name, mode)  # type: ignore[no-any-return]

    def document_store(self, name: str) -> OpenSearchNeuralSparseDocumentStore:
        """Return a document store of Haystack."""
        return self._kept("document_store", name)  # type: ignore[no-any-return]

    @cached_property
    def _stores(self) -> dict[tuple[str, ...], Any]:
        return {}

    def _kept(self, kind: str, *given: str) -> Any:
        if (kind, *given) not in self._stores:
            self._stores[kind, *given] = getattr(self, f"_new_{kind}")(*given)
        return self._stores[kind, *given]

    def _connection(self) -> dict[str, Any]:
        return {"url": self.url, "client_options": dict(self.client_options), "model": SMALL_MODEL}

    def _new_store(self, name: str) -> NeuralSparseStore:
        return self.stack.enter_context(NeuralSparseStore(name, **self._connection()))

    def _new_awaited(self, name: str) -> AsyncNeuralSparseStore:
        store = AsyncNeuralSparseStore(name, **self._connection())
        self.stack.callback(lambda: self.loop.run_until_complete(store.close()))
        return store

    def _new_vectorstore(self, name: str, mode: str) -> OpenSearchNeuralSparseVectorStore:
        dense = {"schema": IndexSchema(embedding_dimension=len(DENSE)), "embedding": OneVector()}
        store = OpenSearchNeuralSparseVectorStore(name, **self._connection(), **dense, retrieval_mode=mode)
        self.stack.callback(lambda: self.loop.run_until_complete(store.aclose()))
        return store

    def _new_document_store(self, name: str) -> OpenSearchNeuralSparseDocumentStore:
        store = OpenSearchNeuralSparseDocumentStore(
            model=SMALL_MODEL, hosts=self.url, index=name, create_index=False, **dict(self.client_options)
        )
        self.stack.callback(store.close)
        self.stack.callback(lambda: self.loop.run_until_complete(store.close_async()))
        return store


def documents(vector: Mapping[str, float], *, chunked: bool) -> Iterator[SparseDocument]:
    """Yield open documents, and secret ones, which every query finds first."""
    for number in range(OPEN + SECRET):
        secret = number >= OPEN
        name = f"{SECRET_ID if secret else 'open'}-{number}"
        text = f"{QUERY} {CANARY if secret else 'clear'} {number}"
        weights = {token: weight * (2 if secret else 1) + number / 16 for token, weight in vector.items()}
        chunk = DocumentChunk(start=0, end=len(text), vector=weights)
        yield SparseDocument(
            id=name,
            text=text,
            vector=None if chunked else weights,
            chunks=[chunk] if chunked else None,
            embedding=DENSE,
            metadata={
                "team": "board" if secret else "all",
                "label": f"{CANARY if secret else 'clear'}-{number}",
                "group": f"group {number % 2}",
                "year": 2020 + number,
                "chunks": f"{CANARY if secret else 'clear'} note",
            },
        )


def fill(client: Any, prefix: str, vector: Mapping[str, float]) -> None:
    """Make and fill the indices."""
    for name, chunking in (("plain", None), ("chunked", ChunkOptions())):
        schema = IndexSchema(chunking=chunking, embedding_dimension=len(DENSE), metadata_fields=FIELDS)
        with NeuralSparseStore(f"{prefix}-{name}", client=client, model=SMALL_MODEL, schema=schema) as store:
            store.create(settings={"number_of_shards": 1, "number_of_replicas": 0})
            store.write(documents(vector, chunked=chunking is not None))


@contextmanager
def made_site(url: str) -> Iterator[Site]:
    """Yield filled indices on a server that asks for no login."""
    prefix = f"campaign-{uuid.uuid4().hex}"
    with ExitStack() as stack, OpenSearch(url, timeout=60) as client:
        site = Site(url, prefix, stack=stack)
        site.loop  # noqa: B018  made first, and closed last
        try:
            fill(client, prefix, site.vector)
            yield site
        finally:
            client.indices.delete(index=f"{prefix}-*", ignore_unavailable=True)

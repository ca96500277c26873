"""The three front doors to an index of a campaign's own: core, Haystack and LangChain."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import Any

from opensearchpy import OpenSearch

from opensearch_neural_sparse import AsyncNeuralSparseStore, NeuralSparseStore, get_model, resolve_files
from tests.encoders import WordEncoder
from tests.paths import SMALL_MODEL

PREFIX = "campaign-"
TIMEOUT = 20


@cache
def encoder() -> WordEncoder:
    """Return an encoder that needs no transformer, of the model of the examples."""
    return WordEncoder(resolve_files(get_model(SMALL_MODEL)))


def new_name() -> str:
    """Return a name for an index that nothing else uses."""
    return f"{PREFIX}{uuid.uuid4().hex}"


class Indices:
    """Names of indices on one server, which are deleted at the end."""

    def __init__(self, url: str) -> None:
        self.url, self.client = url, OpenSearch(url, timeout=TIMEOUT)
        self.names: list[str] = []

    def new(self) -> str:
        """Return a name that nothing else uses."""
        self.names.append(new_name())
        return self.names[-1]

    def delete(self) -> None:
        """Delete what lies under the names given so far."""
        for start in range(0, len(self.names), 20):
            patterns = [f"{name}*" for name in self.names[start : start + 20]]
            self.client.indices.delete(index=",".join(patterns), ignore_unavailable=True)
        self.names.clear()


@contextmanager
def indices(url: str) -> Iterator[Indices]:
    """Yield a maker of names whose indices are deleted at the end."""
    made = Indices(url)
    try:
        yield made
    finally:
        made.delete()
        made.client.close()


class Doors:
    """Stores of one index over each door, made when they are first used."""

    def __init__(self, url: str, index: str, stack: ExitStack, **client_options: Any) -> None:
        self.url, self.index, self._stack = url, index, stack
        self._client_options = {"timeout": TIMEOUT, **client_options}
        self._parts: dict[str, Any] = {"query_encoder": encoder(), "document_encoder": encoder()}

    def core(self, **options: Any) -> NeuralSparseStore:
        given = {"url": self.url, "client_options": self._client_options, **self._parts, **options}
        return self._stack.enter_context(NeuralSparseStore(self.index, **given))

    def awaited(self, **options: Any) -> AsyncNeuralSparseStore:
        """Return a store to be closed by its own `async with`."""
        given = {"url": self.url, "client_options": self._client_options, **self._parts, **options}
        return AsyncNeuralSparseStore(self.index, **given)

    def haystack(self, **options: Any) -> Any:
        from haystack_integrations.document_stores.opensearch_neural_sparse import OpenSearchNeuralSparseDocumentStore

        given = {"model": str(SMALL_MODEL), "hosts": self.url, "index": self.index, "timeout": TIMEOUT, **options}
        store = OpenSearchNeuralSparseDocumentStore(**given)
        self._stack.callback(store.close)
        return store

    def langchain(self, **options: Any) -> Any:
        from langchain_opensearch_neural_sparse import OpenSearchNeuralSparseVectorStore

        given = {"url": self.url, "client_options": self._client_options, **self._parts, **options}
        return self._stack.enter_context(OpenSearchNeuralSparseVectorStore(self.index, **given))


@contextmanager
def doors(url: str, index: str, **client_options: Any) -> Iterator[Doors]:
    """Yield the doors to an index; what was opened is closed at the end."""
    with ExitStack() as stack:
        yield Doors(url, index, stack, **client_options)

"""Indices with a stamp that an agent may search, each opened with its own model."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from opensearch_neural_sparse.errors import IndexNotFoundError, IndexSchemaError, NeuralSparseError
from opensearch_neural_sparse.index.binding.model_binding import read_bindings
from opensearch_neural_sparse.index.binding.stamped_schema import stamped_schema
from opensearch_neural_sparse.mcp_server.access import Access, not_searchable
from opensearch_neural_sparse.mcp_server.answers import IndexFacts, IndexList
from opensearch_neural_sparse.store._sync.store import NeuralSparseStore
from opensearch_neural_sparse.transport.errors import translated_errors

if TYPE_CHECKING:
    from opensearchpy import OpenSearch

START_SECONDS = 5.0
"""Seconds that the server may take to answer each request about the allowed indices, before agents begin."""
logger = logging.getLogger(__name__)
Bodies = Mapping[str, Any]
"""The response of `GET /<index>`."""
State = frozenset[tuple[str, str]]
"""Index -> UUID of the indices behind a name."""


class StampedIndices:
    """The indices that an agent may search.

    Args:
        client: An OpenSearch client; it stays the caller's.
        access: Which indices and documents.
    """

    def __init__(self, client: OpenSearch, access: Access) -> None:
        self._client, self._access = client, access
        self._stores: dict[str, tuple[State, NeuralSparseStore]] = {}

    def describe(self) -> IndexList:
        """List the indices with a stamp, and count the documents within the fence."""
        facts, notes = [], []
        for name, bodies in sorted(self._permitted()):
            try:
                models = models_of(bodies)
            except IndexSchemaError as error:
                notes.append(f"{name}: {error}")
                continue
            if models:
                facts.append(IndexFacts(name=name, models=models, documents=self._count(name)))
        return IndexList(indices=facts, notes=notes)

    def warn_of_missing(self, *, seconds: float = START_SECONDS) -> None:
        """Log a warning for each name or pattern behind which an agent finds nothing now; it may be created later.

        Args:
            seconds: How long the server may take to answer each request.
        """
        try:
            for name in [*self._access.names, *self._access.patterns]:
                if (problem := self._problem(name, seconds)) is not None:
                    logger.warning("%s Agents find nothing there until that changes.", problem)
        except NeuralSparseError as error:
            logger.warning("The allowed indices were not checked. %s", error)

    def store(self, index: str) -> NeuralSparseStore:
        """Open an index with the model of its stamp; it stays open until the index is another one.

        Args:
            index: The name.

        Raises:
            IndexNotFoundError: There is no such index with a stamp, or it may not be searched.
        """
        bodies = self._look_at(index)
        state = frozenset((name, str(body["settings"]["index"]["uuid"])) for name, body in bodies.items())
        opened, store = self._stores.get(index, (None, None))
        if store is not None and opened == state:
            return store
        if store is not None:
            store.close()
        self._stores[index] = state, NeuralSparseStore(index, client=self._client, schema=stamped_schema(bodies))
        return self._stores[index][1]

    def close(self) -> None:
        """Close the stores that were opened."""
        for _, store in self._stores.values():
            store.close()
        self._stores.clear()

    def _look_at(self, index: str) -> Bodies:
        self._access.check_name(index)
        try:
            bodies = self._get(index)
        except IndexNotFoundError:
            raise not_searchable(index) from None
        self._access.check_found(index, bodies)
        if not all(read_bindings(body["mappings"]) for body in bodies.values()):
            raise not_searchable(index)
        return bodies

    def _permitted(self) -> Iterator[tuple[str, Bodies]]:
        """Yield each name that may be searched, with what the server has behind it."""
        names = self._access.names
        for name in names:
            try:
                yield name, self._get(name)
            except IndexNotFoundError:
                logger.warning("There is no index %r.", name)
        matching = self._get(",".join(self._access.patterns)) if self._access.patterns else {}
        for name, body in matching.items():
            if name not in names and self._access.matches(name):
                yield name, {name: body}

    def _problem(self, name: str, seconds: float) -> str | None:
        """Return why an agent finds nothing behind a name or pattern, or None."""
        try:
            bodies = self._get(name, request_timeout=seconds)
        except IndexNotFoundError:
            return f"There is no index {name!r}."
        if not bodies:
            return f"No index matches {name!r}."
        try:
            stamped = any(models_of({index: body}) for index, body in bodies.items())
        except IndexSchemaError as error:
            return str(error)
        return None if stamped else f"No index behind {name!r} carries a model: `index bind` names one."

    def _get(self, name: str, **params: float) -> Bodies:
        with translated_errors(self._client, name):
            bodies: Bodies = self._client.indices.get(index=name, params=params)
        return bodies

    def _count(self, name: str) -> int:
        body = {"query": {"bool": {"filter": self._access.fenced()}}}
        with translated_errors(self._client, name):
            return int(self._client.count(index=name, body=body)["count"])


def models_of(bodies: Bodies) -> list[str]:
    """Return the models of the indices behind a name, sorted; none where one of them has no stamp.

    Args:
        bodies: The response of `GET /<index>`.

    Raises:
        IndexSchemaError: A stamp is damaged, or of a later layout.
    """
    stamps = [read_bindings(body["mappings"]) for body in bodies.values()]
    return sorted({stamp.model for each in stamps for stamp in each.values()}) if all(stamps) else []


@contextmanager
def opened_indices(client: OpenSearch, access: Access) -> Iterator[StampedIndices]:
    """Open the indices for agents, and close their stores at the end.

    Args:
        client: An OpenSearch client.
        access: Which indices and documents.
    """
    with closing(StampedIndices(client, access)) as indices:
        yield indices

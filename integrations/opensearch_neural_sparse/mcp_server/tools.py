"""The tools: functions of plain values that read, and write nothing."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any, Literal

from opensearch_neural_sparse.index.documents.document import check_id
from opensearch_neural_sparse.mcp_server.access import Access
from opensearch_neural_sparse.mcp_server.answers import Documents, Found, IndexList, documents, found
from opensearch_neural_sparse.mcp_server.stamped_indices import StampedIndices
from opensearch_neural_sparse.search.results.hits import SearchHits
from opensearch_neural_sparse.store._sync.store import NeuralSparseStore

Mode = Literal["sparse", "hybrid", "bm25"]
DEFAULT_SIZE = 10


class SearchTools:
    """The tools over the indices that an agent may search; calls take turns.

    Args:
        indices: The indices.
        access: Limits of every call.
    """

    def __init__(self, indices: StampedIndices, access: Access) -> None:
        self._indices, self._access = indices, access
        self._turn = Lock()

    def list_indices(self) -> IndexList:
        """List the indices that can be searched, with their models and the number of their documents."""
        with self._turn:
            return self._indices.describe()

    def search(
        self,
        index: str,
        query: str,
        *,
        mode: Mode = "hybrid",
        size: int | None = None,
        filter: Any = None,  # noqa: A002
        explain: bool = False,
    ) -> Found:
        """Search an index.

        Args:
            index: Its name.
            query: The text to search for.
            mode: By learned sparse vectors, by words, or by both, fused.
            size: Most hits; None is 10, or the limit where that is less.
            filter: A query clause, or a list of such.
            explain: Whether hits have the tokens that matched, and the scores of each query of a hybrid search.

        Raises:
            ValueError: A mode that is none, or more hits than the limit.
            NeuralSparseError: The index may not be searched, or the filter is refused, or the search failed.
        """
        size = min(DEFAULT_SIZE, self._access.size_limit) if size is None else size
        self._access.check_size(size)
        clauses = self._access.fenced(filter)
        with self._turn, noted() as notes:
            hits = search_by(mode)(
                self._indices.store(index), query, size=size, filter=clauses, **_explained(mode, explain)
            )
        if explain and mode == "bm25":
            notes.append("A search by words has no explanation by tokens.")
        return found(hits, notes)

    def get(self, index: str, ids: list[str]) -> Documents:
        """Return documents by their ids.

        Args:
            index: The index.
            ids: The ids.

        Raises:
            ValueError: No id, or more than the limit.
            NeuralSparseError: The index may not be searched, or an id is none, or the request failed.
        """
        self._access.check_size(len(ids), "The number of ids")
        for name in ids:
            check_id(name)
        clauses = [{"ids": {"values": list(ids)}}, *self._access.fenced()]
        body = {"query": "$filters", "size": self._access.size_limit}
        with self._turn, noted() as notes:
            hits = self._indices.store(index).custom_search(body, filter=clauses)
        return documents(hits, ids, notes)


def search_by(mode: str) -> Callable[..., SearchHits]:
    """Return the method of a store that searches by a mode.

    Args:
        mode: The mode.

    Raises:
        ValueError: There is no such mode.
    """
    ways: dict[str, Callable[..., SearchHits]] = {
        "sparse": NeuralSparseStore.search,
        "hybrid": NeuralSparseStore.hybrid_search,
        "bm25": NeuralSparseStore.match_search,
    }
    if mode not in ways:
        raise ValueError(f"mode is {mode!r}; it is one of {', '.join(ways)}.")
    return ways[mode]


def _explained(mode: str, explain: bool) -> dict[str, bool]:
    return {} if mode == "bm25" else {"explain": explain}


@contextmanager
def noted() -> Iterator[list[str]]:
    """Collect warnings, which an agent reads as notes. Python has one list for all threads: calls take turns."""
    notes: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield notes
    notes += [str(each.message) for each in caught if issubclass(each.category, UserWarning)]

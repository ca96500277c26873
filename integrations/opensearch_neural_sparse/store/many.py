"""Many searches in one request: pure functions over values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from opensearch_neural_sparse.encode.sparse_vector import SparseVector
from opensearch_neural_sparse.index.fields import IndexSchema
from opensearch_neural_sparse.search.hits import SearchHits
from opensearch_neural_sparse.server import ServerInfo
from opensearch_neural_sparse.store.requests import SearchRequest, read_hits, readable_row, sparse_request

NO_ANSWERS: Mapping[str, Any] = {"responses": ()}
"""What stands for the answer where no search needs to be sent."""


@dataclass(frozen=True)
class ManySearches:
    """Searches that are ready to be sent together; None stands for one that cannot find anything."""

    requests: Sequence[SearchRequest | None]

    def __bool__(self) -> bool:
        return any(request is not None for request in self.requests)

    @property
    def body(self) -> list[dict[str, Any]]:
        """The lines of the one `_msearch`."""
        return [line for request in self.requests if request is not None for line in ({}, request.body)]

    def read(self, server: ServerInfo, response: Mapping[str, Any], schema: IndexSchema) -> list[SearchHits]:
        """Read the answer: the hits of each search, in the order of the searches.

        Raises:
            IndexNotFoundError: The index is gone.
            PartialResultsError: Some shards failed.
            ServerRequestError: The server refused a search.
        """
        rows = iter(response["responses"])
        return [
            SearchHits() if request is None else read_hits(server, request, readable_row(next(rows)), schema)
            for request in self.requests
        ]


def many_requests(
    server: ServerInfo, schema: IndexSchema, vectors: Iterable[SparseVector], **options: Any
) -> ManySearches:
    """Return a sparse search for each vector; the options are those of `sparse_request`."""
    return ManySearches([sparse_request(server, schema, vector, **options) for vector in vectors])

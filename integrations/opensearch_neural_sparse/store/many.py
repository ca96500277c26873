"""Many searches in one request: pure functions over values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from opensearch_neural_sparse.encode.sparse_vector import SparseVector
from opensearch_neural_sparse.index.fields import IndexSchema
from opensearch_neural_sparse.search.hits import SearchHits
from opensearch_neural_sparse.search.options import SearchOptions
from opensearch_neural_sparse.search.request_options import DEFAULT_REQUEST, RequestOptions
from opensearch_neural_sparse.search.wanted import Wanted
from opensearch_neural_sparse.server import ServerInfo
from opensearch_neural_sparse.store.answers import read_hits, readable_row
from opensearch_neural_sparse.store.requests import SearchRequest, sparse_request

_NO_ANSWERS: Mapping[str, Any] = {"responses": ()}
"""What stands for the answer where no search needs to be sent."""


@dataclass(frozen=True)
class ManySearches:
    """Searches that are ready to be sent together; None stands for one that cannot find anything."""

    requests: Sequence[SearchRequest | None]
    options: RequestOptions = DEFAULT_REQUEST

    def __bool__(self) -> bool:
        return any(request is not None for request in self.requests)

    def send(self, client: Any, index: str) -> Any:
        """Send them as one request by a client, blocking or asynchronous; return the response, or what awaits it."""
        lines = [line for request in self.requests if request is not None for line in request.lines]
        return client.msearch(body=lines, index=index, params=self.options.waiting)

    def read(self, server: ServerInfo, response: Mapping[str, Any] | None, schema: IndexSchema) -> list[SearchHits]:
        """Read the answer, None where there was nothing to send: the hits of each search, in their order.

        Raises:
            IndexNotFoundError: The index is gone.
            PartialResultsError: Some shards failed.
            ServerRequestError: The server refused a search.
        """
        rows = iter((response or _NO_ANSWERS)["responses"])
        return [
            SearchHits() if request is None else read_hits(server, request, readable_row(next(rows)), schema)
            for request in self.requests
        ]


def many_requests(
    server: ServerInfo,
    schema: IndexSchema,
    vectors: Iterable[SparseVector],
    wanted: Wanted,
    options: SearchOptions,
) -> ManySearches:
    """Return a sparse search for each vector."""
    requests = [sparse_request(server, schema, vector, wanted, options) for vector in vectors]
    return ManySearches(requests, options.request)

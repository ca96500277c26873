"""Read every document of an index, a page at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from opensearch_neural_sparse.errors import IndexSchemaError
from opensearch_neural_sparse.index.documents.document import SparseDocument
from opensearch_neural_sparse.index.index_info import IndexInfo
from opensearch_neural_sparse.index.schema import ID_FIELD
from opensearch_neural_sparse.search.filters.filter_clauses import Filter
from opensearch_neural_sparse.search.options.page import check_size
from opensearch_neural_sparse.search.requests.search_request import filter_body
from opensearch_neural_sparse.search.results.shard_failures import check_shards
from opensearch_neural_sparse.store.steps import Request, Steps

KEEP_ALIVE = {"keep_alive": "5m"}
"""Lifetime of a point in time after each page."""
_ORDER = ({ID_FIELD: {"order": "asc", "missing": "_first", "unmapped_type": "keyword"}}, "_index", "_seq_no")
"""An order without ties, from doc values: the heap is spared what sorting by `_id` costs. What has no id comes first,
so that an index that cannot be read in this order is refused at once."""


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page of documents.

    Attributes:
        documents: The documents.
        after: Where the next page begins, empty at the beginning of a shard; None after the last one.
        place: Place of the shard that the next page is read from, where pages are read shard by shard.
    """

    documents: Sequence[SparseDocument] = field(repr=False)
    after: Sequence[Any] | None
    place: int = 0


def page_body(
    filter: Filter | None,  # noqa: A002
    page: Page | None,
    *,
    size: int,
    point_in_time: str | None = None,
) -> dict[str, Any]:
    """Return the search for the page after this one, or for the first one."""
    check_size(size)
    body = {**filter_body(filter), "size": size, "sort": list(_ORDER), "track_total_hits": False}
    if point_in_time is not None:
        body["pit"] = {"id": point_in_time, **KEEP_ALIVE}
    return body if page is None or not page.after else {**body, "search_after": page.after}


def next_page(
    index: str,
    page: Page | None,
    *,
    size: int,
    source: Any,
    filter: Filter | None = None,  # noqa: A002
    shards: Sequence[int] = (),
    **parts: Any,
) -> Steps[tuple[Sequence[Mapping[str, Any]], Page]]:
    """Return the hits of the page after this one, or of the first one, and that page.

    No point in time is used, because encoding a page can outlast it.

    Args:
        index: The index.
        page: The page before, or None.
        size: Documents that are read at once.
        source: Which fields come.
        filter: What the documents satisfy.
        shards: Shards of the one index, to read one after the other: within one the sequence number is an order for
            documents without an id field, too. Empty reads all at once, by id.
        parts: Further parts of the search.
    """
    body = page_body(filter, page, size=size) | {"_source": source, **parts}
    place = 0 if page is None else page.place
    params = {"preference": f"_shards:{shards[place]}"} if shards else {}
    response = yield Request("search", lambda client: client.search(index=index, body=body, params=params))
    check_shards(response)
    hits = response["hits"]["hits"]
    if len(hits) == size:
        return hits, Page(documents=(), after=hits[-1]["sort"], place=place)
    return hits, Page(documents=(), after=() if place + 1 < len(shards) else None, place=place + 1)


def read_page(response: Mapping[str, Any], state: IndexInfo, *, size: int) -> Page:
    """Read the answer to the search for a page.

    Raises:
        IndexSchemaError: A document of an index of several shards has no id field to order it by.
        PartialResultsError: Some shards failed.
    """
    check_shards(response)
    hits = response["hits"]["hits"]
    if state.shards > len(state.indices) and (unordered := next((hit for hit in hits if hit["sort"][0] is None), None)):
        raise IndexSchemaError(
            f"Document {unordered['_id']!r} has no field {ID_FIELD!r}, so documents of several shards have no order to "
            "be read in. Another program wrote it; write it again with its id in that field."
        )
    documents = [state.read_document(hit) for hit in hits]
    return Page(documents=documents, after=hits[-1]["sort"] if len(hits) == size else None)

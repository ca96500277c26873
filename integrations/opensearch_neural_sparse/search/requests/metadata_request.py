"""The request of a search for metadata."""

from __future__ import annotations

from collections.abc import Mapping

from opensearch_neural_sparse.index.metadata.searched_types import SearchedBy
from opensearch_neural_sparse.search.options.metadata_search import MetadataMode, MetadataSearch
from opensearch_neural_sparse.search.query.metadata.metadata_query import metadata_query
from opensearch_neural_sparse.search.requests.search_request import SearchRequest


def metadata_request(search: MetadataSearch, fields: Mapping[str, SearchedBy]) -> SearchRequest | None:
    """Return the request for the documents that rows are taken from; None where the text has no word.

    Args:
        search: The search.
        fields: Full name -> how the field is searched.
    """
    if not search.parts:
        return None
    query = metadata_query(search.parts, fields, MetadataMode(search.mode), search.page.clauses)
    body = {"query": query, "size": search.candidates, "_source": list(search.fields)}
    return SearchRequest(body=body, options=search.request)

"""Search for rows of metadata."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from opensearch_neural_sparse.arguments import check_type
from opensearch_neural_sparse.errors import FewCandidatesWarning
from opensearch_neural_sparse.index.index_info import IndexInfo
from opensearch_neural_sparse.index.metadata.searched_types import SearchedBy
from opensearch_neural_sparse.search.options.metadata_search import MetadataSearch
from opensearch_neural_sparse.search.requests.metadata_request import metadata_request
from opensearch_neural_sparse.search.requests.metadata_rows import Row, metadata_rows
from opensearch_neural_sparse.search.requests.multi_search import MultiSearch
from opensearch_neural_sparse.search.results.hits import SearchHits
from opensearch_neural_sparse.server_info import ServerInfo
from opensearch_neural_sparse.store.context import StoreContext
from opensearch_neural_sparse.store.described import describe_hits
from opensearch_neural_sparse.store.operations.lifecycle import check_searched, open_index
from opensearch_neural_sparse.store.operations.search import run_requests
from opensearch_neural_sparse.store.search_recorder import SearchRecorder
from opensearch_neural_sparse.store.steps import Compute, Observed, Steps
from opensearch_neural_sparse.telemetry.caller import warn_caller


def search_metadata(context: StoreContext, search: MetadataSearch) -> Steps[list[Row]]:
    """Return the rows of metadata that a search finds, best first.

    Raises:
        IndexSchemaError: A field that is not mapped, or is not searched by words.
    """
    check_type(MetadataSearch, search=search)
    hits: SearchHits = yield Observed("metadata_search", partial(_found, context, search), describe_hits)
    rows: list[Row] = yield Compute(partial(metadata_rows, search, hits))
    _report_candidates(context.index, search, hits, len(rows))
    return rows


def _found(context: StoreContext, search: MetadataSearch) -> Steps[SearchHits]:
    yield from open_index(context)
    fields = yield from check_searched(context, search.fields)
    build = partial(_build, context.index, search, fields)
    (hits,) = yield from run_requests(context, build, search.page.clauses, SearchRecorder(asked=False))
    return hits


def _build(
    index: str, search: MetadataSearch, fields: Mapping[str, SearchedBy], _server: ServerInfo, info: IndexInfo
) -> MultiSearch:
    request = metadata_request(search, fields)
    return MultiSearch(name=index, info=replace(info, groups=()), searches=[[request]], page=search.page)


def _report_candidates(index: str, search: MetadataSearch, hits: SearchHits, rows: int) -> None:
    """Warn where further rows may lie beyond the documents that rows were taken from."""
    if rows < search.size and hits.total > len(hits) >= search.candidates:
        warn_caller(
            FewCandidatesWarning(
                f"The best {search.candidates} documents of index {index!r} have {rows} rows of metadata, and further "
                f"documents match ({hits.total} or more). Search with more candidates, up to 10000, or with a filter."
            ),
        )

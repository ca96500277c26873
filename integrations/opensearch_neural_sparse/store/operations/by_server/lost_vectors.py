"""Documents that a pipeline of the server stored without a vector, or with less than their texts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Any

from opensearch_neural_sparse.error_reasons import first_of
from opensearch_neural_sparse.errors import PassageLimitWarning
from opensearch_neural_sparse.index.binding.server_chunking import ServerChunking
from opensearch_neural_sparse.index.bulk.server_actions import ServerEncodedDrafts
from opensearch_neural_sparse.index.documents.stored_text import passages_of
from opensearch_neural_sparse.index.index_info import IndexInfo
from opensearch_neural_sparse.store.bulk.missing_vectors import warn_of_unencoded
from opensearch_neural_sparse.store.context import StoreContext
from opensearch_neural_sparse.store.operations.by_server.passages import cut_by_server
from opensearch_neural_sparse.store.steps import Request, Steps
from opensearch_neural_sparse.telemetry.caller import warn_caller

_REMEDY = "The pipeline is checked when a store opens the index to write: has it changed since?"
_NO_PASSAGE = "The server found no word in their texts, so there is no passage to encode."
_PER_REQUEST = 100
_NAMED = 5
Rows = list[Mapping[str, Any]]


def warn_of_lost_vectors(context: StoreContext, info: IndexInfo, drafts: ServerEncodedDrafts) -> Steps[None]:
    """Read some documents that the pipeline was to encode, and warn of those that were stored without a vector.

    Of an index of passages, all documents are read that may have none, or more than the limit of the index.

    Args:
        context: The store's context.
        info: The index that was written to.
        drafts: What drafted the documents.
    """
    schema = info.schema
    field, sample = schema.vector_field, {key: at for key, at in drafts.sample.items() if key not in drafts.doubtful}
    found = yield from _read(context, info, sample, field)
    lost = tuple(row["_id"] for row in found if not row.get("_source", {}).get(field))
    warn_of_unencoded(context.index, {field: lost}, f"Checked were {len(found)} documents of this write. {_REMEDY}")
    chunking = schema.server_chunking
    if chunking is None or not drafts.doubtful:
        return
    found = yield from _read(context, info, drafts.doubtful, schema.passage_field)
    cut = {row["_id"]: passages_of(row.get("_source", {}), schema) for row in found}
    empty = tuple(name for name, passages in cut.items() if not passages)
    warn_of_unencoded(context.index, {field: empty}, _NO_PASSAGE)
    full = {name: passages[-1] for name, passages in cut.items() if len(passages) == chunking.max_chunk_limit}
    rest = yield from cut_by_server(info, chunking.without_limit, list(full.values()))
    _warn_of_limit(context.index, chunking, [name for name, parts in zip(full, rest, strict=True) if len(parts) > 1])


def _read(context: StoreContext, info: IndexInfo, ids: Mapping[str, str | None], field: str) -> Steps[Rows]:
    """Return the rows of the documents that exist, with one field of each."""
    target, params, found = info.write_index or context.index, {"_source_includes": field}, Rows()
    rows: Iterator[dict[str, str]] = (_address(*each) for each in ids.items())
    while part := list(islice(rows, _PER_REQUEST)):
        response = yield Request("mget", partial(_mget, target, part, params))
        found += [row for row in response["docs"] if row.get("found")]
    return found


def _address(document_id: str, routing: str | None) -> dict[str, str]:
    return {"_id": document_id} if routing is None else {"_id": document_id, "routing": routing}


def _mget(index: str, rows: Sequence[Mapping[str, str]], params: Mapping[str, str], client: Any) -> Any:
    return client.mget(index=index, body={"docs": rows}, params=dict(params))


def _warn_of_limit(index: str, chunking: ServerChunking, ids: Sequence[str]) -> None:
    if ids:
        limit = chunking.max_chunk_limit
        warn_caller(
            PassageLimitWarning(
                f"{len(ids)} documents of index {index!r} have more passages than max_chunk_limit, {limit}: "
                f"{first_of(map(repr, ids), _NAMED)}. The server put the rest of their texts into the last passage, of "
                "which the model reads no more than its limit. Give a larger max_chunk_limit, or none.",
                tuple(ids),
            ),
        )

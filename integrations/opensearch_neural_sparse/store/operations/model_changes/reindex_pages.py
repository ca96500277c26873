"""Copy documents to the target of a reindex, a page at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from opensearch_neural_sparse.index.bulk.actions import delete_action
from opensearch_neural_sparse.store.operations.model_changes.reindex_job import Hit, Reindexing, ReindexReport
from opensearch_neural_sparse.store.operations.pagination import next_page
from opensearch_neural_sparse.store.steps import BulkWrite, Compute, Request, Steps


def copy_pages(job: Reindexing, source: str, shards: Sequence[int], *, compare: bool) -> Steps[ReindexReport]:
    """Encode and write the documents of these shards that the target lacks; return how many.

    Args:
        job: The reindex.
        source: The concrete index that is copied.
        shards: The shards that are read.
        compare: Whether the target may hold some of the documents already.

    Raises:
        BulkWriteError: Some documents were not written.
        IndexSchemaError: A document has no text.
    """
    written, without_text, page, size, field = 0, 0, None, job.options.batch_size, job.schema.vector_field
    while page is None or page.after is not None:
        hits, page = yield from next_page(source, page, size=size, source={"excludes": [field]}, shards=shards)
        held = (yield from _held(job.target, hits, {"_source_excludes": field})) if compare else {}
        missing = [hit for hit in hits if not job.is_copied(hit, held.get(hit["_id"]))]
        actions = yield Compute(partial(job.actions, missing))
        report = yield BulkWrite(index=job.target, actions=actions, options=replace(job.options, refresh=False))
        report.raise_if_incomplete()
        written += len(missing)
        no_texts = {hit["_id"] for hit in missing if job.text(hit) is None}
        without_text += len(no_texts)
        job.unencoded.extend(key for key in report.without_vector.get(field, ()) if key not in no_texts)
    without_vector = without_text + len(job.unencoded)
    return ReindexReport(
        index=job.target, documents=0, encoded=written, without_text=without_text, without_vector=without_vector
    )


def delete_orphans(job: Reindexing, source: str) -> Steps[None]:
    """Delete from the target what was deleted from the source since the copy began."""
    page = None
    while page is None or page.after is not None:
        hits, page = yield from next_page(job.target, page, size=job.options.batch_size, source=False)
        there = yield from _held(source, hits, {"_source": "false"})
        actions = [delete_action(hit["_id"], routing=hit.get("_routing")) for hit in hits if hit["_id"] not in there]
        report = yield BulkWrite(index=job.target, actions=actions, options=replace(job.options, refresh=False))
        report.raise_if_incomplete()


def _held(index: str, hits: Sequence[Hit], params: Mapping[str, str]) -> Steps[dict[str, Mapping[str, Any]]]:
    if not hits:
        return {}
    body = {"docs": [_address(hit) for hit in hits]}
    response = yield Request("mget", lambda client: client.mget(index=index, body=body, params=dict(params)))
    return {row["_id"]: row.get("_source", {}) for row in response["docs"] if row.get("found")}


def _address(hit: Hit) -> dict[str, Any]:
    return {"_id": hit["_id"]} | ({"routing": hit["_routing"]} if "_routing" in hit else {})

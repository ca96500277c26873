"""Reindex into an index of another model, from the texts; an interrupted reindex is resumed.

The mark in the target's `_meta` is removed last, so that it shows whatever an interruption left undone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import Any

from opensearch_neural_sparse.errors import IndexSchemaError
from opensearch_neural_sparse.index.bulk.actions import delete_action
from opensearch_neural_sparse.index.model_binding import read_bindings
from opensearch_neural_sparse.index.read_index import follow_stamps, uuids_of
from opensearch_neural_sparse.index.reindex_mark import (
    ReindexMark,
    copy_index_body,
    is_blocked,
    is_moved,
    read_mark,
    shards_of,
    with_mark,
    without_mark,
)
from opensearch_neural_sparse.index.schema import FieldType
from opensearch_neural_sparse.index.token_ids import TokenIds
from opensearch_neural_sparse.search.results.shard_failures import check_shards
from opensearch_neural_sparse.store.bulk.missing_vectors import NEEDS_TEXT, warn_of_unencoded
from opensearch_neural_sparse.store.context import StoreContext
from opensearch_neural_sparse.store.encoders import Encoders
from opensearch_neural_sparse.store.operations.lifecycle import open_index
from opensearch_neural_sparse.store.operations.model_changes.bind_model import only_index
from opensearch_neural_sparse.store.operations.model_changes.reindex_job import Hit, Reindexing, ReindexReport, no_text
from opensearch_neural_sparse.store.operations.pagination import next_page
from opensearch_neural_sparse.store.steps import BulkWrite, Compute, Request, Steps

_IF_THERE = MappingProxyType({"ignore_unavailable": "true"})


def reindex(context: StoreContext, target: str, encoders: Encoders, **choices: Any) -> Steps[ReindexReport]:
    """Encode the documents of the index by another model, and write them to a new index.

    Args:
        context: The store's context.
        target: Name of the new index.
        encoders: The new model.
        choices: Further attributes of `Reindexing`.

    Raises:
        BulkWriteError: Some documents were not written.
        IndexSchemaError: The source is several indices, documents have no text, the target exists and is no unfinished
            copy of it, or the counts differ at the end.
    """
    try:
        if ended := (yield from end_moved(_job(context, target, encoders, choices))):
            return ended
        yield from open_index(context)
        job = _job(context, target, encoders, choices)
        mark = yield from begin(job)
        try:
            report = yield from copy(job, mark)
        finally:
            yield from unblock(mark)
        yield from remove_mark(target)
        return report
    finally:
        encoders.close()
        context.forget()


def _job(context: StoreContext, target: str, encoders: Encoders, choices: Mapping[str, Any]) -> Reindexing:
    schema = replace(context.schema, token_ids=None)
    if schema.field_type is FieldType.SPARSE_VECTOR:
        schema = replace(schema, token_ids=TokenIds(encoders.vocabulary))
    return Reindexing(index=context.index, target=target, schema=schema, encoders=encoders, **choices)


def begin(job: Reindexing) -> Steps[ReindexMark]:
    """Make the target, or find it unfinished; nothing of the source is changed.

    Raises:
        IndexNotFoundError: There is no source.
        IndexSchemaError: The source is several indices, documents have no text, the target is another index, or its
            field cannot tell the tokens of the new model apart.
    """
    if job.schema.token_ids is not None:
        yield Compute(job.schema.token_ids.ensure_told_apart)
    yield Compute(lambda: job.binding)
    response = yield Request(lambda client: client.indices.get(index=job.index))
    name = only_index(job.index, response)
    made = yield Request(lambda client: client.indices.get(index=job.target, params={"ignore": [404]}))
    if job.target in made:
        return _mark_of(job, name, response, made)
    yield Request(lambda client: client.indices.refresh(index=name))
    if job.on_missing_text == "raise":
        yield from _ensure_texts(job, name, shards_of(response[name]))
    mark = ReindexMark(source=name, source_uuid=uuids_of(response)[name], was_blocked=is_blocked(response[name]))
    body = copy_index_body(response[name], job.schema, job.binding, mark)
    yield Request(lambda client: client.indices.create(index=job.target, body=body))
    return mark


def end_moved(job: Reindexing) -> Steps[ReindexReport | None]:
    """End a copy that was interrupted after its alias was moved; None where there is no such copy.

    Nothing is copied any more: whoever wrote through the alias meanwhile wrote to the copy.

    Raises:
        IndexSchemaError: It is a copy for another model.
    """
    mark = yield from _moved(job)
    if mark is None:
        return None
    yield from unblock(mark)
    yield Request(lambda client: client.indices.refresh(index=job.target))
    documents = yield from _count(job.target)
    yield from remove_mark(job.target)
    return ReindexReport(index=job.target, documents=documents)


def unblock(mark: ReindexMark) -> Steps[None]:
    """Restore writes to the source, if it still exists."""
    if not mark.was_blocked:
        body, unless_gone = {"index.blocks.write": None}, {"ignore": [404]}
        yield Request(lambda client: client.indices.put_settings(index=mark.source, body=body, params=unless_gone))


def remove_mark(target: str) -> Steps[None]:
    """Remove the mark of an unfinished reindex."""
    mapping = yield Request(lambda client: client.indices.get_mapping(index=target))
    meta = without_mark(mapping[target]["mappings"])
    yield Request(lambda client: client.indices.put_mapping(index=target, body={"_meta": meta}))


def copy(job: Reindexing, mark: ReindexMark) -> Steps[ReindexReport]:
    """Refuse writes to the source, copy what the target lacks, see that it holds as many documents, and move the alias.

    Raises:
        BulkWriteError: Some documents were not written.
        IndexSchemaError: A document has no text, or the counts differ.
    """
    yield Request(lambda client: client.indices.add_block(index=mark.source, block="write"))
    yield Request(lambda client: client.indices.refresh(index=[mark.source, job.target]))
    before = yield from _count(job.target)
    if before:
        yield from _delete_orphans(job, mark)
    written, without_text, page, size = 0, 0, None, job.options.batch_size
    unencoded: list[str] = []
    excluded, ours = {"_source_excludes": job.schema.vector_field}, {"excludes": [job.schema.vector_field]}
    about = yield Request(lambda client: client.indices.get_settings(index=mark.source))
    shards = shards_of(about[mark.source])
    while page is None or page.after is not None:
        hits, page = yield from next_page(mark.source, page, size=size, source=ours, shards=shards)
        held = (yield from _held(job.target, hits, excluded)) if before else {}
        missing = [hit for hit in hits if not job.is_copied(hit, held.get(hit["_id"]))]
        actions = yield Compute(partial(job.actions, missing))
        report = yield BulkWrite(index=job.target, actions=actions, options=replace(job.options, refresh=False))
        report.raise_if_incomplete()
        written += len(missing)
        no_texts = {hit["_id"] for hit in missing if job.text(hit) is None}
        without_text += len(no_texts)
        unencoded += [key for key in report.without_vector.get(job.schema.vector_field, ()) if key not in no_texts]
    documents = yield from _finish(job, mark)
    job.cut.warn()
    warn_of_unencoded(job.target, {job.schema.vector_field: tuple(unencoded)}, NEEDS_TEXT)
    return ReindexReport(
        index=job.target,
        documents=documents,
        encoded=written,
        without_text=without_text,
        without_vector=without_text + len(unencoded),
    )


def _moved(job: Reindexing) -> Steps[ReindexMark | None]:
    """Return the mark of the target where it is the copy that is asked for, and has the alias already."""
    made = yield from _look_at(job.target)
    mark = read_mark(made["mappings"]) if made else None
    if mark is None:
        return None
    source = yield from _look_at(mark.source)
    asked = yield Request(lambda client: client.indices.get(index=job.index, params=dict(_IF_THERE)))
    is_another = bool(source) and uuids_of({mark.source: source}) != {mark.source: mark.source_uuid}
    if is_another or set(asked) not in ({mark.source}, {job.target}) or not is_moved(mark, made, source):
        return None
    stamps = read_bindings(made["mappings"])
    job = replace(job, schema=follow_stamps(job.schema, stamps))
    binding = yield Compute(lambda: job.binding)
    if stamps.get(job.schema.sparse_field) != binding:
        raise IndexSchemaError(
            f"Index {job.target!r}, to which alias {mark.alias!r} was moved, is a copy for another model or other "
            "settings. Call it again with those, which ends it."
        )
    return mark


def _look_at(index: str) -> Steps[Mapping[str, Any]]:
    """Return the response of `GET /<index>` for a concrete index; empty if it is missing."""
    response = yield Request(lambda client: client.indices.get(index=index, params=dict(_IF_THERE)))
    found: Mapping[str, Any] = response.get(index, {})
    return found


def _mark_of(job: Reindexing, source: str, response: Mapping[str, Any], made: Mapping[str, Any]) -> ReindexMark:
    mark = read_mark(made[job.target]["mappings"])
    if mark is None or (mark.source, mark.source_uuid) != (source, uuids_of(response)[source]):
        raise IndexSchemaError(
            f"Index {job.target!r} exists and is no unfinished copy of {source!r}. Name another target, or delete it."
        )
    if read_bindings(made[job.target]["mappings"]).get(job.schema.sparse_field) != job.binding:
        raise IndexSchemaError(
            f"Index {job.target!r} is an unfinished copy for another model or other settings. Go on with those, or "
            "delete it."
        )
    return mark


def _ensure_texts(job: Reindexing, source: str, shards: int) -> Steps[None]:
    how: dict[str, Any] = {"size": job.options.batch_size, "source": [job.schema.text_field], "shards": shards}
    lacking = {"bool": {"must_not": {"exists": {"field": job.schema.text_field}}}}
    missing: list[str] = []
    page = None
    while page is None or page.after is not None:
        hits, page = yield from next_page(source, page, filter=lacking, **how)
        missing += [hit["_id"] for hit in hits if job.text(hit) is None]
    if missing:
        raise no_text(source, missing)


def _held(index: str, hits: Sequence[Hit], params: Mapping[str, str]) -> Steps[dict[str, Mapping[str, Any]]]:
    if not hits:
        return {}
    body = {"docs": [_address(hit) for hit in hits]}
    response = yield Request(lambda client: client.mget(index=index, body=body, params=dict(params)))
    return {row["_id"]: row.get("_source", {}) for row in response["docs"] if row.get("found")}


def _delete_orphans(job: Reindexing, mark: ReindexMark) -> Steps[None]:
    """Delete from the target what was deleted from the source since the copy was interrupted."""
    page = None
    while page is None or page.after is not None:
        hits, page = yield from next_page(job.target, page, size=job.options.batch_size, source=False)
        there = yield from _held(mark.source, hits, {"_source": "false"})
        actions = [delete_action(hit["_id"], routing=hit.get("_routing")) for hit in hits if hit["_id"] not in there]
        report = yield BulkWrite(index=job.target, actions=actions, options=replace(job.options, refresh=False))
        report.raise_if_incomplete()


def _finish(job: Reindexing, mark: ReindexMark) -> Steps[int]:
    yield Request(lambda client: client.indices.refresh(index=job.target))
    expected = yield from _count(mark.source)
    found = yield from _count(job.target)
    if expected != found:
        raise IndexSchemaError(
            f"Index {mark.source!r} holds {expected} documents and its copy {job.target!r} {found}; the alias was not "
            "moved. Somebody wrote to one of them meanwhile: call it again."
        )
    if job.alias is not None:
        yield from _move_alias(job, replace(mark, alias=job.alias), job.alias)
    return found


def _move_alias(job: Reindexing, mark: ReindexMark, alias: str) -> Steps[None]:
    """Move the alias, which the mark names first: from then on the target may be written to."""
    mapping = yield Request(lambda client: client.indices.get_mapping(index=job.target))
    meta = with_mark(mapping[job.target]["mappings"]["_meta"], mark)
    yield Request(lambda client: client.indices.put_mapping(index=job.target, body={"_meta": meta}))
    held = yield Request(lambda client: client.indices.get_alias(name=alias, params={"ignore": [404]}))
    if job.target in held and mark.source not in held:
        return
    properties = held.get(mark.source, {}).get("aliases", {}).get(alias)
    actions = [{"add": {"index": job.target, "alias": alias, **(properties or {})}}]
    if properties is not None:
        actions.append({"remove": {"index": mark.source, "alias": alias}})
    yield Request(lambda client: client.indices.update_aliases(body={"actions": actions}))


def _count(index: str) -> Steps[int]:
    response = yield Request(lambda client: client.count(index=index))
    check_shards(response)
    return int(response["count"])


def _address(hit: Hit) -> dict[str, Any]:
    return {"_id": hit["_id"]} | ({"routing": hit["_routing"]} if "_routing" in hit else {})

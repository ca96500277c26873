"""Reindex into an index of another model, from the texts; an interrupted reindex is resumed.

The mark in the target's `_meta` is removed last, so that it shows whatever an interruption left undone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from opensearch_neural_sparse.errors import IndexSchemaError
from opensearch_neural_sparse.index.binding.model_binding import read_bindings
from opensearch_neural_sparse.index.binding.reindex_mark import (
    ReindexMark,
    copy_index_body,
    is_blocked,
    is_moved,
    read_mark,
    with_mark,
    without_mark,
)
from opensearch_neural_sparse.index.read_index import follow_stamps, uuids_of
from opensearch_neural_sparse.index.schema import FieldType
from opensearch_neural_sparse.index.token_ids import TokenIds
from opensearch_neural_sparse.search.results.shard_failures import check_shards
from opensearch_neural_sparse.store.context import StoreContext
from opensearch_neural_sparse.store.encoders import Encoders
from opensearch_neural_sparse.store.operations.lifecycle import ensure_text_shown, open_index
from opensearch_neural_sparse.store.operations.model_changes.bind_model import only_index
from opensearch_neural_sparse.store.operations.model_changes.hidden_documents import ensure_sees_all
from opensearch_neural_sparse.store.operations.model_changes.reindex_job import Reindexing, ReindexReport, no_text
from opensearch_neural_sparse.store.operations.model_changes.reindex_pages import copy_pages, delete_orphans
from opensearch_neural_sparse.store.operations.model_changes.source_shards import source_shards
from opensearch_neural_sparse.store.operations.pagination import next_page
from opensearch_neural_sparse.store.steps import Compute, Request, Steps

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
        IndexSchemaError: The source is several indices, documents have no text, the target exists and is not an
            unfinished copy of it, or the counts differ at the end.
        ValueError: The source has no such shard.
    """
    try:
        if ended := (yield from end_moved(_job(context, target, encoders, choices))):
            return ended
        yield from open_index(context)
        context.refuse_semantic("Reindexing")
        context.refuse_passages("Reindexing")
        yield from ensure_text_shown(context, "which reindexing encodes")
        job = _job(context, target, encoders, choices)
        mark, shards = yield from begin(job)
        if job.shards is not None:
            return (yield from copy_part(job, mark, shards))
        try:
            report = yield from copy(job, mark, shards)
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


def begin(job: Reindexing) -> Steps[tuple[ReindexMark, Sequence[int]]]:
    """Make the target, or find it unfinished; nothing of the source is changed.

    Returns:
        The mark, and the shards of the source to copy.

    Raises:
        IndexNotFoundError: There is no source.
        IndexSchemaError: The source is several indices, documents have no text, the target is another index, or its
            field cannot tell the tokens of the new model apart.
        ServerRequestError: A part of the source is hidden from the login.
        ValueError: The source has no such shard.
    """
    if job.schema.token_ids is not None:
        yield Compute(job.schema.token_ids.ensure_told_apart)
    yield Compute(lambda: job.binding)
    response = yield Request("indices.get", lambda client: client.indices.get(index=job.index))
    name = only_index(job.index, response)
    yield from ensure_sees_all(name)
    shards = source_shards(name, response[name], job.shards)
    made = yield Request("indices.get", lambda client: client.indices.get(index=job.target, params={"ignore": [404]}))
    if job.target in made:
        return _mark_of(job, name, response, made), shards
    yield Request("indices.refresh", lambda client: client.indices.refresh(index=name), confirmed_by="_shards")
    if job.on_missing_text == "raise":
        yield from _ensure_texts(job, name, source_shards(name, response[name], None))
    mark = ReindexMark(source=name, source_uuid=uuids_of(response)[name], was_blocked=is_blocked(response[name]))
    body = copy_index_body(response[name], job.schema, job.binding, mark)
    yield Request(
        "indices.create", lambda client: client.indices.create(index=job.target, body=body), confirmed_by="acknowledged"
    )
    return mark, shards


def end_moved(job: Reindexing) -> Steps[ReindexReport | None]:
    """End a copy that was interrupted after its alias was moved; None where there is no such copy.

    Nothing is copied any more: whoever wrote through the alias meanwhile wrote to the copy. A call for some shards
    leaves the end to one for all.

    Raises:
        IndexSchemaError: It is a copy for another model.
    """
    mark = yield from _moved(job)
    if mark is None:
        done = yield from _is_done(job)
        return ReindexReport(index=job.target, documents=(yield from _count(job.target))) if done else None
    if job.shards is None:
        yield from unblock(mark)
    yield Request("indices.refresh", lambda client: client.indices.refresh(index=job.target), confirmed_by="_shards")
    documents = yield from _count(job.target)
    if job.shards is None:
        yield from remove_mark(job.target)
    return ReindexReport(index=job.target, documents=documents)


def unblock(mark: ReindexMark) -> Steps[None]:
    """Restore writes to the source, if it still exists."""
    if not mark.was_blocked:
        body, unless_gone = {"index.blocks.write": None}, {"ignore": [404]}
        yield Request(
            "indices.put_settings",
            lambda client: client.indices.put_settings(index=mark.source, body=body, params=unless_gone),
        )


def remove_mark(target: str) -> Steps[None]:
    """Remove the mark of an unfinished reindex."""
    mapping = yield Request("indices.get_mapping", lambda client: client.indices.get_mapping(index=target))
    meta = without_mark(mapping[target]["mappings"])
    yield Request(
        "indices.put_mapping",
        lambda client: client.indices.put_mapping(index=target, body={"_meta": meta}),
        confirmed_by="acknowledged",
    )


def copy(job: Reindexing, mark: ReindexMark, shards: Sequence[int]) -> Steps[ReindexReport]:
    """Refuse writes to the source, copy what the target lacks, see that it holds as many documents, and move the alias.

    Raises:
        BulkWriteError: Some documents were not written.
        IndexSchemaError: A document has no text, or the counts differ.
    """
    yield Request(
        "indices.add_block",
        lambda client: client.indices.add_block(index=mark.source, block="write"),
        confirmed_by="acknowledged",
    )
    before = yield from _refreshed(job, mark)
    if before:
        yield from delete_orphans(job, mark.source)
    report = yield from copy_pages(job, mark.source, shards, compare=before > 0)
    documents = yield from _finish(job, mark)
    job.warn()
    return replace(report, documents=documents)


def copy_part(job: Reindexing, mark: ReindexMark, shards: Sequence[int]) -> Steps[ReindexReport]:
    """Copy what the target lacks of some shards, none at all included, while writes to the source pass.

    Raises:
        BulkWriteError: Some documents were not written.
        IndexSchemaError: A document has no text.
    """
    before = yield from _refreshed(job, mark)
    if not shards:
        return ReindexReport(index=job.target, documents=before)
    report = yield from copy_pages(job, mark.source, shards, compare=before > 0)
    job.warn()
    yield Request("indices.refresh", lambda client: client.indices.refresh(index=job.target), confirmed_by="_shards")
    return replace(report, documents=(yield from _count(job.target)))


def _refreshed(job: Reindexing, mark: ReindexMark) -> Steps[int]:
    """Refresh source and target, and return how many documents the target holds."""
    yield Request(
        "indices.refresh",
        lambda client: client.indices.refresh(index=[mark.source, job.target]),
        confirmed_by="_shards",
    )
    return (yield from _count(job.target))


def _moved(job: Reindexing) -> Steps[ReindexMark | None]:
    """Return the mark of the target where it is the copy that is asked for, and has the alias already."""
    made = yield from _look_at(job.target)
    mark = read_mark(made["mappings"]) if made else None
    if mark is None:
        return None
    source = yield from _look_at(mark.source)
    asked = yield Request("indices.get", lambda client: client.indices.get(index=job.index, params=dict(_IF_THERE)))
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


def _is_done(job: Reindexing) -> Steps[bool]:
    """Return whether the alias is of the target alone, and that has the model: the call was killed as it ended."""
    made = yield from _look_at(job.target)
    if job.alias is None or job.alias not in made.get("aliases", {}) or read_mark(made["mappings"]) is not None:
        return False
    asked = yield Request("indices.get", lambda client: client.indices.get(index=job.alias, params=dict(_IF_THERE)))
    stamps = read_bindings(made["mappings"])
    job = replace(job, schema=follow_stamps(job.schema, stamps))
    binding = yield Compute(lambda: job.binding)
    return set(asked) == {job.target} and stamps.get(job.schema.sparse_field) == binding


def _look_at(index: str) -> Steps[Mapping[str, Any]]:
    """Return the response of `GET /<index>` for a concrete index; empty if it is missing."""
    response = yield Request("indices.get", lambda client: client.indices.get(index=index, params=dict(_IF_THERE)))
    found: Mapping[str, Any] = response.get(index, {})
    return found


def _mark_of(job: Reindexing, source: str, response: Mapping[str, Any], made: Mapping[str, Any]) -> ReindexMark:
    mark = read_mark(made[job.target]["mappings"])
    if mark is None or (mark.source, mark.source_uuid) != (source, uuids_of(response)[source]):
        raise IndexSchemaError(
            f"Index {job.target!r} exists and is not an unfinished copy of {source!r}. Name another target, or "
            "delete it."
        )
    if read_bindings(made[job.target]["mappings"]).get(job.schema.sparse_field) != job.binding:
        raise IndexSchemaError(
            f"Index {job.target!r} is an unfinished copy for another model or other settings. Continue with those, "
            "or delete the index."
        )
    return mark


def _ensure_texts(job: Reindexing, source: str, shards: Sequence[int]) -> Steps[None]:
    how: dict[str, Any] = {"size": job.options.batch_size, "source": [job.schema.text_field], "shards": shards}
    lacking = {"bool": {"must_not": {"exists": {"field": job.schema.text_field}}}}
    missing: list[str] = []
    page = None
    while page is None or page.after is not None:
        hits, page = yield from next_page(source, page, filter=lacking, **how)
        missing += [hit["_id"] for hit in hits if job.text(hit) is None]
    if missing:
        raise no_text(source, missing)


def _finish(job: Reindexing, mark: ReindexMark) -> Steps[int]:
    yield Request("indices.refresh", lambda client: client.indices.refresh(index=job.target), confirmed_by="_shards")
    expected = yield from _count(mark.source)
    found = yield from _count(job.target)
    if expected != found:
        raise IndexSchemaError(
            f"Index {mark.source!r} holds {expected} documents and its copy {job.target!r} {found}; the alias was not "
            "moved. Another program wrote to one of them meanwhile: repeat the call."
        )
    if job.alias is not None:
        yield from _move_alias(job, replace(mark, alias=job.alias), job.alias)
    return found


def _move_alias(job: Reindexing, mark: ReindexMark, alias: str) -> Steps[None]:
    """Move the alias, which the mark names first: from then on the target may be written to."""
    mapping = yield Request("indices.get_mapping", lambda client: client.indices.get_mapping(index=job.target))
    meta = with_mark(mapping[job.target]["mappings"]["_meta"], mark)
    yield Request(
        "indices.put_mapping",
        lambda client: client.indices.put_mapping(index=job.target, body={"_meta": meta}),
        confirmed_by="acknowledged",
    )
    both, params = f"{mark.source},{job.target}", {"ignore": [404], **_IF_THERE}
    held = yield Request(
        "indices.get_alias", lambda client: client.indices.get_alias(index=both, name=alias, params=params)
    )
    if job.target in held and mark.source not in held:
        return
    properties = held.get(mark.source, {}).get("aliases", {}).get(alias)
    actions = [{"add": {"index": job.target, "alias": alias, **(properties or {})}}]
    if properties is not None:
        actions.append({"remove": {"index": mark.source, "alias": alias}})
    yield Request(
        "indices.update_aliases",
        lambda client: client.indices.update_aliases(body={"actions": actions}),
        confirmed_by="acknowledged",
    )


def _count(index: str) -> Steps[int]:
    response = yield Request("count", lambda client: client.count(index=index))
    check_shards(response)
    return int(response["count"])

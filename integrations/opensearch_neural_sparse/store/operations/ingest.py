"""Load documents of a source by a journal."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial

from opensearch_neural_sparse.arguments import check_type
from opensearch_neural_sparse.errors import BulkWriteError
from opensearch_neural_sparse.index.bulk.actions import delete_action
from opensearch_neural_sparse.index.bulk.report import BulkReport
from opensearch_neural_sparse.index.index_info import IndexInfo
from opensearch_neural_sparse.ingestion.journals.journal import LoadTarget
from opensearch_neural_sparse.ingestion.load import Load
from opensearch_neural_sparse.ingestion.report import LoadReport
from opensearch_neural_sparse.ingestion.run import LoadRun, Progress
from opensearch_neural_sparse.store.context import StoreContext
from opensearch_neural_sparse.store.operations.documents import send_actions, send_documents
from opensearch_neural_sparse.store.operations.lifecycle import open_to_write
from opensearch_neural_sparse.store.steps import Compute, Steps
from opensearch_neural_sparse.store.write_options import WriteOptions


def ingest(context: StoreContext, load: Load, options: WriteOptions, progress: Progress | None) -> Steps[LoadReport]:
    """Write the rows of a load that the index does not hold, and return the report."""
    check_type(Load, load=load)
    info = yield from open_to_write(context)
    target = target_of(context.index, load.source, info)
    run = LoadRun(
        load,
        target,
        progress,
        rows_at_once=options.batch_size,
        characters_at_once=options.batch_bytes,
        routing=options.routing,
    )
    yield Compute(run.begin)
    try:
        written = yield from _write(context, info, run, options)
        parts = run.gone()
        while (gone := (yield Compute(partial(next, parts, None)))) is not None:
            actions = [delete_action(each.id, routing=each.routing) for each in gone]
            sent = send_actions(context, info, actions, replace(options, pipeline=None), name="delete")
            deleted = yield from _reported(sent)
            yield Compute(partial(run.forget, gone, deleted))
        report = run.report(written)
        yield Compute(run.close)  # what it waits for is not to hold an event loop
        return report
    finally:
        run.close()


def load_target(context: StoreContext, source: str) -> Steps[LoadTarget]:
    """Return what a journal of a load of a source into the index belongs to."""
    info = yield from open_to_write(context)
    return target_of(context.index, source, info)


def target_of(index: str, source: str, info: IndexInfo) -> LoadTarget:
    """Return what a journal of a load belongs to."""
    uuid = info.uuids.get(info.write_index or "") or ",".join(info.uuids.values())
    model = "" if info.binding is None else json.dumps(info.binding.to_meta(), sort_keys=True)
    return LoadTarget(source=source, index=index, uuid=uuid, model=model)


def _write(context: StoreContext, info: IndexInfo, run: LoadRun, options: WriteOptions) -> Steps[BulkReport]:
    documents = run.documents()
    return (yield from _reported(send_documents(context, info, documents, options, observe=run.acknowledge)))


def _reported(sent: Steps[BulkReport]) -> Steps[BulkReport]:
    """Return the report of actions, whether all were carried out or not."""
    try:
        return (yield from sent)
    except BulkWriteError as error:
        return error.report

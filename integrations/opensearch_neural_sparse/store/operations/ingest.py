"""Load documents of a source by a journal."""

from __future__ import annotations

import json
from dataclasses import replace

from opensearch_neural_sparse.errors import BulkWriteError
from opensearch_neural_sparse.index.bulk.actions import delete_action
from opensearch_neural_sparse.index.bulk.report import BulkReport
from opensearch_neural_sparse.index.index_info import IndexInfo
from opensearch_neural_sparse.ingestion.journal import LoadTarget
from opensearch_neural_sparse.ingestion.load import Load
from opensearch_neural_sparse.ingestion.report import LoadReport
from opensearch_neural_sparse.ingestion.run import LoadRun, Progress
from opensearch_neural_sparse.search.options.query_text import check_options
from opensearch_neural_sparse.store.context import StoreContext
from opensearch_neural_sparse.store.operations.documents import send_actions, send_documents
from opensearch_neural_sparse.store.operations.lifecycle import open_to_write
from opensearch_neural_sparse.store.steps import Compute, Steps
from opensearch_neural_sparse.store.write_options import WriteOptions


def ingest(context: StoreContext, load: Load, options: WriteOptions, progress: Progress | None) -> Steps[LoadReport]:
    """Write the rows of a load that the index does not hold, and return the report."""
    check_options(load, Load, "load")
    info = yield from open_to_write(context)
    target = target_of(context.index, load, info)
    run = LoadRun(load, target, progress, rows_at_once=options.batch_size, routing=options.routing)
    yield Compute(run.begin)
    try:
        written = yield from _write(context, info, run, options)
        for gone in run.gone():
            actions = [delete_action(name, routing=routing) for name, routing in gone]
            report = yield from send_actions(context, info, actions, replace(options, pipeline=None))
            run.forget(gone, deleted=report.written)
        return run.report(written)
    finally:
        run.close()


def target_of(index: str, load: Load, info: IndexInfo) -> LoadTarget:
    """Return what the journal of a load belongs to."""
    uuid = info.uuids.get(info.write_index or "") or ",".join(info.uuids.values())
    model = "" if info.binding is None else json.dumps(info.binding.to_meta(), sort_keys=True)
    return LoadTarget(source=load.source, index=index, uuid=uuid, model=model)


def _write(context: StoreContext, info: IndexInfo, run: LoadRun, options: WriteOptions) -> Steps[BulkReport]:
    documents = run.documents()
    try:
        return (yield from send_documents(context, info, documents, options, observe=run.acknowledge))
    except BulkWriteError as error:
        return error.report

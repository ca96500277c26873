"""`opensearch-neural-sparse ingest`: documents from files into an index."""

import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from opensearch_neural_sparse.cli.connection import Connection, connected
from opensearch_neural_sparse.cli.options import IndexArgument, ModelOption, usage_errors
from opensearch_neural_sparse.cli.output import JsonOption, print_json, shown_progress

if TYPE_CHECKING:
    from opensearch_neural_sparse.index.document import SparseDocument
    from opensearch_neural_sparse.index.report import BulkReport
    from opensearch_neural_sparse.ingest.rows import RefusedRow
    from opensearch_neural_sparse.store.sync import NeuralSparseStore

SHOWN_REFUSALS = 20


@connected
def ingest(
    connection: Connection,
    index: IndexArgument,
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="PATH", help="Files and folders; - is JSON lines on standard input."),
    ],
    text_field: Annotated[str, typer.Option(metavar="COLUMN", help="Column of the text, in the files.")] = "text",
    id_field: Annotated[str, typer.Option(metavar="COLUMN", help="Column of the id, in the files.")] = "id",
    model: ModelOption = None,
    batch_size: Annotated[int, typer.Option(min=1, metavar="N", help="Documents encoded together.")] = 200,
    json: JsonOption = False,
) -> None:
    """Write documents from files into an index, encoding their texts.

    Reads .jsonl and .ndjson, .csv and .tsv, .parquet, and each .txt, .md or .rst as a document of its own, its path
    being its id; all but .parquet also as .gz.

    Columns other than text and id are metadata. A document of an id that is there is replaced, one without an id gets
    a random one.
    """
    from opensearch_neural_sparse.ingest.documents import Columns, check_paths, read_documents

    with usage_errors():
        check_paths(paths)
    rows = read_documents(paths, Columns(id=id_field, text=text_field), sys.stdin.buffer)
    with connection.store(index, model=model) as store, shown_progress("Reading") as tell:
        sorting = Sorting(tell)
        report = write(store, sorting.documents(rows), batch_size)
    outcome = outcome_of(index, sorting, report)
    print_json(outcome) if json else show(outcome)
    if outcome["refused"] or not report.complete:
        raise typer.Exit(1)


@dataclass
class Sorting:
    """Documents, counted on their way to the index, and rows that are none.

    Attributes:
        tell: Is told how far it has come.
        read: How many rows there were.
        refused: Rows that are no document.
    """

    tell: Callable[[str], None]
    read: int = 0
    refused: "list[RefusedRow]" = field(default_factory=list)

    def documents(self, rows: "Iterable[SparseDocument | RefusedRow]") -> "Iterator[SparseDocument]":
        """Yield the documents among rows."""
        from opensearch_neural_sparse.ingest.rows import RefusedRow

        for row in rows:
            self.read += 1
            self.tell(f"{self.read:,} read, {len(self.refused):,} refused")
            if isinstance(row, RefusedRow):
                self.refused.append(row)
            else:
                yield row


def write(store: "NeuralSparseStore", documents: "Iterable[SparseDocument]", batch_size: int) -> "BulkReport":
    """Write documents and return what became of them, whether all were written or not."""
    from opensearch_neural_sparse.errors import BulkWriteError
    from opensearch_neural_sparse.store.options import WriteOptions

    try:
        return store.write(documents, options=WriteOptions(batch_size=batch_size))
    except BulkWriteError as error:
        return error.report


def outcome_of(index: str, sorting: Sorting, report: "BulkReport") -> dict[str, Any]:
    """Return what became of all rows, as JSON values."""
    refused = [{"where": row.place, "reason": row.reason} for row in sorting.refused]
    refused += [{"where": row.id, "reason": f"{row.error_type}: {row.reason}"} for row in report.failed]
    return {
        "index": index,
        "read": sorting.read,
        "written": report.written,
        "refused": refused,
        "unknown": list(report.unknown),
        "stopped": report.stopped,
    }


def show(outcome: dict[str, Any]) -> None:
    """Print what became of all rows: refusals on standard error, the count on standard output."""
    refused, unknown = outcome["refused"], outcome["unknown"]
    for row in refused[:SHOWN_REFUSALS]:
        typer.echo(f"Refused {row['where']}: {row['reason']}", err=True)
    if len(refused) > SHOWN_REFUSALS:
        typer.echo(f"... and {len(refused) - SHOWN_REFUSALS} more; --json names them all.", err=True)
    if unknown:
        typer.echo(f"{len(unknown)} were sent without an answer; ingesting rows with ids again is safe.", err=True)
    if outcome["stopped"]:
        typer.echo(f"Stopped early: {outcome['stopped']}", err=True)
    typer.echo(f"{outcome['written']} of {outcome['read']} documents written to {outcome['index']}.")

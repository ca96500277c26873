"""`opensearch-neural-sparse ingest`: indexing of documents from files."""

import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from opensearch_neural_sparse.cli.connection import Connection, connected
from opensearch_neural_sparse.cli.options import IndexArgument, ModelOption, usage_errors
from opensearch_neural_sparse.cli.output import JsonOption, print_json, shown_progress

if TYPE_CHECKING:
    from opensearch_neural_sparse.index.bulk.report import BulkReport
    from opensearch_neural_sparse.index.documents.document import SparseDocument
    from opensearch_neural_sparse.ingestion.source_rows import RefusedRow
    from opensearch_neural_sparse.readers.documents import Columns
    from opensearch_neural_sparse.store._sync.store import NeuralSparseStore

SHOWN_REFUSALS = 20
SHOWN_IDS = 5


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
    types: Annotated[
        list[str] | None,
        typer.Option(
            "--type",
            metavar="COLUMN=TYPE",
            help="What the texts of a column stand for: integer, number, boolean or date; may be repeated.",
            show_default="text",
        ),
    ] = None,
    model: ModelOption = None,
    batch_size: Annotated[int, typer.Option(min=1, metavar="N", help="Documents encoded together.")] = 200,
    json: JsonOption = False,
) -> None:
    """Write documents from files into an index, encoding their texts.

    Reads .jsonl and .ndjson, .csv and .tsv, .parquet, and each .txt, .md or .rst as a document of its own, its path
    being its id; all but .parquet also as .gz.

    Columns other than text and id are metadata; the cells of .csv and .tsv are texts unless --type says else. A
    document of an id that is there is replaced, one without an id gets
    a random one.
    """
    from opensearch_neural_sparse.readers.documents import Columns, check_paths, read_documents, skipped_files

    with usage_errors():
        check_paths(paths)
    with usage_errors("--type"):
        columns = Columns(id=id_field, text=text_field, types=read_types(types or []))
    rows = read_documents(paths, columns, sys.stdin.buffer)
    with connection.store(index, model=model) as store, shown_progress("Reading") as progress:
        sorting = Sorting(progress, unseen=set(columns.types))
        report = write(store, sorting.documents(rows), batch_size)
    outcome = outcome_of(index, sorting, report, skipped_files(paths))
    warn(columns, sorting)
    print_json(outcome) if json else show(outcome)
    if outcome["refused"] or not report.complete:
        raise typer.Exit(1)


def read_types(rows: list[str]) -> dict[str, str]:
    """Parse column types.

    Raises:
        ValueError: A row has no `=`.
    """
    for row in rows:
        if "=" not in row:
            raise ValueError(f"It is COLUMN=TYPE, such as year=integer; got {row!r}.")
    return {column: kind for column, _, kind in (row.rpartition("=") for row in rows)}


@dataclass
class Sorting:
    """Counts documents on their way to the index, and collects refused rows.

    Attributes:
        progress: Called with the progress as text.
        unseen: Requested columns that no document has had so far.
        read: How many rows there were.
        named: How many documents had an id.
        refused: Rows that are no document.
    """

    progress: Callable[[str], None]
    unseen: set[str] = field(default_factory=set)
    read: int = 0
    named: int = 0
    refused: "list[RefusedRow]" = field(default_factory=list)

    def documents(self, rows: "Iterable[SparseDocument | RefusedRow]") -> "Iterator[SparseDocument]":
        """Yield the documents among rows."""
        from opensearch_neural_sparse.ingestion.source_rows import RefusedRow

        for row in rows:
            self.read += row.rows if isinstance(row, RefusedRow) else 1
            self.progress(f"{self.read:,} read, {len(self.refused):,} refused")
            if isinstance(row, RefusedRow):
                self.refused.append(row)
                continue
            self.named += row.id is not None
            if self.unseen:
                self.unseen -= row.metadata.keys()
            yield row


def warn(columns: "Columns", sorting: Sorting) -> None:
    """Warn on standard error of requested columns that no row has."""
    documents = sorting.read - sum(row.rows for row in sorting.refused)
    if documents and not sorting.named and columns.id != "id":
        typer.echo(f"Warning: No row has column {columns.id!r}: each document got a random id.", err=True)
    for column in sorted(sorting.unseen) if documents else ():
        typer.echo(f"Warning: No row has column {column!r}, which --type names.", err=True)


def write(store: "NeuralSparseStore", documents: "Iterable[SparseDocument]", batch_size: int) -> "BulkReport":
    """Write documents and return the report, complete or not."""
    from opensearch_neural_sparse.errors import BulkWriteError, MissingVectorWarning
    from opensearch_neural_sparse.store.write_options import WriteOptions

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MissingVectorWarning)  # the last line says it
        try:
            return store.write(documents, options=WriteOptions(batch_size=batch_size))
        except BulkWriteError as error:
            return error.report


def outcome_of(index: str, sorting: Sorting, report: "BulkReport", skipped: int) -> dict[str, Any]:
    """Return the outcome of all rows, as JSON values."""
    refused: list[dict[str, Any]] = [
        {"where": row.place, "reason": row.reason, "rows": row.rows} for row in sorting.refused
    ]
    refused += [{"where": row.id, "reason": f"{row.error_type}: {row.reason}", "rows": 1} for row in report.failed]
    return {
        "index": index,
        "read": sorting.read,
        "written": report.written,
        "refused": refused,
        "skipped": skipped,
        "unknown": list(report.unknown),
        "stopped": report.stopped,
        "without_vector": {name: list(ids) for name, ids in report.without_vector.items()},
    }


def show(outcome: dict[str, Any]) -> None:
    """Print the outcome of all rows: refusals on standard error, the counts on standard output."""
    from opensearch_neural_sparse.error_reasons import first_of

    refused, unknown = outcome["refused"], outcome["unknown"]
    for row in refused[:SHOWN_REFUSALS]:
        typer.echo(f"Refused {row['where']}: {row['reason']}", err=True)
    if len(refused) > SHOWN_REFUSALS:
        typer.echo(f"... and {len(refused) - SHOWN_REFUSALS} more; --json names them all.", err=True)
    if unknown:
        typer.echo(f"{len(unknown)} were sent without an answer. Ingesting rows with ids again is safe.", err=True)
    if outcome["stopped"]:
        typer.echo(f"Stopped early: {outcome['stopped']}", err=True)
    others = f" Files of other formats skipped: {outcome['skipped']}." if outcome["skipped"] else ""
    lacking = "".join(
        f" Without a vector in {name}: {first_of(ids, SHOWN_IDS)}." for name, ids in outcome["without_vector"].items()
    )
    typer.echo(f"{outcome['written']} of {outcome['read']} documents written to {outcome['index']}.{others}{lacking}")

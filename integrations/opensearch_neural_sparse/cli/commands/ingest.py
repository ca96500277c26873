"""`opensearch-neural-sparse ingest` and `ingest-status`: indexing of documents from files."""

import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer

from opensearch_neural_sparse.cli.connection import Connection, connected
from opensearch_neural_sparse.cli.options import IndexArgument, ModelOption, usage_errors
from opensearch_neural_sparse.cli.output import JsonOption, print_columns, print_json, shown_counts

if TYPE_CHECKING:
    from opensearch_neural_sparse.ingestion.dead_letters import DeadLetter
    from opensearch_neural_sparse.ingestion.load import Load
    from opensearch_neural_sparse.ingestion.report import LoadProgress, LoadReport
    from opensearch_neural_sparse.ingestion.source_rows import RefusedRow, SourceRow
    from opensearch_neural_sparse.readers.documents import Columns
    from opensearch_neural_sparse.store._sync.store import NeuralSparseStore

SHOWN_REFUSALS = 20
SHOWN_IDS = 5
JOURNAL_PANEL = "Journal and failures"


@connected
def ingest(
    connection: Connection,
    index: IndexArgument,
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="PATH", help="Files and folders; - is JSON lines on standard input."),
    ] = None,
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
    journal: Annotated[
        Path | None,
        typer.Option(
            "--journal",
            metavar="FILE",
            help="Record what is written, and skip it when the command is repeated.",
            rich_help_panel=JOURNAL_PANEL,
        ),
    ] = None,
    restart: Annotated[
        bool, typer.Option("--restart", help="Drop the journal's record first.", rich_help_panel=JOURNAL_PANEL)
    ] = False,
    sync: Annotated[
        bool,
        typer.Option("--sync", help="Delete documents of rows that are gone.", rich_help_panel=JOURNAL_PANEL),
    ] = False,
    dead_letters: Annotated[
        Path | None,
        typer.Option(
            "--dead-letters",
            metavar="FILE",
            help="Write rows that fail to a file, as JSON lines.",
            rich_help_panel=JOURNAL_PANEL,
        ),
    ] = None,
    keep_rows: Annotated[
        bool,
        typer.Option("--keep-rows", help="Put the documents into that file, too.", rich_help_panel=JOURNAL_PANEL),
    ] = False,
    max_errors: Annotated[
        int | None,
        typer.Option(min=0, metavar="N", help="Stop when more rows than this fail.", rich_help_panel=JOURNAL_PANEL),
    ] = None,
    retry_failed: Annotated[
        Path | None,
        typer.Option(
            "--retry-failed",
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="Load only the rows of a file of dead letters.",
            rich_help_panel=JOURNAL_PANEL,
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Write documents from files into an index, encoding their texts.

    Reads .jsonl and .ndjson, .csv and .tsv, .parquet, and each .txt, .md or .rst as a document of its own, its path
    being its id; all but .parquet also as .gz.

    Columns other than text and id are metadata; the cells of .csv and .tsv are texts unless --type says else. A
    document of an id that is there is replaced, one without an id gets
    a random one, or with --journal one by its place.
    """
    from opensearch_neural_sparse.ingestion.load import Load
    from opensearch_neural_sparse.readers.documents import Columns, check_paths, read_source, skipped_files

    files = paths or []
    with usage_errors():
        check_paths(files)
    with usage_errors("--type"):
        columns = Columns(id=id_field, text=text_field, types=read_types(types or []))
    with usage_errors("--retry-failed"):
        kept, only = chosen_rows(retry_failed, files)
    rows = kept or read_source(files, columns, sys.stdin.buffer)
    seen_columns = SeenColumns(unseen=set(columns.types))
    with TemporaryDirectory() as folder, connection.store(index, model=model) as store:
        with usage_errors():
            load = Load(
                seen_columns.counted(rows),
                source=", ".join(map(str, files)),
                journal=journal,
                restart=restart,
                sync=sync,
                dead_letters=dead_letters or Path(folder, "failed.jsonl"),
                keep_rows=keep_rows,
                max_errors=max_errors,
                only=only,
            )
        with shown_counts() as progress:
            report = write(store, load, batch_size, progress)
        outcome = outcome_of(index, report, letters_of(load), skipped_files(files))
    warn(columns, seen_columns)
    print_json(outcome) if json else show(outcome)
    if not report.complete:
        raise typer.Exit(1)


def status(
    journal: Annotated[Path, typer.Argument(metavar="FILE", help="File of a journal.")], json: JsonOption = False
) -> None:
    """Show what a journal of `ingest` holds: its source and index, and how far its last run came."""
    from opensearch_neural_sparse.ingestion.sqlite_journal import SqliteJournal

    found = asdict(SqliteJournal(journal).status())
    target = found.pop("target") or {}
    shown = {"source": target.get("source"), "index": target.get("index"), **found}
    print_json(shown) if json else print_columns((name, str(value)) for name, value in shown.items())


def read_types(rows: list[str]) -> dict[str, str]:
    """Parse column types.

    Raises:
        ValueError: A row has no `=`.
    """
    for row in rows:
        if "=" not in row:
            raise ValueError(f"It is COLUMN=TYPE, such as year=integer; got {row!r}.")
    return {column: kind for column, _, kind in (row.rpartition("=") for row in rows)}


def chosen_rows(failed: Path | None, paths: list[Path]) -> "tuple[list[SourceRow | RefusedRow], frozenset[str] | None]":
    """Return the rows that a file of dead letters holds, and the places of those that files hold.

    Args:
        failed: The file, or None, which chooses all rows of the files.
        paths: The files.

    Raises:
        ValueError: Neither files nor rows.
    """
    from opensearch_neural_sparse.ingestion.dead_letters import read_dead_letters, row_of

    if failed is None:
        if not paths:
            raise ValueError("Name the files to load: PATH.")
        return [], None
    letters = list(read_dead_letters(failed))
    if paths:
        return [], frozenset(letter.place for letter in letters)
    if missing := sum(letter.row is None for letter in letters):
        raise ValueError(
            f"{failed} holds {missing} rows by their places alone. Name their files, or keep rows by --keep-rows."
        )
    return list(map(row_of, letters)), None


@dataclass
class SeenColumns:
    """Counts documents on their way to the index.

    Attributes:
        unseen: Requested columns that no document has had so far.
        documents: How many documents there were.
        named: How many of them had an id.
    """

    unseen: set[str] = field(default_factory=set)
    documents: int = 0
    named: int = 0

    def counted(self, rows: "Iterable[SourceRow | RefusedRow]") -> "Iterator[SourceRow | RefusedRow]":
        """Yield rows."""
        from opensearch_neural_sparse.ingestion.source_rows import SourceRow

        for row in rows:
            if isinstance(row, SourceRow):
                self.documents += 1
                self.named += row.document.id is not None
                if self.unseen:
                    self.unseen -= row.document.metadata.keys()
            yield row


def warn(columns: "Columns", seen_columns: SeenColumns) -> None:
    """Warn on standard error of requested columns that no row has."""
    if seen_columns.documents and not seen_columns.named and columns.id != "id":
        typer.echo(f"Warning: No row has column {columns.id!r}: each document got a random id.", err=True)
    for column in sorted(seen_columns.unseen) if seen_columns.documents else ():
        typer.echo(f"Warning: No row has column {column!r}, which --type names.", err=True)


def write(
    store: "NeuralSparseStore", load: "Load", batch_size: int, progress: "Callable[[LoadProgress], None]"
) -> "LoadReport":
    """Write documents and return the report, complete or not."""
    from opensearch_neural_sparse.errors import MissingVectorWarning
    from opensearch_neural_sparse.store.write_options import WriteOptions

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MissingVectorWarning)  # the last line says it
        return store.ingest(load, options=WriteOptions(batch_size=batch_size), progress=progress)


def letters_of(load: "Load") -> "list[DeadLetter]":
    """Return all dead letters of a load."""
    from opensearch_neural_sparse.ingestion.dead_letters import read_dead_letters

    path = Path(load.dead_letters or "")
    return list(read_dead_letters(path)) if path.is_file() else []


def outcome_of(index: str, report: "LoadReport", letters: "list[DeadLetter]", skipped: int) -> dict[str, Any]:
    """Return the outcome of all rows, as JSON values."""
    return {
        "index": index,
        "read": report.read,
        "written": report.written,
        "unchanged": report.unchanged,
        "deleted": report.deleted,
        "left": report.left,
        "refused": [
            {"where": letter.place, "id": letter.id, "reason": letter.reason, "rows": letter.rows} for letter in letters
        ],
        "skipped": skipped,
        "unknown": list(report.unknown),
        "stopped": report.stopped,
        "not_deleted": report.not_deleted,
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
    if outcome["not_deleted"]:
        typer.echo(outcome["not_deleted"], err=True)
    counts = [(outcome["unchanged"], "unchanged"), (sum(row["rows"] for row in refused), "refused")]
    counts += [(outcome["left"], "left"), (outcome["deleted"], "deleted")]
    further = "".join(f", {number} {name}" for number, name in counts if number)
    others = f" Files of other formats skipped: {outcome['skipped']}." if outcome["skipped"] else ""
    lacking = "".join(
        f" Without a vector in {name}: {first_of(ids, SHOWN_IDS)}." for name, ids in outcome["without_vector"].items()
    )
    written, read, index = outcome["written"], outcome["read"], outcome["index"]
    typer.echo(f"{written} of {read} documents written to {index}{further}.{others}{lacking}")

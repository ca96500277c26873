"""`opensearch-neural-sparse ingest` and `ingest-status`: indexing of documents from files."""

import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Sized
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer

from opensearch_neural_sparse.cli.connection import Connection, connected
from opensearch_neural_sparse.cli.load_progress import shown_load
from opensearch_neural_sparse.cli.options import (
    EncoderUrlOption,
    IndexArgument,
    ModelsOption,
    WorkersOption,
    encoder_options,
    usage_errors,
)
from opensearch_neural_sparse.cli.output import JsonOption, print_columns, print_json
from opensearch_neural_sparse.cli.remedies import in_shell_words

if TYPE_CHECKING:
    from opensearch_neural_sparse.errors import NeuralSparseError
    from opensearch_neural_sparse.ingestion.dead_letters import DeadLetter
    from opensearch_neural_sparse.ingestion.journals.index_journal import IndexJournal
    from opensearch_neural_sparse.ingestion.journals.sqlite_journal import SqliteJournal
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
            help="Type of the texts of a column: integer, number, boolean or date; may be repeated.",
            show_default="text",
        ),
    ] = None,
    max_row_bytes: Annotated[
        int, typer.Option(min=1, metavar="N", help="Refuse rows that are longer than this when unpacked.")
    ] = 64 * 1024 * 1024,
    models: ModelsOption = None,
    batch_size: Annotated[int, typer.Option(min=1, metavar="N", help="Documents encoded together.")] = 200,
    workers: WorkersOption = None,
    encoder_url: EncoderUrlOption = None,
    journal: Annotated[
        Path | None,
        typer.Option(
            "--journal",
            metavar="FILE",
            help="Record written rows, and skip them when the command is repeated.",
            rich_help_panel=JOURNAL_PANEL,
        ),
    ] = None,
    journal_index: Annotated[
        str | None,
        typer.Option(
            "--journal-index",
            metavar="NAME",
            help="Record written rows in an index of the server instead of a file.",
            rich_help_panel=JOURNAL_PANEL,
        ),
    ] = None,
    restart: Annotated[
        bool, typer.Option("--restart", help="Drop the journal's records first.", rich_help_panel=JOURNAL_PANEL)
    ] = False,
    sync: Annotated[
        bool,
        typer.Option(
            "--sync", help="Delete documents of rows that are gone from the files.", rich_help_panel=JOURNAL_PANEL
        ),
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

    Reads .jsonl and .ndjson, .csv and .tsv, and .parquet. Each .txt, .md or .rst is one document, with its path as its
    id. All but .parquet may also end in .gz.

    Columns other than text and id are metadata; the cells of .csv and .tsv are texts unless --type sets a type. A
    document with an existing id replaces the stored one. A document without an id gets a random one, or with
    --journal one from its place.
    """
    from opensearch_neural_sparse.ingestion.load import Load
    from opensearch_neural_sparse.readers.documents import Columns, check_paths, read_source, skipped_files

    files = paths or []
    with usage_errors():
        check_paths(files)
    with usage_errors("--type"):
        columns = Columns(id=id_field, text=text_field, types=read_types(types or []))
    with usage_errors("--journal-index"):
        recorded = chosen_journal(connection, journal, journal_index)
    with usage_errors("--retry-failed"):
        kept, only = chosen_rows(retry_failed, files)
    rows = kept or read_source(files, columns, sys.stdin.buffer, longest=max_row_bytes)
    seen_columns = SeenColumns(unseen=set(columns.types))
    with (
        TemporaryDirectory() as folder,
        connection.store(
            index, models=models or (), encoder_options=encoder_options(encoder_url, workers=workers)
        ) as store,
    ):
        with usage_errors():
            load = Load(
                seen_columns.counted(rows),
                source=", ".join(map(str, files)),
                journal=recorded,
                restart=restart,
                sync=sync,
                dead_letters=dead_letters or Path(folder, "failed.jsonl"),
                keep_rows=keep_rows,
                max_errors=max_errors,
                only=only,
            )
        with shown_load(lambda: rows_to_load(kept, files, only)) as progress:
            report = write(store, load, batch_size, progress)
        outcome = outcome_of(index, report, letters_of(load), skipped_files(files))
    warn(columns, seen_columns)
    print_json(outcome) if json else show(outcome)
    if not report.complete:
        raise typer.Exit(1)


@connected
def status(
    connection: Connection,
    journal: Annotated[Path | None, typer.Argument(metavar="FILE", help="File of a journal.")] = None,
    journal_index: Annotated[
        str | None, typer.Option("--journal-index", metavar="NAME", help="Index of a journal, instead of a file.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Show a journal of `ingest`: its source and index, and the progress of its last run."""
    with usage_errors("--journal-index"):
        chosen = chosen_journal(connection, journal, journal_index)
        if chosen is None:
            raise ValueError("Name a journal: FILE, or --journal-index NAME.")
    found = asdict(chosen.status())
    target = found.pop("target") or {}
    shown = {"source": target.get("source"), "index": target.get("index"), **found}
    print_json(shown) if json else print_columns((name, str(value)) for name, value in shown.items())


def chosen_journal(
    connection: Connection, path: Path | None, index: str | None
) -> "SqliteJournal | IndexJournal | None":
    """Return the journal of a file or an index.

    Raises:
        ValueError: Both are named.
    """
    from opensearch_neural_sparse.ingestion.journals.index_journal import IndexJournal
    from opensearch_neural_sparse.ingestion.journals.sqlite_journal import SqliteJournal

    if path is not None and index is not None:
        raise ValueError(f"A journal is the file {path} or the index {index}; name one of them.")
    if index is not None:
        return IndexJournal(index, url=connection.url, client_options=connection.options())
    return None if path is None else SqliteJournal(path)


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


def rows_to_load(kept: Sized, paths: list[Path], only: frozenset[str] | None) -> int | None:
    """Return the number of rows that are loaded, or None where it is not known."""
    from opensearch_neural_sparse.readers.row_counts import row_count

    if only is not None:  # some of its places may be whole files
        return None
    return len(kept) if kept else row_count(paths)


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
    """Write documents and return the report, complete or not.

    Raises:
        NeuralSparseError: An error before any row was written, unchanged or refused.
    """
    from opensearch_neural_sparse.errors import MissingVectorWarning, NeuralSparseError
    from opensearch_neural_sparse.store.write_options import WriteOptions

    last: LoadProgress | None = None

    def note(news: "LoadProgress") -> None:
        nonlocal last
        last = news
        progress(news)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MissingVectorWarning)  # the last line says it
        try:
            return store.ingest(load, options=WriteOptions(batch_size=batch_size), progress=note)
        except NeuralSparseError as error:
            if last is None:
                raise
            return broken_off(load, last, error)


def broken_off(load: "Load", progress: "LoadProgress", error: "NeuralSparseError") -> "LoadReport":
    """Return the report of a load that an error ended, such as that of an encoder that is gone.

    Args:
        load: The load.
        progress: The counts at its end.
        error: The error.
    """
    from opensearch_neural_sparse.ingestion.report import LoadReport
    from opensearch_neural_sparse.ingestion.run import reason_to_keep

    kept = reason_to_keep(ended_early=True, unread=0) if load.sync else None
    stopped = in_shell_words(error)
    return LoadReport(**asdict(progress), left=progress.under_way, stopped=stopped, not_deleted=kept)


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

"""Output of the commands: JSON for programs, columns for people, progress on standard error."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

if TYPE_CHECKING:
    from opensearch_neural_sparse.ingestion.report import LoadProgress

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


def print_json(value: Mapping[str, Any]) -> None:
    """Print a JSON object."""
    typer.echo(json.dumps(value, indent=2))


def print_columns(rows: Iterable[Sequence[object]]) -> None:
    """Print rows of equal length, their columns aligned; None is a dash."""
    cells = [["-" if cell is None else str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        typer.echo("  ".join(map(str.ljust, row, widths)).rstrip())


@contextmanager
def shown_progress(text: str) -> Iterator[Callable[[str], None]]:
    """Show a progress text on a terminal; the caller updates it."""
    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(text, total=None)
        yield lambda news: progress.update(task, description=news)


@contextmanager
def shown_bar() -> Iterator[Callable[[str, int, int], None]]:
    """Show a progress bar on a terminal, with the remaining time."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("reading", total=None)

        def show(what: str, done: int, total: int) -> None:
            nonlocal task
            if bar.tasks[-1].description != what:  # another task, so that the time of one is not that of the next
                bar.remove_task(task)
                task = bar.add_task(what, total=total)
            bar.update(task, completed=done, total=total)

        yield show


LINE_EVERY = 30.0
"""Seconds between lines of progress where there is no terminal."""


@contextmanager
def shown_counts() -> "Iterator[Callable[[LoadProgress], None]]":
    """Show the counts of a load: on a terminal as they change, elsewhere by a line now and then."""
    console = Console(stderr=True)
    last = 0.0

    with shown_progress("Reading") as update:

        def show(news: "LoadProgress") -> None:
            nonlocal last
            text = counts_text(news)
            update(text)
            if not console.is_terminal and news.seconds - last >= LINE_EVERY:
                last = news.seconds
                typer.echo(text, err=True)

        yield show


def counts_text(news: "LoadProgress") -> str:
    """Return the counts of a load in one line."""
    rate = news.written / news.seconds if news.seconds else 0.0
    return (
        f"{news.read:,} read, {news.written:,} written ({rate:,.0f}/s), {news.unchanged:,} unchanged, "
        f"{news.refused:,} refused"
    )

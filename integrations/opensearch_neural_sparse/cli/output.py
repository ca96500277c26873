"""Output of the commands: JSON for programs, columns for people, progress on standard error."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural unless it is one.

    Args:
        number: The number.
        noun: The noun, whose plural ends in s.
    """
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


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
def on_terminal(*columns: ProgressColumn) -> Iterator[Progress]:
    """Show progress on a terminal; elsewhere nothing is written, nor is the blank line of rich before 15."""
    console = Console(stderr=True)
    progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    shown: AbstractContextManager[object] = progress if console.is_terminal else nullcontext()
    with shown:
        yield progress


@contextmanager
def shown_progress(text: str) -> Iterator[Callable[[str], None]]:
    """Show a progress text on a terminal; the caller updates it."""
    with on_terminal(SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()) as progress:
        task = progress.add_task(text, total=None)
        yield lambda news: progress.update(task, description=news)


@contextmanager
def shown_bar() -> Iterator[Callable[[str, int, int], None]]:
    """Show a progress bar on a terminal, with the remaining time."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with on_terminal(*columns) as bar:
        task = bar.add_task("reading", total=None)

        def show(what: str, done: int, total: int) -> None:
            nonlocal task
            if bar.tasks[-1].description != what:  # another task, so that the time of one is not that of the next
                bar.remove_task(task)
                task = bar.add_task(what, total=total)
            bar.update(task, completed=done, total=total)

        yield show

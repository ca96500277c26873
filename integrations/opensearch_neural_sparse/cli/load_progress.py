"""Progress of a load: a bar and counts on a terminal, elsewhere a line every so often, always on standard error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer
from rich.console import Console, Group
from rich.live import Live
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
from rich.text import Text

if TYPE_CHECKING:
    from opensearch_neural_sparse.ingestion.report import LoadProgress

LINE_EVERY = 30.0
"""Seconds between lines of progress where there is no terminal."""
Show = Callable[["LoadProgress"], None]


@contextmanager
def shown_load(
    count_rows: Callable[[], int | None], *, console: Console | None = None, every: float = LINE_EVERY
) -> Iterator[Show]:
    """Show the progress of a load; yields what is called with it.

    Args:
        count_rows: Returns the number of rows where it is known, for a bar and the remaining time. It is called on
            terminals alone.
        console: Where to show it; by default on standard error.
        every: Seconds between lines where the console is no terminal.
    """
    console = Console(stderr=True) if console is None else console
    if not console.is_terminal:
        yield _lines(every)
        return
    total = count_rows()
    bar, counts = Progress(*_columns(total), console=console), Text("")
    task = bar.add_task("Loading", total=total)
    with Live(Group(bar, counts), console=console, transient=True):

        def show(news: LoadProgress) -> None:
            counts.plain = counts_text(news)
            bar.update(task, completed=news.done)

        yield show


def counts_text(news: LoadProgress) -> str:
    """Return the counts of a load in one line."""
    written = f"{news.written:,} written ({news.written_per_second:,.0f}/s)"
    others = f"{news.unchanged:,} unchanged, {news.refused:,} refused, {news.under_way:,} under way"
    return f"{news.read:,} read, {written}, {others}"


def _columns(total: int | None) -> tuple[ProgressColumn, ...]:
    if total is None:
        return SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
    return (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("remaining"),
        TimeRemainingColumn(),
    )


def _lines(every: float) -> Show:
    last = 0.0

    def show(news: LoadProgress) -> None:
        nonlocal last
        if news.seconds - last >= every:
            last = news.seconds
            typer.echo(counts_text(news), err=True)

    return show

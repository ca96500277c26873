"""Progress of the start of a local server, on standard error: bars on a terminal, elsewhere a line for each phase."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer
from rich import progress as rich_progress
from rich.console import Console
from rich.text import Text

from opensearch_neural_sparse.devserver.progress import Progress, Step

Show = Callable[[Progress], None]
WORDS = {Step.DOWNLOAD: "Downloading", Step.ASSEMBLE: "Assembling", Step.START: "Starting"}
MEGABYTE = 1_000_000


@contextmanager
def shown_start(console: Console | None = None) -> Iterator[Show]:
    """Show the progress of a start; yields what is called with it. Nothing is shown where nothing had to be started.

    Args:
        console: Where to show it; by default on standard error.
    """
    console = Console(stderr=True) if console is None else console
    if console.is_terminal:
        columns = (rich_progress.TextColumn("{task.description}"), rich_progress.BarColumn(), _Amount())
        with rich_progress.Progress(*columns, console=console, transient=True) as bars:
            yield _Bars(bars)
        return
    lines, begin = _Lines(), time.monotonic()
    yield lines
    if lines.last is not None:
        typer.echo(f"Ready after {time.monotonic() - begin:.0f} s.", err=True)


def phase_of(progress: Progress) -> str:
    """Return the phase of a start in words.

    Args:
        progress: Its progress.
    """
    return f"{WORDS[progress.step]} {progress.subject or f'OpenSearch {progress.version}'}"


class _Lines:
    """One line for each phase, as it begins."""

    def __init__(self) -> None:
        self.last: str | None = None

    def __call__(self, progress: Progress) -> None:
        phase = phase_of(progress)
        if phase != self.last:
            self.last = phase
            size = f" ({_megabytes(progress.total)} MB)" if progress.total else ""
            typer.echo(f"{phase}{size} ...", err=True)


class _Bars:
    """One bar for each phase, which is full as soon as the next one begins.

    Args:
        bars: Where they are shown.
    """

    def __init__(self, bars: rich_progress.Progress) -> None:
        self._bars = bars

    def __call__(self, progress: Progress) -> None:
        phase, total = phase_of(progress), progress.total or None
        last = self._bars.tasks[-1] if self._bars.tasks else None
        if last is None or last.description != phase:
            if last is not None:
                whole = last.total or 1
                self._bars.update(last.id, total=whole, completed=whole)
            self._bars.add_task(phase, total=total, counted=total is not None)
        self._bars.update(self._bars.tasks[-1].id, completed=progress.done, total=total)


class _Amount(rich_progress.ProgressColumn):
    """Percentage and size of a download, or the time that another phase has taken."""

    def render(self, task: rich_progress.Task) -> Text:
        """Return the amount.

        Args:
            task: The task of a phase.
        """
        if task.total is None or not task.fields["counted"]:
            return Text(f"{task.elapsed or 0:.0f} s")
        sizes = f"{_megabytes(task.completed)} of {_megabytes(task.total)} MB"
        return Text(f"{task.percentage:.0f} %, {sizes}")


def _megabytes(size: float) -> str:
    return f"{size / MEGABYTE:.0f}" if size >= MEGABYTE else f"{size / MEGABYTE:.1f}"

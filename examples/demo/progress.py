"""Progress bars for getting a server and for encoding."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from time import perf_counter

from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from examples.demo.show import console, say
from opensearch_neural_sparse.devserver import DevServer, Step
from opensearch_neural_sparse.devserver import Progress as ServerProgress


def bar() -> Progress:
    """Return a progress bar on the demo's console."""
    columns = (
        TextColumn("    {task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=console, transient=True)


class _ServerSteps:
    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[Step, TaskID] = {}

    def __call__(self, report: ServerProgress) -> None:
        task = self._tasks.get(report.step)
        if task is None:
            task = self._tasks[report.step] = self._progress.add_task(
                f"{report.step.value} OpenSearch {report.version}"
            )
        self._progress.update(task, total=report.total or None, completed=report.done)


@contextmanager
def running_server(*, keep: bool) -> Iterator[DevServer]:
    """Have an OpenSearch for the length of a block, or for longer if it is to be kept."""
    say("Getting an OpenSearch: the one of OPENSEARCH_URL, else one of this project's own")
    began = perf_counter()
    with ExitStack() as stack:
        with bar() as progress:
            steps = _ServerSteps(progress)
            if keep:
                server = DevServer.start(on_progress=steps)
            else:
                server = stack.enter_context(DevServer.running(on_progress=steps))
        say(f"OpenSearch {server.version} at {server.address}, {perf_counter() - began:.1f} s")
        yield server
    if not keep:
        say("Stopped the server." if server.home else "Left the server of OPENSEARCH_URL running.")

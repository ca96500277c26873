"""The command line: `opensearch-neural-sparse`."""

import importlib.util
import logging
import signal
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from opensearch_neural_sparse.cli.remedies import PROGRAM as PROGRAM
from opensearch_neural_sparse.cli.remedies import in_shell_words, shell_words
from opensearch_neural_sparse.errors import MissingDependencyError, NeuralSparseError

NEEDED_MODULES = ("typer", "rich")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; the exit status is 1 after an error and 2 after wrong usage.

    Args:
        arguments: What follows the program's name; by default the arguments of this process.
    """
    leave_in_order()
    try:
        ensure_installed()
        from opensearch_neural_sparse.cli.app import run

        with warnings.catch_warnings(), shown_log():
            warnings.showwarning = show_warning
            sys.exit(run(sys.argv[1:] if arguments is None else arguments))
    except (NeuralSparseError, OSError) as error:
        fail(in_shell_words(error))


def fail(message: str) -> None:
    """Print an error and end the process."""
    sys.stderr.write(f"Error: {message}\n")
    sys.exit(1)


def leave_in_order() -> None:
    """Unwind on termination signals as on Ctrl-C, so that temporary resources are removed."""
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, lambda received, _: sys.exit(128 + received))


def show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    """Print a warning as one line."""
    sys.stderr.write(f"Warning: {shell_words(str(message))}\n")


class LogLine(logging.Formatter):
    """A line of the log, which looks like a warning."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record.

        Args:
            record: The record.
        """
        return f"Warning: {shell_words(super().format(record))}"


@contextmanager
def shown_log() -> Iterator[None]:
    """Show warnings of the log where a command has set up no log of its own."""
    before, handler = logging.lastResort, logging.StreamHandler()
    handler.setLevel(logging.WARNING)
    handler.setFormatter(LogLine())
    logging.lastResort = handler
    try:
        yield
    finally:
        logging.lastResort = before


def ensure_installed() -> None:
    """Check that the modules of the command line are installed.

    Raises:
        MissingDependencyError: One is not.
    """
    for module in NEEDED_MODULES:
        if importlib.util.find_spec(module) is None:
            raise MissingDependencyError(module, "cli", "The command line")

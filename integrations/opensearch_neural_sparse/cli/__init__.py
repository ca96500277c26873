"""The command line: `opensearch-neural-sparse`."""

import importlib.util
import signal
import sys
import warnings
from collections.abc import Sequence
from typing import Any

from opensearch_neural_sparse.errors import MissingDependencyError, NeuralSparseError

PROGRAM = "opensearch-neural-sparse"
NEEDED_MODULES = ("typer", "rich")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line. An error of this package is one message and exit status 1, without a traceback.

    Args:
        arguments: What follows the program's name; by default the arguments of this process.
    """
    leave_in_order()
    try:
        ensure_installed()
        from opensearch_neural_sparse.cli.app import app

        with warnings.catch_warnings():
            warnings.showwarning = show_warning
            app(args=None if arguments is None else list(arguments), prog_name=PROGRAM)
    except NeuralSparseError as error:
        sys.stderr.write(f"Error: {error}\n")
        sys.exit(1)


def leave_in_order() -> None:
    """Let what ends a process unwind it as Ctrl-C does, so that what it made for a while is removed."""
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, lambda received, _: sys.exit(128 + received))


def show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    """Show a warning as one line, without the line of code that gave it."""
    sys.stderr.write(f"Warning: {message}\n")


def ensure_installed() -> None:
    """Check that the modules of the command line are installed.

    Raises:
        MissingDependencyError: One is not.
    """
    for module in NEEDED_MODULES:
        if importlib.util.find_spec(module) is None:
            raise MissingDependencyError(module, "cli", "The command line")

"""The command line: `opensearch-neural-sparse`."""

import importlib.util
import sys

from opensearch_neural_sparse.errors import MissingDependencyError, NeuralSparseError

NEEDED_MODULES = ("typer", "rich")


def main() -> None:
    """Run the command line. An error of this package is one message and exit status 1, without a traceback."""
    try:
        ensure_installed()
        from opensearch_neural_sparse.cli.app import app

        app()
    except NeuralSparseError as error:
        sys.stderr.write(f"Error: {error}\n")
        sys.exit(1)


def ensure_installed() -> None:
    """Check that the modules of the command line are installed.

    Raises:
        MissingDependencyError: One is not.
    """
    for module in NEEDED_MODULES:
        if importlib.util.find_spec(module) is None:
            raise MissingDependencyError(module, "cli", "The command line")

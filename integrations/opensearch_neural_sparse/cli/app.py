"""The commands, one group a module: a new group is one more line here."""

from typing import Annotated

import typer

from opensearch_neural_sparse.cli import devserver
from opensearch_neural_sparse.version import __version__

app = typer.Typer(
    name="opensearch-neural-sparse",
    help="OpenSearch neural sparse retrieval.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(devserver.app, name="devserver")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Take the options that come before a command."""

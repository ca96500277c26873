"""The commands, one group a module: a new group is one more line here."""

from typing import Annotated

import typer

from opensearch_neural_sparse.cli import bench, devserver, doctor, evaluate, indices, ingest, models, search
from opensearch_neural_sparse.version import __version__

app = typer.Typer(
    name="opensearch-neural-sparse",
    help="OpenSearch neural sparse retrieval.",
    epilog="Exit status: 0 it went well, 1 it failed or found something wrong, 2 it was called wrongly.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)
app.add_typer(models.app, name="models")
app.add_typer(indices.app, name="index")
app.command()(ingest.ingest)
app.command()(search.search)
app.command()(evaluate.evaluate)
app.command()(bench.bench)
app.command()(doctor.doctor)
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

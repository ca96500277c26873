"""Typer application with its commands, one group per module."""

import re
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from opensearch_neural_sparse.cli import PROGRAM
from opensearch_neural_sparse.cli.commands import (
    bench,
    devserver,
    doctor,
    evaluate,
    indices,
    ingest,
    models,
    search,
    server_models,
)
from opensearch_neural_sparse.cli.commands.services import mcp, serve_encoder
from opensearch_neural_sparse.version import __version__

INTERRUPTED = 130
WRONG_CALL: Any = typer.BadParameter.__mro__[1]
"""Usage errors of Typer, which brings its own click or not, by its version."""

PLAIN = {
    r": Value error, ": ": ",
    r"Input should be greater than or equal to (\S+)": r"it is \1 or more",
    r"Input should be less than or equal to (\S+)": r"it is \1 or less",
    r"Input should be greater than (\S+)": r"it is more than \1",
    r"Input should be less than (\S+)": r"it is less than \1",
    r"Input should be a valid integer\b.*": "it is a whole number",
    r"Input should be a valid number\b.*": "it is a number",
    r"Input should be": "it should be",
}
"""Words of the library that checks options -> plain ones."""

app = typer.Typer(
    name=PROGRAM,
    help="OpenSearch neural sparse retrieval.",
    epilog="Exit status: 0 success, 1 failure or a problem found, 2 wrong arguments.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)
app.add_typer(models.app, name="models")
app.add_typer(indices.app, name="index")
app.command()(ingest.ingest)
app.command("ingest-status")(ingest.status)
app.command()(search.search)
app.command()(evaluate.evaluate)
app.command()(bench.bench)
app.command()(doctor.doctor)
app.add_typer(server_models.app, name="server-model")
app.command("serve-encoder")(serve_encoder.serve_encoder)
app.command()(mcp.mcp)
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
    """Parse the options before a command."""


def usage_message(error: Any) -> str:
    """Return what is wrong with the arguments of a command, in one line that ends with a full stop.

    Args:
        error: A usage error.
    """
    message = " ".join(error.format_message().split())
    for pattern, words in PLAIN.items():
        message = re.sub(pattern, words, message)
    return message if message.endswith((".", "?", "!")) else f"{message}."


def run(arguments: Sequence[str]) -> int:
    """Run a command and return its exit status; wrong usage is reported in one line, with the help to read.

    Args:
        arguments: What follows the program's name.
    """
    try:
        status: int | None = app(args=list(arguments), prog_name=PROGRAM, standalone_mode=False)
    except WRONG_CALL as error:
        if type(error).__name__ == "NoArgsIsHelpError":  # a group alone, which shows its commands
            error.show()
        else:
            typer.echo(f"Error: {usage_message(error)} See: {error.ctx.command_path} --help", err=True)
        return int(error.exit_code)
    except typer.Abort:
        return INTERRUPTED
    return status or 0

"""`opensearch-neural-sparse mcp`: search as a tool for agents."""

import logging
import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from opensearch_neural_sparse.cli.commands.search import read_filter
from opensearch_neural_sparse.cli.connection import Connection, connected
from opensearch_neural_sparse.cli.options import complete_model, usage_errors
from opensearch_neural_sparse.cli.remedies import in_shell_words

LOG_FORMAT = "%(asctime)s %(levelname)s %(message)s"


@connected
def mcp(
    connection: Connection,
    index: Annotated[
        list[str],
        typer.Option("--index", metavar="NAME", help="Index, alias or pattern of indices to search; may be repeated."),
    ],
    filter: Annotated[  # noqa: A002
        Any,
        typer.Option(
            parser=read_filter,
            metavar="JSON",
            help='Fence of every call, such as \'{"term": {"public": true}}\', or a list.',
        ),
    ] = None,
    size_limit: Annotated[
        int, typer.Option(min=1, max=10000, metavar="N", help="Maximum number of documents for each call.")
    ] = 50,
    models: Annotated[
        list[str] | None,
        typer.Option(
            "--model",
            metavar="MODEL",
            help="Folder of a model to which an index is bound; may be repeated.",
            show_default="found by its name in the index",
            autocompletion=complete_model,
        ),
    ] = None,
) -> None:
    """Serve searches to agents, by the Model Context Protocol over standard input and output.

    The command reads indices that carry a model's stamp, and writes nothing. Standard output carries only the
    protocol; the log goes to standard error. A client starts the command, and ends it by closing its input.
    """
    from opensearch_neural_sparse.mcp_server.access import Access
    from opensearch_neural_sparse.mcp_server.server import create_server, limits_of
    from opensearch_neural_sparse.mcp_server.stamped_indices import opened_indices
    from opensearch_neural_sparse.mcp_server.tools import SearchTools

    with usage_errors("--index"):
        access = Access(indices=index, fence=filter, size_limit=size_limit)
    make_known(models or ())
    with connection.client() as client, opened_indices(client, access) as indices:
        log_to_standard_error()
        server = create_server(SearchTools(indices, access), words=in_shell_words)
        indices.warn_of_missing()
        logging.getLogger(__name__).info("Serving searches: %s.", limits_of(access))
        with ended_by_signals():
            server.run()


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """End the process at a signal, although a thread waits for input; there is nothing to clean up."""
    names = ("SIGINT", "SIGTERM", "SIGHUP")  # Windows has no SIGHUP
    numbers = [number for name in names if (number := getattr(signal, name, None)) is not None]
    before = {number: signal.signal(number, lambda received, _: os._exit(128 + received)) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def make_known(models: Sequence[str]) -> None:
    """Register the models in folders, and check that the others are known.

    Args:
        models: Folders, names or hub ids.

    Raises:
        UnknownModelError: One is neither.
    """
    from opensearch_neural_sparse.models.registry import get_model, register_model

    for model in models:
        folder = Path(model).expanduser()
        if folder.is_dir():
            register_model(folder, name=str(folder.resolve()))
        else:
            get_model(model)


def log_to_standard_error() -> None:
    """Write the log of this package to standard error, and warnings of others."""
    logging.basicConfig(format=LOG_FORMAT, level=logging.WARNING)
    logging.getLogger("opensearch_neural_sparse").setLevel(logging.INFO)

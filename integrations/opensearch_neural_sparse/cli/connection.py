"""Connection options of the commands on an index."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from inspect import Parameter, signature
from os import environ
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from opensearchpy import OpenSearch

    from opensearch_neural_sparse.index.schema import IndexSchema
    from opensearch_neural_sparse.store._sync.store import NeuralSparseStore

DEFAULT_URL = "http://localhost:9200"
USER_VARIABLE = "OPENSEARCH_USERNAME"
PASSWORD_VARIABLE = "OPENSEARCH_PASSWORD"  # noqa: S105  its name
PANEL = "Connection"

UrlOption = Annotated[
    str, typer.Option("--url", envvar="OPENSEARCH_URL", help="Address of the server.", rich_help_panel=PANEL)
]
UserOption = Annotated[
    str | None,
    typer.Option(
        "--user",
        envvar=USER_VARIABLE,
        help=f"Its user; {PASSWORD_VARIABLE} holds the password.",
        rich_help_panel=PANEL,
    ),
]
CaCertsOption = Annotated[
    Path | None,
    typer.Option(
        "--ca-certs", exists=True, dir_okay=False, help="File of the authorities to trust.", rich_help_panel=PANEL
    ),
]
InsecureOption = Annotated[bool, typer.Option("--insecure", help="Trust any certificate.", rich_help_panel=PANEL)]


@dataclass(frozen=True, kw_only=True)
class Connection:
    """Connection options of a server.

    Attributes:
        url: Its address, perhaps with credentials.
        user: The user, or None.
        ca_certs: File of the authorities to trust, or None.
        insecure: Whether any certificate is trusted.
    """

    url: str = field(repr=False)
    user: str | None
    ca_certs: Path | None
    insecure: bool

    def options(self) -> dict[str, Any]:
        """Return the options of an OpenSearch client.

        Raises:
            BadParameter: A user without a password.
        """
        from opensearch_neural_sparse.transport.login import SourcedLogin

        options: dict[str, Any] = {}
        if self.user is not None:
            if PASSWORD_VARIABLE not in environ:
                hint = USER_VARIABLE if environ.get(USER_VARIABLE) == self.user else "--user"
                raise typer.BadParameter(f"Set the password in {PASSWORD_VARIABLE}.", param_hint=hint)
            options["http_auth"] = SourcedLogin(self.user, environ[PASSWORD_VARIABLE], self._login_source)
        if self.ca_certs is not None:
            options["ca_certs"] = str(self.ca_certs)
        if self.insecure:
            options |= {"verify_certs": False, "ssl_show_warn": False}
        return options

    @property
    def _login_source(self) -> str:
        if environ.get(USER_VARIABLE) == self.user:
            return f"the environment variables {USER_VARIABLE} and {PASSWORD_VARIABLE}"
        return f"--user and the environment variable {PASSWORD_VARIABLE}"

    @contextmanager
    def client(self) -> "Iterator[OpenSearch]":
        """Open a client with its log silenced, so that an error is printed once."""
        from opensearchpy import OpenSearch

        from opensearch_neural_sparse.store.drivers.client_source import CLIENT_DEFAULTS
        from opensearch_neural_sparse.transport.address import check_address, shown
        from opensearch_neural_sparse.transport.connection_failures import check_files

        try:
            check_address(self.url)
        except ValueError as error:
            raise typer.BadParameter(str(error), param_hint="--url") from None
        options = {**CLIENT_DEFAULTS, **self.options()}
        check_files(options, shown(self.url))
        logging.getLogger("opensearch").setLevel(logging.CRITICAL)
        with OpenSearch(self.url, **options) as client:
            yield client

    @contextmanager
    def store(
        self, index: str, *, schema: "IndexSchema | None" = None, models: Sequence[str] = (), **options: Any
    ) -> "Iterator[NeuralSparseStore]":
        """Open a store.

        Args:
            index: The index.
            schema: Names of its fields; by default those that it is stamped for.
            models: Models of the indices behind the name, where it may cover several.
            options: Further options of the store, `model` among them where it covers one.
        """
        from opensearch_neural_sparse.cli.index_layout import stamped_schema
        from opensearch_neural_sparse.cli.model_choice import model_of
        from opensearch_neural_sparse.store._sync.store import NeuralSparseStore

        with self.client() as client:
            if schema is None:
                bodies = look_at(client, index)
                schema = stamped_schema(bodies)
                if models:
                    options["model"] = model_of(index, models, bodies)
            with NeuralSparseStore(index, client=client, schema=schema, **options) as store:
                yield store


def look_at(client: "OpenSearch", index: str, remedy: str | None = None) -> Mapping[str, Any]:
    """Return the response of `GET /<index>`; empty without the right to read it.

    Args:
        client: The client.
        index: The name.
        remedy: Way out if there is no such index; by default to create it.

    Raises:
        IndexNotFoundError: There is no such index.
        ServerConnectionError: No answer.
    """
    from opensearch_neural_sparse.errors import IndexNotFoundError, ServerRequestError
    from opensearch_neural_sparse.store.operations.lifecycle import FORBIDDEN
    from opensearch_neural_sparse.transport.errors import translated_errors

    found: Mapping[str, Any] | None = None
    try:
        with translated_errors(client, index):
            found = client.indices.get(index=index)
    except IndexNotFoundError as error:
        raise IndexNotFoundError(_missing_of(client, index) or error.index, remedy) from None
    except ServerRequestError as error:
        if error.status != FORBIDDEN:
            raise
    if found == {}:  # a pattern that matches nothing
        raise IndexNotFoundError(index, remedy)
    return found or {}


def _missing_of(client: "OpenSearch", index: str) -> str | None:
    """Return the missing names of a list, comma-separated; None if the name is no list."""
    from opensearch_neural_sparse.index.missing_index import EXISTING_ONLY, error_of_list, is_list
    from opensearch_neural_sparse.transport.errors import translated_errors

    if not is_list(index):
        return None
    with translated_errors(client, index):
        error = error_of_list(index, client.indices.get(index=index, params=dict(EXISTING_ONLY)))
    return None if error is None else error.index


OPTIONS: Mapping[str, tuple[Any, Any]] = {
    "url": (UrlOption, DEFAULT_URL),
    "user": (UserOption, None),
    "ca_certs": (CaCertsOption, None),
    "insecure": (InsecureOption, False),
}
"""Attribute of a connection -> its option and default."""


def connected(command: Callable[..., None]) -> Callable[..., None]:
    """Add the connection options to a command, which takes the connection as its first argument."""

    @wraps(command)
    def run(**given: Any) -> None:
        connection = Connection(**{name: given.pop(name) for name in OPTIONS})
        command(connection, **given)

    own = list(signature(command).parameters.values())[1:]
    shared = [
        Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=option)
        for name, (option, default) in OPTIONS.items()
    ]
    parameters = [*(row.replace(kind=Parameter.KEYWORD_ONLY) for row in own), *shared]
    run.__signature__ = signature(command).replace(parameters=parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {row.name: row.annotation for row in parameters}
    return run

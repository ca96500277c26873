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
FILES = ("client_cert", "client_key", "ca_certs")
"""Attributes of a connection that name a file."""
LIKENESS = 0.8
"""Least similarity, 0 to 1, of the index names that are suggested; names of dated indices resemble one another."""
PANEL = "Connection"

UrlOption = Annotated[
    str, typer.Option("--url", envvar="OPENSEARCH_URL", help="Address of the server.", rich_help_panel=PANEL)
]
UserOption = Annotated[
    str | None,
    typer.Option(
        "--user",
        envvar=USER_VARIABLE,
        help=f"User of the server; {PASSWORD_VARIABLE} holds the password. An API key or a token in OPENSEARCH_API_KEY "
        "or OPENSEARCH_BEARER_TOKEN replaces both.",
        rich_help_panel=PANEL,
    ),
]
CaCertsOption = Annotated[
    Path | None,
    typer.Option(
        "--ca-certs",
        envvar="OPENSEARCH_CA_CERTS",
        exists=True,
        dir_okay=False,
        help="File of the authorities to trust.",
        rich_help_panel=PANEL,
    ),
]
ClientCertOption = Annotated[
    Path | None,
    typer.Option(
        "--client-cert",
        envvar="OPENSEARCH_CLIENT_CERT",
        exists=True,
        dir_okay=False,
        help="File of a certificate to log in by.",
        rich_help_panel=PANEL,
    ),
]
ClientKeyOption = Annotated[
    Path | None,
    typer.Option(
        "--client-key",
        envvar="OPENSEARCH_CLIENT_KEY",
        exists=True,
        dir_okay=False,
        help="File of its private key.",
        rich_help_panel=PANEL,
    ),
]
AwsRegionOption = Annotated[
    str | None,
    typer.Option(
        "--aws-region",
        envvar="OPENSEARCH_AWS_REGION",
        help="Region of Amazon's service; requests are signed with the credentials that boto3 finds.",
        rich_help_panel=PANEL,
    ),
]
AwsServiceOption = Annotated[
    str | None,
    typer.Option(
        "--aws-service",
        envvar="OPENSEARCH_AWS_SERVICE",
        help="es (a domain, the default) or aoss (a serverless collection).",
        rich_help_panel=PANEL,
    ),
]
InsecureOption = Annotated[bool, typer.Option("--insecure", help="Trust any certificate.", rich_help_panel=PANEL)]


@dataclass(frozen=True, kw_only=True)
class Connection:
    """Connection options of a server; `OPENSEARCH_API_KEY` and `OPENSEARCH_BEARER_TOKEN` have none.

    Attributes:
        url: Its address, perhaps with credentials.
        user: The user, or None.
        ca_certs: File of the authorities to trust, or None.
        insecure: Whether any certificate is trusted.
        client_cert: File of a certificate to log in by, or None.
        client_key: File of its private key, or None.
        aws_region: Region of Amazon's service, by whose rules requests are signed, or None.
        aws_service: That service, or None.
    """

    url: str = field(repr=False)
    user: str | None = None
    ca_certs: Path | None = None
    insecure: bool = False
    client_cert: Path | None = None
    client_key: Path | None = None
    aws_region: str | None = None
    aws_service: str | None = None

    def options(self) -> dict[str, Any]:
        """Return the options of an OpenSearch client.

        Raises:
            BadParameter: Two logins, or half of one, such as a user without a password.
        """
        from opensearch_neural_sparse.transport.logins.client_login import ClientLogin

        names = self._named()
        if self.user is not None and not environ.get(PASSWORD_VARIABLE):
            hint = "--user" if "username" in names else USER_VARIABLE
            raise typer.BadParameter(f"Set the password in {PASSWORD_VARIABLE}.", param_hint=hint)
        given = {name: value for name, (_, value) in names.items()}
        sources = {name: option for name, (option, _) in names.items()}
        try:
            login = ClientLogin.from_environment(**given, sources=sources)
        except ValueError as error:
            raise typer.BadParameter(str(error), param_hint="the login") from None
        return login.client_options() | ({"verify_certs": False, "ssl_show_warn": False} if self.insecure else {})

    def _named(self) -> dict[str, tuple[str, Any]]:
        """Return what options name and the environment does not: attribute of a login -> option and value."""
        from opensearch_neural_sparse.transport.logins.client_login import VARIABLES

        values = {"username": self.user, "aws_region": self.aws_region, "aws_service": self.aws_service}
        values |= {name: None if (file := getattr(self, name)) is None else str(file) for name in FILES}
        options = {name: "--user" if name == "username" else f"--{name.replace('_', '-')}" for name in values}
        return {
            name: (options[name], value)
            for name, value in values.items()
            if value is not None and environ.get(VARIABLES[name]) != value
        }

    @contextmanager
    def client(self) -> "Iterator[OpenSearch]":
        """Open a client with its log silenced, so that an error is printed once."""
        from opensearch_neural_sparse.transport.address import check_address
        from opensearch_neural_sparse.transport.blocking_client import open_client
        from opensearch_neural_sparse.transport.client_options import CLIENT_DEFAULTS

        try:
            check_address(self.url)
        except ValueError as error:
            raise typer.BadParameter(str(error), param_hint="--url") from None
        options = {**CLIENT_DEFAULTS, **self.options()}
        logging.getLogger("opensearch").setLevel(logging.CRITICAL)
        with open_client(self.url, options) as client:
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
        from opensearch_neural_sparse.cli.model_choice import model_of
        from opensearch_neural_sparse.index.binding.stamped_schema import stamped_schema
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
        remedy: Way out if there is no such index; by default to create it. Names that resemble it precede it.

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
        missing = _missing_of(client, index) or error.index
        raise IndexNotFoundError(missing, remedy, close_matches=_close_names(client, missing)) from None
    except ServerRequestError as error:
        if error.status != FORBIDDEN:
            raise
    if found == {}:  # a pattern that matches nothing
        raise IndexNotFoundError(index, remedy)
    return found or {}


def _close_names(client: "OpenSearch", missing: str) -> list[str]:
    """Return the names of indices and aliases that resemble missing ones.

    Args:
        client: The client.
        missing: The missing names, comma-separated.
    """
    from difflib import get_close_matches

    known = _names(client)
    close = (match for name in missing.split(",") for match in get_close_matches(name, known, cutoff=LIKENESS))
    return list(dict.fromkeys(close))


def _names(client: "OpenSearch") -> list[str]:
    """Return the names of the indices and aliases that are not hidden; none without the right to list them."""
    from opensearch_neural_sparse.errors import ServerRequestError
    from opensearch_neural_sparse.store.operations.lifecycle import FORBIDDEN
    from opensearch_neural_sparse.transport.errors import translated_errors

    found: Mapping[str, Any] = {}
    try:
        with translated_errors(client, "*"):
            found = client.indices.get_alias(index="*")
    except ServerRequestError as error:
        if error.status != FORBIDDEN:
            raise
    names = {name for index, body in found.items() for name in (index, *body.get("aliases", {}))}
    return sorted(name for name in names if not name.startswith("."))


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
    "client_cert": (ClientCertOption, None),
    "client_key": (ClientKeyOption, None),
    "aws_region": (AwsRegionOption, None),
    "aws_service": (AwsServiceOption, None),
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

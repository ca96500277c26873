"""`opensearch-neural-sparse server-model`: models in a server."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from os import environ
from typing import TYPE_CHECKING, Annotated, Any

import typer

from opensearch_neural_sparse.cli.connection import Connection, connected
from opensearch_neural_sparse.cli.options import ModelArgument, ModelOption, usage_errors
from opensearch_neural_sparse.cli.output import JsonOption, print_columns, print_json, shown_progress
from opensearch_neural_sparse.cli.remedies import shell_words

if TYPE_CHECKING:
    from opensearch_neural_sparse.server_models.deployed_model import DeployedModel
    from opensearch_neural_sparse.server_models.server_models import ServerModels

app = typer.Typer(help="Deploy, check and delete models in a server or behind its connectors.", no_args_is_help=True)

ModelIdArgument = Annotated[str, typer.Argument(metavar="ID", help="The server's id of the model.")]
NameOption = Annotated[
    str | None, typer.Option(metavar="NAME", help="Name of the model in the server.", show_default="the model's")
]
ChangeOption = Annotated[
    bool, typer.Option("--change-settings", help="Change the required cluster settings, persistently.")
]
TimeoutOption = Annotated[float, typer.Option(min=0, metavar="SECONDS", help="Maximum time until the model answers.")]

KEY_VARIABLE = "ENCODER_API_KEY"


@contextmanager
def opened(connection: Connection) -> "Iterator[ServerModels]":
    """Open the models of a server."""
    from opensearch_neural_sparse.server_models.server_models import ServerModels

    with connection.client() as client, ServerModels(client) as models:
        yield models


@app.command()
@connected
def deploy(
    connection: Connection,
    model: ModelArgument,
    name: NameOption = None,
    format: Annotated[  # noqa: A002  the server's word
        str, typer.Option(metavar="FORMAT", help="Format of the archive: auto, onnx or torch_script.")
    ] = "auto",
    pretrained: Annotated[
        bool, typer.Option("--pretrained", help="Let the nodes download a model that OpenSearch publishes.")
    ] = False,
    serve_from: Annotated[
        str | None,
        typer.Option(metavar="HOST", help="Address of this machine from which nodes on others read the archive."),
    ] = None,
    archive_url: Annotated[
        str | None, typer.Option(metavar="URL", help="Folder that holds the archives, for the nodes.")
    ] = None,
    change_settings: ChangeOption = False,
    timeout: TimeoutOption = 600.0,
    json: JsonOption = False,
) -> None:
    """Deploy a model in the nodes of a cluster; after an interruption, the same command continues."""
    options: dict[str, Any] = {"change_settings": change_settings, "timeout": timeout}
    with opened(connection) as models, shown_progress(f"Deploying {model}"), usage_errors():
        if pretrained:
            found = models.deploy_pretrained(model, **options)
        else:
            given = {"name": name, "serve_from": serve_from, "archive_url": archive_url}
            found = models.deploy(model, format=format, **given, **options)  # type: ignore[arg-type]
    show(found, json)


@app.command("deploy-remote")
@connected
def deploy_remote(
    connection: Connection,
    service: Annotated[str, typer.Argument(metavar="SERVICE", help="Address of the encoder service.")],
    template: Annotated[
        str, typer.Option(metavar="NAME", help="Kind of service: opensearch-neural-sparse, http, sagemaker-role.")
    ] = "opensearch-neural-sparse",
    model: ModelOption = None,
    name: NameOption = None,
    credential: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=VARIABLE", help="Secret of a template, from an environment variable; may be repeated."
        ),
    ] = None,
    parameter: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="Value of a template; may be repeated.")
    ] = None,
    read_timeout: Annotated[
        int, typer.Option(min=1, metavar="SECONDS", help="Maximum time for an answer of the service.")
    ] = 30,
    change_settings: ChangeOption = False,
    timeout: TimeoutOption = 120.0,
    json: JsonOption = False,
) -> None:
    """Connect a server to an encoder service.

    The environment variable ENCODER_API_KEY holds the service's token, if it needs one.
    """
    with opened(connection) as models, shown_progress("Connecting the server"), usage_errors():
        found = models.deploy_remote(
            service,
            template=template,
            model=model,
            name=name,
            api_key=environ.get(KEY_VARIABLE),
            credential=secrets(credential),
            parameters=pairs(parameter, "--parameter"),
            read_timeout=read_timeout,
            change_settings=change_settings,
            timeout=timeout,
        )
    show(found, json)


@app.command("list")
@connected
def list_(connection: Connection, json: JsonOption = False) -> None:
    """List the models in a server."""
    with opened(connection) as models:
        found = models.list()
    if json:
        print_json({"models": [asdict(model) for model in found]})
    elif found:
        print_columns((model.model_id, model.name, model.function.lower(), model.state.lower()) for model in found)
    else:
        typer.echo("The server has no models.")


@app.command()
@connected
def predict(
    connection: Connection,
    model_id: ModelIdArgument,
    texts: Annotated[list[str], typer.Argument(metavar="TEXT...", help="Texts to encode.")],
    top: Annotated[int, typer.Option(min=1, metavar="N", help="Number of heaviest tokens shown for each text.")] = 10,
    json: JsonOption = False,
) -> None:
    """Encode texts by a model in a server."""
    with opened(connection) as models:
        vectors = models.predict(model_id, texts)
    if json:
        print_json({"model_id": model_id, "vectors": [vector.to_dict() for vector in vectors]})
        return
    for text, vector in zip(texts, vectors, strict=True):
        typer.echo(text)
        typer.echo("  " + "  ".join(f"{token} {weight:.3f}" for token, weight in vector.top(top)))


@app.command()
@connected
def undeploy(connection: Connection, model_id: ModelIdArgument, json: JsonOption = False) -> None:
    """Remove a model from the nodes' memory; it stays registered."""
    with opened(connection) as models:
        models.undeploy(model_id)
    if json:
        print_json({"model_id": model_id, "undeployed": True})
    else:
        typer.echo(f"Undeployed {model_id}.")


@app.command()
@connected
def delete(
    connection: Connection,
    model_id: ModelIdArgument,
    force: Annotated[
        bool, typer.Option("--force", help="Delete the model although a pipeline or an index names it.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Delete a model, and its connector and group if no other model uses them."""
    with opened(connection) as models:
        models.delete(model_id, force=force)
    if json:
        print_json({"model_id": model_id, "deleted": True})
    else:
        typer.echo(f"Deleted {model_id}.")


@app.command()
@connected
def doctor(
    connection: Connection,
    index: Annotated[
        str | None, typer.Option(metavar="INDEX", help="Index to check: its pipelines, models and stamp.")
    ] = None,
    model_id: Annotated[
        str | None, typer.Option("--model-id", metavar="ID", help="Model to check: it encodes two texts.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Check the models in a server, and print a remedy for each problem.

    Exit status 1 where something does not work.
    """
    with opened(connection) as models:
        found = [
            replace(finding, remedy=shell_words(finding.remedy))
            for finding in models.doctor(index=index, model_id=model_id)
        ]
    failed = any(finding.severity == "fail" for finding in found)
    if json:
        print_json({"ok": not failed, "findings": [asdict(finding) for finding in found]})
    for finding in found if not json else ():
        said = f" The server says: {finding.reason}" if finding.reason else ""
        typer.echo(f"{finding.severity:<5} {finding.subject}: {finding.problem}.{said}")
        typer.echo(f"{'':5} -> {finding.remedy}")
    if not found and not json:
        typer.echo("Nothing found.")
    if failed:
        raise typer.Exit(1)


def show(found: "DeployedModel", json: bool) -> None:
    """Print a model that answers."""
    if json:
        print_json(asdict(found))
        return
    rows: list[tuple[str, object]] = [("model_id", found.model_id), ("query_model_id", found.query_model_id)]
    print_columns([("name", found.name), *rows, *(("changed", name) for name in found.changed_settings)])


def secrets(given: list[str] | None) -> dict[str, str]:
    """Return secrets by the environment variables that hold them, so that no list of processes shows them.

    Raises:
        BadParameter: A variable is not set.
    """
    named = pairs(given, "--credential")
    if missing := [variable for variable in named.values() if variable not in environ]:
        raise typer.BadParameter(f"The environment has no {', '.join(missing)}.", param_hint="--credential")
    return {key: environ[variable] for key, variable in named.items()}


def pairs(given: list[str] | None, option: str) -> dict[str, str]:
    """Return the pairs of an option that is given as KEY=VALUE.

    Raises:
        BadParameter: One has no equals sign.
    """
    parted = [row.partition("=") for row in given or ()]
    if any(not sign or not key for key, sign, _ in parted):
        raise typer.BadParameter("It is given as KEY=VALUE.", param_hint=option)
    return {key: value for key, _, value in parted}

"""`opensearch-neural-sparse devserver`: a local OpenSearch for tests and tutorials."""

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from opensearch_neural_sparse.cli.output import JsonOption, print_json
from opensearch_neural_sparse.cli.start_progress import shown_start
from opensearch_neural_sparse.devserver import DEFAULT_VERSION, DevServer, Origin, Profile
from opensearch_neural_sparse.devserver.node.http import without_credentials
from opensearch_neural_sparse.devserver.node.paths import default_home
from opensearch_neural_sparse.devserver.node.ports import LOOPBACK
from opensearch_neural_sparse.devserver.server import URL_VARIABLE
from opensearch_neural_sparse.errors import DevServerError

HEALTH = {
    "yellow": "yellow: every document is there, some replicas are on no node",
    "red": "red: some primary shards are missing, and their documents with them",
}
"""Health of a cluster that is not green, with its meaning."""

app = typer.Typer(help="Run a local OpenSearch for tests and tutorials.", no_args_is_help=True)

VersionOption = Annotated[str, typer.Option("--version", help="Version of the server.")]
ProfileOption = Annotated[
    Profile, typer.Option("--profile", help="Kind of server: plain, cluster, ml, security or security-ml.")
]
HomeOption = Annotated[
    Path | None,
    typer.Option("--home", help="Folder of the server's data and logs.", show_default="one in the cache folder"),
]


@app.command()
def start(
    version: VersionOption = DEFAULT_VERSION,
    profile: ProfileOption = Profile.PLAIN,
    home: HomeOption = None,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, metavar="N", help="Port of the server.", show_default="a free one")
    ] = None,
    heap: Annotated[
        str | None, typer.Option(help="Java heap of each node.", show_default="1g; cluster: 512m; ml: 2g")
    ] = None,
    setting: Annotated[
        list[str] | None, typer.Option(help="A row of opensearch.yml: name=value; may be repeated.")
    ] = None,
    ephemeral: Annotated[bool, typer.Option("--ephemeral", help="Delete the server's data when it stops.")] = False,
    docker: Annotated[bool, typer.Option("--docker", help="Run the official image instead.")] = False,
    timeout: Annotated[float, typer.Option(help="Seconds until the server must be ready.")] = 180.0,
    json: JsonOption = False,
) -> None:
    """Start a server, unless it is already running, and print its URL."""
    with shown_start() as on_progress:
        server = DevServer.start(
            version=version,
            profile=profile,
            home=home,
            port=port,
            heap=heap,
            settings=read_settings(setting or []),
            ephemeral=ephemeral,
            docker=docker,
            timeout=timeout,
            on_progress=on_progress,
        )
    if server.origin is Origin.ENVIRONMENT:
        typer.echo("OPENSEARCH_URL names a server; nothing was started.", err=True)
    elif (named := named_address()) not in (None, server.address):
        typer.echo(f"OPENSEARCH_URL names {named}, which has stopped; {server.address} runs instead.", err=True)
    if server.login is not None:
        folder = server.login.ca_file.parent
        typer.echo(f"It requires a login: user {server.login.user}; password and CA certificate in {folder}.", err=True)
    print_json(facts(server)) if json else typer.echo(server.address)


@app.command()
def status(home: HomeOption = None, json: JsonOption = False) -> None:
    """Show the running servers; the exit status is 1 if there is none."""
    servers = servers_to_show(home)
    if json:
        print_json({"servers": [facts(server) | {"health": server.health()} for server in servers]})
    else:
        typer.echo("\n".join(map(describe, servers)) or "No server runs.")
    if not servers:
        raise typer.Exit(1)


@app.command()
def stop(
    version: VersionOption = DEFAULT_VERSION,
    profile: ProfileOption = Profile.PLAIN,
    home: HomeOption = None,
    every: Annotated[bool, typer.Option("--all", help="Stop every server that `status` shows.")] = False,
    json: JsonOption = False,
) -> None:
    """Stop a server that was started here. Others, and the one of OPENSEARCH_URL, keep running."""
    servers = DevServer.find_all() if every else [DevServer.find(home or default_home(version, profile))]
    stopped = [server for server in servers if server is not None and server.stop()]
    if (named := named_address()) in [server.address for server in stopped] or (named and DevServer.has_stopped(named)):
        typer.echo(f"OPENSEARCH_URL still names {named}, which has stopped: unset OPENSEARCH_URL", err=True)
    if json:
        print_json({"stopped": [facts(server) for server in stopped]})
        return
    for server in stopped:
        typer.echo(f"Stopped {server.version} at {server.address}.")
    if not stopped:
        typer.echo("No such server runs.")


@app.command()
def logs(
    version: VersionOption = DEFAULT_VERSION,
    profile: ProfileOption = Profile.PLAIN,
    home: HomeOption = None,
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, help="Number of lines from the end of the log.")] = 100,
    node: Annotated[str, typer.Option(help="Node of a cluster.")] = "n1",
    json: JsonOption = False,
) -> None:
    """Print the end of a server's log, even after the server has stopped."""
    folder = home or default_home(version, profile)
    log = DevServer.read_log(folder, lines, node=node)
    if not log:
        raise DevServerError(f"{folder} holds no log. `devserver status` shows the servers that run, with their homes.")
    print_json({"lines": log.splitlines()}) if json else typer.echo(log)


def servers_to_show(home: Path | None) -> list[DevServer]:
    """Return the server of OPENSEARCH_URL, unless it was started here, and those started here; or that of a home."""
    if home is not None:
        found = DevServer.find(home)
        return [] if found is None else [found]
    started = DevServer.find_all()
    if any(map(is_named, started)):
        return started
    named = DevServer.from_environment()
    return started if named is None else [named, *started]


def named_address() -> str | None:
    """Return the address that OPENSEARCH_URL names, without credentials; None where it is not set or empty."""
    url = os.environ.get(URL_VARIABLE)
    return without_credentials(url) if url else None


def is_named(server: DevServer) -> bool:
    """Return whether OPENSEARCH_URL names a server that was started here."""
    named = named_address()
    return named is not None and named.replace("//localhost:", f"//{LOOPBACK}:") == server.address


def facts(server: DevServer) -> dict[str, Any]:
    """Return a server's properties as JSON values, without credentials."""
    return {
        "url": server.address,
        "version": server.version,
        "profile": server.profile,
        "home": None if server.home is None else str(server.home),
        "pids": list(server.pids),
    }


def describe(server: DevServer) -> str:
    """Describe a server in one line, without credentials."""
    where = [str(server.profile), str(server.home)] if server.home else []
    where += ["named by OPENSEARCH_URL"] if is_named(server) or not server.home else []
    where += [f"pid {' '.join(map(str, server.pids))}"] if server.pids else []
    health = server.health()
    shown = HEALTH.get(health, health) if health else "does not answer"
    return f"{server.address}  {server.version}  {shown}  ({', '.join(where)})"


def read_settings(rows: list[str]) -> dict[str, str]:
    """Parse settings of the form name=value."""
    settings = {}
    for row in rows:
        name, sign, value = row.partition("=")
        if not (name and sign):
            raise typer.BadParameter(f"{row!r} is not of the form name=value.", param_hint="--setting")
        settings[name] = value
    return settings

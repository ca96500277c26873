"""`opensearch-neural-sparse devserver`: a local OpenSearch for tests and tutorials."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, DownloadColumn, TextColumn

from opensearch_neural_sparse.cli.output import JsonOption, on_terminal, print_json
from opensearch_neural_sparse.devserver import DEFAULT_VERSION, DevServer, Origin, Profile, Progress, Step
from opensearch_neural_sparse.devserver.node.paths import default_home
from opensearch_neural_sparse.errors import DevServerError

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
    with shown_progress() as on_progress:
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
    if server.login is not None:
        folder = server.login.ca_file.parent
        typer.echo(f"It requires a login: user {server.login.user}; password and CA certificate in {folder}.", err=True)
    print_json(facts(server)) if json else typer.echo(server.address)


@app.command()
def status(home: HomeOption = None, json: JsonOption = False) -> None:
    """Show the running servers; the exit status is 1 if there is none."""
    servers = list(servers_to_show(home))
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


def servers_to_show(home: Path | None) -> Iterator[DevServer]:
    """Yield the server of OPENSEARCH_URL and those started here; with a home, only that one."""
    if home is None:
        named = DevServer.from_environment()
        yield from [] if named is None else [named]
        yield from DevServer.find_all()
    elif (server := DevServer.find(home)) is not None:
        yield server


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
    where = f"{server.profile}, {server.home}" if server.home else "named by OPENSEARCH_URL"
    pids = f", pid {' '.join(map(str, server.pids))}" if server.pids else ""
    return f"{server.address}  {server.version}  {server.health() or 'does not answer'}  ({where}{pids})"


def read_settings(rows: list[str]) -> dict[str, str]:
    """Parse settings of the form name=value."""
    settings = {}
    for row in rows:
        name, sign, value = row.partition("=")
        if not (name and sign):
            raise typer.BadParameter(f"{row!r} is not of the form name=value.", param_hint="--setting")
        settings[name] = value
    return settings


@contextmanager
def shown_progress() -> Iterator[Callable[[Progress], None]]:
    """Show the progress of a start on a terminal."""
    with on_terminal(TextColumn("{task.description}"), BarColumn(), DownloadColumn()) as bar:
        tasks = {step: bar.add_task("", visible=False, start=False) for step in Step}
        words = {Step.DOWNLOAD: "Downloading", Step.ASSEMBLE: "Assembling", Step.START: "Starting"}

        def show(progress: Progress) -> None:
            text = f"{words[progress.step]} OpenSearch {progress.version}"
            bar.update(
                tasks[progress.step],
                description=text,
                completed=progress.done,
                total=progress.total or None,
                visible=True,
            )

        yield show

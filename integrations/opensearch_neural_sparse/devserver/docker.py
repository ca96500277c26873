"""Run a server in a container of the official image."""

from __future__ import annotations

import shutil
import subprocess
import time
from typing import TYPE_CHECKING

from opensearch_neural_sparse.devserver.node.home import ServerState
from opensearch_neural_sparse.devserver.node.http import NO_ANSWER, get_json
from opensearch_neural_sparse.devserver.node.ports import LOOPBACK, ensure_free, free_ports
from opensearch_neural_sparse.devserver.profile import Profile
from opensearch_neural_sparse.errors import DevServerError

if TYPE_CHECKING:
    from opensearch_neural_sparse.devserver.node.home import ServerHome
    from opensearch_neural_sparse.devserver.options import StartOptions

IMAGE = "opensearchproject/opensearch"
CONTAINER_PORT = 9200
DATA = "/usr/share/opensearch/data"


def run_command(options: StartOptions, *, name: str, port: int) -> list[str]:
    """Return the arguments of `docker` that start a server: pinned tag, loopback only, security plugin off.

    Unless it is ephemeral, its data lies in a volume of the container's name and survives it.
    """
    environment = {
        "discovery.type": "single-node",
        "cluster.name": name,
        "DISABLE_SECURITY_PLUGIN": "true",
        "DISABLE_INSTALL_DEMO_CONFIG": "true",
        "OPENSEARCH_JAVA_OPTS": " ".join(options.java_options),
        **{key: _text(value) for key, value in options.settings.items()},
    }
    volume = [] if options.ephemeral else ["--volume", f"{name}:{DATA}"]
    publish = ["--publish", f"{LOOPBACK}:{port}:{CONTAINER_PORT}"]
    variables = [part for key, value in environment.items() for part in ("--env", f"{key}={value}")]
    return ["run", "--detach", "--name", name, *publish, *volume, *variables, f"{IMAGE}:{options.version}"]


def launch_container(home: ServerHome, options: StartOptions) -> ServerState:
    """Start a container and wait until its server is ready. Only for the holder of the home's lock.

    Raises:
        DevServerError: Docker is missing or its daemon does not answer, the profile is not `plain`, the port is busy,
            or the server was not ready in time.
    """
    if options.profile is not Profile.PLAIN:
        raise DevServerError(
            f"Docker runs the profile 'plain', not {options.profile.value!r}. Leave out docker or the profile."
        )
    if options.port is not None:
        ensure_free(options.port)
    ensure_daemon()
    port = options.port or free_ports(1)[0]
    name = f"opensearch-{home.cluster_name}"
    state = ServerState(
        version=options.version,
        profile=options.profile,
        url=f"http://{LOOPBACK}:{port}",
        settings=options.settings,
        ephemeral=options.ephemeral,
        container=name,
    )
    try:
        docker(*run_command(options, name=name, port=port))
        home.write_state(state)
        await_container(state, options.timeout)
    except BaseException:
        docker("rm", "--force", "--volumes", name, check=False)
        home.clear(data=False)
        raise
    return state


def await_container(state: ServerState, timeout: float) -> None:
    """Wait until the server of a container answers.

    Raises:
        DevServerError: It ended, or the timeout is over; `.log` has the end of its log.
    """
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline and container_runs(state):
        try:
            get_json(state.url, "/_cluster/health?wait_for_status=yellow&timeout=2s")
        except NO_ANSWER:
            time.sleep(0.5)
        else:
            return
    raise DevServerError(f"The container of OpenSearch {state.version} did not get ready:", container_log(state, 20))


def container_runs(state: ServerState) -> bool:
    """Return whether the container of a server runs."""
    running = docker("inspect", "--format", "{{.State.Running}}", str(state.container), check=False)
    return running.strip() == "true"


def stop_container(state: ServerState) -> None:
    """Stop and remove the container of a server; a named volume stays."""
    docker("stop", str(state.container), check=False)
    docker("rm", "--force", "--volumes", str(state.container), check=False)


def container_log(state: ServerState, lines: int) -> str:
    """Return the end of a container's log."""
    return docker("logs", "--tail", str(lines), str(state.container), check=False)


def ensure_daemon() -> None:
    """Check that the Docker daemon answers.

    Raises:
        DevServerError: It does not; the message has the remedy.
    """
    try:
        docker("version", "--format", "{{.Server.Version}}")
    except DevServerError as error:
        remedy = "Start Docker, or leave out --docker to use Python packages alone."
        raise DevServerError(f"Docker does not answer. {remedy}", error.log) from error


def docker(*arguments: str, check: bool = True) -> str:
    """Run `docker` and return its output.

    Raises:
        DevServerError: It is not installed, or (with `check`) it failed; `.log` has its errors.
    """
    executable = shutil.which("docker")
    if executable is None:
        raise DevServerError("The command docker is not on the PATH. Install Docker.", "docker: not found")
    command = [executable, *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if check and result.returncode != 0:
        raise DevServerError(f"docker {arguments[0]} failed:", result.stderr.strip())
    return result.stdout + result.stderr


def _text(value: str | int | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)

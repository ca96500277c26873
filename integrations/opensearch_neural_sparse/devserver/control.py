"""Start and stop the server of a home, one caller at a time across processes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opensearch_neural_sparse.devserver.docker import container_runs, launch_container, stop_container
from opensearch_neural_sparse.devserver.node.home import ServerHome, ServerState
from opensearch_neural_sparse.devserver.node.known_homes import forget_home, remember_home
from opensearch_neural_sparse.devserver.node.launch import await_ready, launch, stop_processes
from opensearch_neural_sparse.devserver.node.paths import exclusive, servers_folder
from opensearch_neural_sparse.devserver.node.started_addresses import remember_address
from opensearch_neural_sparse.devserver.progress import Progress, Step
from opensearch_neural_sparse.errors import DevServerError

if TYPE_CHECKING:
    from pathlib import Path

    from opensearch_neural_sparse.devserver.options import StartOptions
    from opensearch_neural_sparse.devserver.progress import OnProgress

PRIVATE = "private-"
"""Prefix of the names of homes that end with their owner."""


def start_home(home: ServerHome, options: StartOptions, on_progress: OnProgress) -> ServerState:
    """Return the running server of a home, and start it if none runs.

    Raises:
        DevServerError: The server could not be started, or one with other options runs in the home.
    """
    with exclusive(home.lock_name):
        state = home.read_state()
        if state is not None and runs(state):
            _ensure_same(home, state, options)
            if state.container is None:
                await_ready(home, state, options.timeout)
            return state
        if state is not None:
            _stop(home, state)
        if options.docker:
            on_progress(Progress(step=Step.START, version=options.version))
            started = launch_container(home, options)
        else:
            started = launch(home, options, on_progress)
        if not options.lifeline:
            remember_home(home.path)
            remember_address(home.path, started.url)
        return started


def stop_home(path: Path) -> bool:
    """Stop the server of a home, remove its state file, and return whether it ran."""
    home = ServerHome(path.expanduser().absolute())
    with exclusive(home.lock_name):
        state = home.read_state()
        if state is None:
            return False
        ran = runs(state)
        _stop(home, state)
        return ran


def sweep_private_homes() -> None:
    """Remove the homes of private servers that their owner did not stop."""
    for path in servers_folder().glob(f"{PRIVATE}*"):
        home = ServerHome(path)
        state = home.read_state()
        if state is not None and not _anything_runs(state):
            stop_home(path)


def runs(state: ServerState) -> bool:
    """Return whether all nodes of a server run."""
    if state.container is not None:
        return container_runs(state)
    return len(state.processes) == len(state.profile.nodes) and all(each.is_alive() for each in state.processes)


def _anything_runs(state: ServerState) -> bool:
    return runs(state) or any(process.is_alive() for process in state.processes)


def _stop(home: ServerHome, state: ServerState) -> None:
    if state.container is not None:
        stop_container(state)
    else:
        stop_processes(state)
    home.clear(data=state.ephemeral)
    forget_home(home.path)


def _ensure_same(home: ServerHome, state: ServerState, options: StartOptions) -> None:
    for name, actual, requested in (
        ("version", state.version, options.version),
        ("profile", state.profile, options.profile),
        ("port", state.port, options.port or state.port),
        ("settings", dict(state.settings), dict(options.settings)),
    ):
        if actual != requested:
            raise DevServerError(
                f"{home.path} runs a server with {name} {actual!s} at {state.url}, but {requested!s} was requested. "
                "Stop it first, or give another home."
            )

"""Start the nodes of an assembled server and wait until it is ready."""

from __future__ import annotations

import os
import secrets
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from opensearch_neural_sparse.devserver.distribution.assembly import assemble
from opensearch_neural_sparse.devserver.distribution.java import JavaRuntime, find_java
from opensearch_neural_sparse.devserver.distribution.lock import load_lock
from opensearch_neural_sparse.devserver.distribution.natives import native_environment
from opensearch_neural_sparse.devserver.node.configuration import (
    NodeAddress,
    node_command,
    node_settings,
    write_configuration,
)
from opensearch_neural_sparse.devserver.node.home import ServerState
from opensearch_neural_sparse.devserver.node.http import NO_ANSWER, get_json
from opensearch_neural_sparse.devserver.node.logs import error_lines, names_busy_port
from opensearch_neural_sparse.devserver.node.ports import LOOPBACK, ensure_free, free_ports
from opensearch_neural_sparse.devserver.node.process import NodeProcess
from opensearch_neural_sparse.devserver.progress import OnProgress, Progress, Step
from opensearch_neural_sparse.devserver.security.certificates import (
    SECURITY_HEALTH,
    prepare_security,
    security_settings,
    write_security_configuration,
)
from opensearch_neural_sparse.errors import DevServerError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from opensearch_neural_sparse.devserver.node.home import ServerHome
    from opensearch_neural_sparse.devserver.options import StartOptions
    from opensearch_neural_sparse.devserver.security.login import Login

ATTEMPTS = 3
"""Number of attempts if another process takes a free port before the node does."""


def launch(home: ServerHome, options: StartOptions, on_progress: OnProgress) -> ServerState:
    """Start a server in its home and wait until it is ready. Only for the holder of the home's lock.

    Raises:
        DevServerError: It could not be assembled, its port is busy, or it ended or timed out before it was ready.
    """
    lock = load_lock(options.version, options.profile)
    if options.port is not None:
        ensure_free(options.port)
    java = find_java()
    distribution = assemble(lock, java, on_progress=on_progress)
    environment = {**os.environ, **native_environment(lock, on_progress=on_progress)}
    on_progress(Progress(step=Step.START, version=options.version))
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return _launch_once(home, options, java, distribution, environment)
        except DevServerError as error:
            if attempt == ATTEMPTS or options.port is not None or not names_busy_port(error.log):
                raise
    raise AssertionError  # the last attempt returns or raises


def _launch_once(
    home: ServerHome, options: StartOptions, java: JavaRuntime, distribution: Path, environment: Mapping[str, str]
) -> ServerState:
    nodes = _addresses(options)
    state = ServerState(
        version=options.version,
        profile=options.profile,
        url=f"{options.profile.scheme}://{LOOPBACK}:{nodes[0].http}",
        settings=options.settings,
        ephemeral=options.ephemeral,
    )
    try:
        for node in nodes:
            folder = home.prepare(node.name)
            decided = _secure(home, folder, distribution) if options.profile.is_secured else {}
            requested = {**options.profile.settings, **options.settings}
            settings = node_settings(node, nodes, folder, home.cluster_name, requested, decided=decided)
            write_configuration(folder, settings)
            token = secrets.token_hex(16)
            command = node_command(
                java,
                distribution,
                folder,
                name=node.name,
                options=options.java_options,
                token=token,
                lifeline=options.lifeline,
            )
            process = NodeProcess.start(
                command, token=token, log=home.log(node.name), environment=environment, lifeline=options.lifeline
            )
            state = replace(state, processes=(*state.processes, process))
            home.write_state(state)
        await_ready(home, state, options.timeout)
    except BaseException:
        stop_processes(state, force=True)
        home.clear(data=options.ephemeral)
        raise
    return state


def await_ready(home: ServerHome, state: ServerState, timeout: float) -> None:
    """Wait until every node has joined, every primary shard is assigned, and the login works.

    Raises:
        DevServerError: A node ended, or the timeout is over; `.log` has the errors of its log.
    """
    nodes, login = state.profile.nodes, home.login(state.profile)
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        for name, process in zip(nodes, state.processes, strict=True):
            if not process.is_alive():
                log = error_lines(home.log(name))
                raise DevServerError(f"OpenSearch {state.version} ended while starting ({home.log(name)}):", log)
        if _is_ready(home, state, login):
            return
        time.sleep(0.25)
    log = error_lines(home.log(nodes[0]))
    raise DevServerError(f"OpenSearch {state.version} was not ready in {timeout:g} s ({home.log(nodes[0])}):", log)


def _is_ready(home: ServerHome, state: ServerState, login: Login | None) -> bool:
    """Check once; a secured server logs an error for every login before its users are loaded, so they come first."""
    path = f"/_cluster/health?wait_for_status=yellow&wait_for_nodes={len(state.profile.nodes)}&timeout=2s"
    try:
        if login is not None:
            get_json(state.url, SECURITY_HEALTH, login=login)
        health = get_json(state.url, path, login=login)
    except NO_ANSWER:
        return False
    return health.get("cluster_name") == home.cluster_name and not health.get("timed_out")


def stop_processes(state: ServerState, *, force: bool = False) -> None:
    """Stop every node of a server and wait until they have ended."""
    for process in reversed(state.processes):
        process.stop(force=force)


def _secure(home: ServerHome, folder: Path, distribution: Path) -> Mapping[str, Any]:
    """Create certificates and configuration of a secured node, and return its settings."""
    prepare_security(home.security)
    write_security_configuration(folder / "config", distribution, home.security)
    return security_settings(home.security)


def _addresses(options: StartOptions) -> tuple[NodeAddress, ...]:
    names = options.profile.nodes
    ports = free_ports(2 * len(names))
    nodes = [
        NodeAddress(name=name, http=http, transport=transport)
        for name, http, transport in zip(names, ports[::2], ports[1::2], strict=True)
    ]
    if options.port is not None:
        nodes[0] = replace(nodes[0], http=options.port)
    return tuple(nodes)

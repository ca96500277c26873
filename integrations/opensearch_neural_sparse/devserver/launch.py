"""Bring up the nodes of an assembled server and wait until it is ready."""

from __future__ import annotations

import os
import secrets
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from opensearch_neural_sparse.devserver.assembly import assemble
from opensearch_neural_sparse.devserver.configuration import (
    NodeAddress,
    node_command,
    node_settings,
    write_configuration,
)
from opensearch_neural_sparse.devserver.home import ServerState
from opensearch_neural_sparse.devserver.http import NO_ANSWER, get_json
from opensearch_neural_sparse.devserver.lock import load_lock
from opensearch_neural_sparse.devserver.logs import error_lines, names_busy_port
from opensearch_neural_sparse.devserver.ports import LOOPBACK, ensure_free, free_ports
from opensearch_neural_sparse.devserver.process import NodeProcess
from opensearch_neural_sparse.devserver.progress import OnProgress, Progress, Step
from opensearch_neural_sparse.devserver.runtime import JavaRuntime, find_java
from opensearch_neural_sparse.errors import DevServerError

if TYPE_CHECKING:
    from pathlib import Path

    from opensearch_neural_sparse.devserver.home import ServerHome
    from opensearch_neural_sparse.devserver.options import StartOptions

ATTEMPTS = 3
"""How often a start is tried when a port that was free is taken in between."""


def launch(home: ServerHome, options: StartOptions, on_progress: OnProgress) -> ServerState:
    """Start a server in its home and wait until it is ready. Only for the holder of the home's lock.

    Raises:
        DevServerError: It could not be assembled, its port is busy, or it ended or hung before it was ready.
    """
    lock = load_lock(options.version)
    if options.port is not None:
        ensure_free(options.port)
    java = find_java()
    distribution = assemble(lock, java, on_progress=on_progress)
    on_progress(Progress(step=Step.START, version=options.version))
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return _launch_once(home, options, java, distribution)
        except DevServerError as error:
            if attempt == ATTEMPTS or options.port is not None or not names_busy_port(error.log):
                raise
    raise AssertionError  # the last attempt returns or raises


def _launch_once(home: ServerHome, options: StartOptions, java: JavaRuntime, distribution: Path) -> ServerState:
    nodes = _addresses(options)
    state = ServerState(
        version=options.version,
        profile=options.profile,
        url=f"http://{LOOPBACK}:{nodes[0].http}",
        settings=options.settings,
        ephemeral=options.ephemeral,
    )
    try:
        for node in nodes:
            folder = home.prepare(node.name)
            settings = node_settings(node, nodes, folder, home.cluster_name, options.settings)
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
                command, token=token, log=home.log(node.name), environment=os.environ, lifeline=options.lifeline
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
    """Wait until every node has joined and every primary shard is assigned.

    Raises:
        DevServerError: A node ended, or the time is over; the message holds the errors of its log.
    """
    nodes = state.profile.nodes
    path = f"/_cluster/health?wait_for_status=yellow&wait_for_nodes={len(nodes)}&timeout=2s"
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        for name, process in zip(nodes, state.processes, strict=True):
            if not process.is_alive():
                log = error_lines(home.log(name))
                raise DevServerError(f"OpenSearch {state.version} ended while starting ({home.log(name)}):", log)
        try:
            health = get_json(state.url, path)
        except NO_ANSWER:
            time.sleep(0.25)
            continue
        if health.get("cluster_name") == home.cluster_name and not health.get("timed_out"):
            return
    log = error_lines(home.log(nodes[0]))
    raise DevServerError(f"OpenSearch {state.version} was not ready in {timeout:g} s ({home.log(nodes[0])}):", log)


def stop_processes(state: ServerState, *, force: bool = False) -> None:
    """End every node of a server and wait until they are gone."""
    for process in reversed(state.processes):
        process.stop(force=force)


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

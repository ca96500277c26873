"""Configure a node: opensearch.yml, logging, command line."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from opensearch_neural_sparse.devserver.distribution.java import VECTOR_MODULE
from opensearch_neural_sparse.devserver.node.ports import LOOPBACK
from opensearch_neural_sparse.errors import DevServerError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from opensearch_neural_sparse.devserver.distribution.java import JavaRuntime

LOGGING = """\
status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%d{ISO8601}][%-5p][%c{1.}] %m%n
rootLogger.level = info
rootLogger.appenderRef.console.ref = console
"""
JVM_OPTIONS = (
    "-XX:+UseG1GC",
    "-XX:-UsePerfData",
    "-Dfile.encoding=UTF-8",
    "-Djava.awt.headless=true",
    "-Djna.nosys=true",
    "-Dio.netty.noUnsafe=true",
    "-Dio.netty.noKeySetOptimization=true",
    "-Dio.netty.recycler.maxCapacityPerThread=0",
    "-Dlog4j2.disable.jmx=true",
    "-Dlog4j.shutdownHookEnabled=false",
    "-Djava.locale.providers=SPI,CLDR",
    "--add-opens=java.base/java.nio=ALL-UNNAMED",
    "--enable-native-access=ALL-UNNAMED",
)


@dataclass(frozen=True, kw_only=True)
class NodeAddress:
    """Name and ports of a node."""

    name: str
    http: int
    transport: int


def node_settings(
    node: NodeAddress,
    nodes: tuple[NodeAddress, ...],
    folder: Path,
    cluster_name: str,
    settings: Mapping[str, Any],
    *,
    decided: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the settings of a node's opensearch.yml.

    Args:
        node: The node.
        nodes: All nodes of its cluster.
        folder: The node's folder.
        cluster_name: Name of the cluster.
        settings: Settings of the user.
        decided: Further settings that a user cannot change.

    Raises:
        DevServerError: The user's settings contain one that the development server sets itself.
    """
    fixed: dict[str, Any] = {
        "cluster.name": cluster_name,
        "node.name": node.name,
        "network.host": LOOPBACK,
        "http.port": node.http,
        "transport.port": node.transport,
        "path.data": str(folder / "data"),
        "path.logs": str(folder / "logs"),
        **(decided or {}),
    }
    if len(nodes) == 1:
        fixed["discovery.type"] = "single-node"
    else:
        fixed["discovery.seed_hosts"] = [f"{LOOPBACK}:{each.transport}" for each in nodes]
        fixed["cluster.initial_cluster_manager_nodes"] = [each.name for each in nodes]
    if taken := sorted(fixed.keys() & settings.keys()):
        raise DevServerError(f"The development server sets {', '.join(taken)} itself. Leave it out of the settings.")
    return {"cluster.routing.allocation.disk.threshold_enabled": False, **settings, **fixed}


def write_configuration(folder: Path, settings: Mapping[str, Any]) -> None:
    """Write the configuration of a node into its folder."""
    rows = "".join(f"{key}: {json.dumps(value)}\n" for key, value in settings.items())
    (folder / "config" / "opensearch.yml").write_text(rows, encoding="utf-8")
    (folder / "config" / "log4j2.properties").write_text(LOGGING)


def node_command(
    java: JavaRuntime,
    distribution: Path,
    folder: Path,
    *,
    name: str,
    options: Sequence[str],
    token: str,
    lifeline: bool,
) -> list[str]:
    """Return the command line of a node."""
    vector = [f"--add-modules={VECTOR_MODULE}"] if java.has_vector_module else []
    return [
        str(java.executable),
        *JVM_OPTIONS,
        *vector,
        *options,
        f"-Djava.io.tmpdir={folder / 'tmp'}",
        f"-Djna.tmpdir={folder / 'tmp'}",
        f"-XX:ErrorFile={folder / 'logs' / 'crash-%p.log'}",
        f"-Ddevserver.token={token}",
        f"-Ddevserver.lifeline={str(lifeline).lower()}",
        "-cp",
        f"{distribution / 'launcher'}{os.pathsep}{distribution / 'lib'}/*",
        "Launcher",
        str(distribution),
        str(folder / "config"),
        name,
    ]

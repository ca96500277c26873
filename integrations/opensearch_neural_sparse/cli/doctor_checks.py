"""Checks of `doctor` on the responses of a server; pure functions."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any

from opensearch_neural_sparse.cli.output import counted
from opensearch_neural_sparse.index.binding.model_binding import ModelBinding
from opensearch_neural_sparse.index.mapping import flat_settings
from opensearch_neural_sparse.search.query.clause_limit import MOST_CLAUSES
from opensearch_neural_sparse.server_info import KNN, NEURAL_SEARCH, ServerInfo

CLAUSE_SETTING = "indices.query.bool.max_clause_count"
BLOCKS = ("index.blocks.write", "index.blocks.read_only", "index.blocks.read_only_allow_delete")


class Verdict(StrEnum):
    """Verdict of a check: `WARN` works with surprises, `FAIL` does not work or loses data."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, kw_only=True)
class Check:
    """A check with its verdict.

    Attributes:
        name: Subject of the check.
        verdict: Its result.
        message: What was found.
        remedy: Way out of a problem, or None.
        index: The checked index, or None.
    """

    name: str
    verdict: Verdict
    message: str
    remedy: str | None = None
    index: str | None = None


def ok(name: str, message: str) -> Check:
    """Return a passed check."""
    return Check(name=name, verdict=Verdict.OK, message=message)


def warn(name: str, message: str, remedy: str) -> Check:
    """Return a check with a warning."""
    return Check(name=name, verdict=Verdict.WARN, message=message, remedy=remedy)


def fail(name: str, message: str, remedy: str) -> Check:
    """Return a failed check."""
    return Check(name=name, verdict=Verdict.FAIL, message=message, remedy=remedy)


def check_plugins(server: ServerInfo) -> Check:
    """Check the plugins that searches use."""
    if server.plugins is None:
        return warn("plugins", "The server does not list them.", "Grant the right cluster:monitor/nodes/info.")
    if NEURAL_SEARCH not in server.plugins:
        message = f"Without {NEURAL_SEARCH} the client fuses hybrid searches, and normalised scores are refused."
        return warn("plugins", message, f"Install {NEURAL_SEARCH} on every node.")
    if KNN not in server.plugins:
        return warn("plugins", f"Without {KNN} there is no dense search.", f"Install {KNN} on every node.")
    return ok("plugins", f"{NEURAL_SEARCH}, {KNN}")


def check_clauses(settings: Mapping[str, Any]) -> Check:
    """Check the server's clause limit against the longest query.

    Args:
        settings: The answer to `GET /_cluster/settings?include_defaults&flat_settings`.
    """
    levels = (settings.get(level, {}) for level in ("transient", "persistent", "defaults"))
    limit = next((int(level[CLAUSE_SETTING]) for level in levels if CLAUSE_SETTING in level), None)
    if limit is None:
        return warn("clauses", f"The server does not show {CLAUSE_SETTING}.", "Leave it at 1024 or more.")
    if limit < MOST_CLAUSES:
        message = f"{CLAUSE_SETTING} is {limit}: queries of more tokens, up to {MOST_CLAUSES}, are refused."
        return fail("clauses", message, f"Set {CLAUSE_SETTING} to 1024, its default.")
    return ok("clauses", f"{CLAUSE_SETTING} is {limit}")


def check_health(health: Mapping[str, Any]) -> Check:
    """Check that every shard of an index is assigned.

    Args:
        health: The answer to `GET /_cluster/health/<index>`; empty where it was refused.
    """
    status = health.get("status", "unknown")
    if status == "red":
        message = "Health is red: some primary shards are missing, and their documents with them."
        return fail("health", message, "GET /_cluster/allocation/explain shows why.")
    return ok("health", str(status))


def check_stamp(binding: ModelBinding | None) -> Check:
    """Check that an index carries a model stamp."""
    if binding is None:
        message = "It carries no model, so a given model is not verified."
        return warn("stamp", message, "opensearch-neural-sparse index bind INDEX --model MODEL")
    if binding.server is not None:
        server = binding.server
        return ok(
            "stamp", f"{binding.model}, encoded by the server: model {server.model_id}, pipeline {server.pipeline}"
        )
    return ok("stamp", binding.model)


def check_index(body: Mapping[str, Any], vector_field: str, server: ServerInfo, data_nodes: int) -> Iterator[Check]:
    """Check the settings of an index.

    Args:
        body: Its part of the response of `GET /<index>`.
        vector_field: Top-level field of its vectors.
        server: The server.
        data_nodes: How many nodes hold data.
    """
    settings = flat_settings(body["settings"])
    yield _check_source(body["mappings"].get("_source", {}), vector_field)
    yield _check_blocks(settings)
    yield _check_refresh(settings)
    yield _check_replicas(settings, data_nodes)
    yield _check_shards(settings, server)


def _check_source(source: Mapping[str, Any], vector_field: str) -> Check:
    includes, excludes = source.get("includes", []), source.get("excludes", [])
    left_out = any(fnmatchcase(vector_field, pattern) for pattern in excludes)
    left_out = left_out or bool(includes and not any(fnmatchcase(vector_field, pattern) for pattern in includes))
    if left_out or not source.get("enabled", True):
        message = f"_source leaves {vector_field!r} out: changes of metadata lose it, explanations show nothing."
        return fail("_source", message, "Create an index without that, by `index create`, and ingest again.")
    return ok("_source", f"holds {vector_field!r}")


def _check_blocks(settings: Mapping[str, Any]) -> Check:
    blocks = [name for name in BLOCKS if str(settings.get(name, "false")).lower() == "true"]
    if blocks:
        remedy = "Finish an interrupted `index reindex` by the same call, or free disk space; then set it to false."
        return fail("blocks", f"{', '.join(blocks)} is set: nothing can be written.", remedy)
    return ok("blocks", "none")


def _check_refresh(settings: Mapping[str, Any]) -> Check:
    interval = settings.get("index.refresh_interval", "the server's default")
    if str(interval) in ("-1", "-1ms", "-1s"):
        message = "refresh_interval is -1: documents of other programs are not found before a refresh."
        return warn("refresh", message, "Set index.refresh_interval to null, or refresh after each load.")
    return ok("refresh", f"refresh_interval is {interval}")


def _check_replicas(settings: Mapping[str, Any], data_nodes: int) -> Check:
    replicas = int(settings.get("index.number_of_replicas", 0))
    if replicas >= data_nodes > 0 and str(settings.get("index.auto_expand_replicas", "false")) == "false":
        message = (
            f"{counted(replicas, 'replica')} on {counted(data_nodes, 'data node')}: some copies cannot be assigned."
        )
        return warn("replicas", message, f"Set index.number_of_replicas to {data_nodes - 1}, or add nodes.")
    return ok("replicas", f"{replicas}")


def _check_shards(settings: Mapping[str, Any], server: ServerInfo) -> Check:
    shards = int(settings.get("index.number_of_shards", 0))
    if shards > 1 and not server.ranks_across_shards:
        message = f"{shards} shards on {server}, which ranks each separately: the client fuses hybrid searches."
        return warn("shards", message, "Use one shard, or OpenSearch 3.5 or later.")
    return ok("shards", f"{shards}")

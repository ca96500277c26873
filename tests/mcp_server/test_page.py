"""The page about agents names what the command has."""

from __future__ import annotations

import json
import re

import pytest
from typer.main import get_command

from opensearch_neural_sparse.cli.app import app
from opensearch_neural_sparse.mcp_server.agent_filters import PLAIN, WITHIN
from tests.paths import ROOT

PAGE = (ROOT / "docs" / "agents.md").read_text(encoding="utf-8")


def test_the_configuration_of_a_client_starts_the_command() -> None:
    (block,) = re.findall(r"^```json\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    (server,) = json.loads(block)["mcpServers"].values()
    assert server["command"] == "opensearch-neural-sparse"
    name, *arguments = server["args"]
    command = get_command(app).commands[name]  # type: ignore[attr-defined]
    context = command.make_context(name, arguments)
    assert list(context.params["index"]) == ["articles", "docs-*"]
    assert context.params["filter"] == [{"term": {"public": True}}]
    assert context.params["size_limit"] == 20
    assert set(server["env"]) == {"OPENSEARCH_URL", "OPENSEARCH_USERNAME", "OPENSEARCH_PASSWORD"}


@pytest.mark.parametrize("clause", ["ids", "exists"])
def test_clauses_that_the_page_allows_are_allowed(clause: str) -> None:
    assert clause in PLAIN
    assert f"`{clause}`" in PAGE


def test_the_page_names_the_clauses_around_others() -> None:
    assert ", ".join(f"`{name}`" for name in WITHIN) in PAGE

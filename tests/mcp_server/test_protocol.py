"""The command as a client of the official SDK sees it: a process of its own, over standard input and output."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from subprocess import PIPE
from typing import Any

import pytest
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from opensearch_neural_sparse.version import __version__
from tests.cli.conftest import MODEL, Run, run  # noqa: F401  a fixture
from tests.conftest import RunningServer
from tests.mcp_server.conftest import FENCE

MAIN = "from opensearch_neural_sparse.cli import main; main()"
LIMIT = 2
FENCED = ("--model", MODEL, "--filter", json.dumps(FENCE), "--size-limit", str(LIMIT))


@asynccontextmanager
async def connected(url: str, log: Path, *arguments: str) -> AsyncIterator[Client]:
    """Start the command as an agent's client does, and speak to it."""
    command = StdioServerParameters(
        command=sys.executable,
        args=["-W", "error", "-c", MAIN, "mcp", *arguments],
        env={**os.environ, "OPENSEARCH_URL": url},
    )
    with log.open("w", encoding="utf-8") as errors:
        async with Client(stdio_client(command, errlog=errors)) as client:
            yield client


async def called(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    """Call a tool that answers, and return its structured content."""
    answer = await client.call_tool(tool, arguments)
    assert not answer.is_error, answer.content
    content: dict[str, Any] | None = answer.structured_content
    assert content is not None
    return content


async def refused(client: Client, tool: str, **arguments: Any) -> str:
    """Call a tool that refuses, and return its message."""
    answer = await client.call_tool(tool, arguments)
    assert answer.is_error
    (content,) = answer.content
    assert content.type == "text"
    assert "Traceback" not in content.text
    return content.text


async def test_an_agent_lists_searches_and_reads_within_the_fence(
    server: RunningServer, articles: str, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    async with connected(server.url, log, "--index", articles, *FENCED) as client:
        assert client.server_info is not None
        assert (client.server_info.name, client.server_info.version) == ("opensearch-neural-sparse", __version__)
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert set(tools) == {"list_indices", "search", "get"}
        assert all(tool.annotations is not None and tool.annotations.read_only_hint for tool in tools.values())
        assert all(tool.output_schema is not None for tool in tools.values())
        described = tools["search"].input_schema["properties"]
        assert set(described) == {"index", "query", "mode", "size", "filter", "explain"}
        assert [name for name, shown in described.items() if not shown.get("description")] == []

        listed = await called(client, "list_indices")
        assert listed["indices"] == [{"name": articles, "models": ["small-en"], "documents": 2}]
        found = await called(client, "search", index=articles, query="heart", mode="sparse", explain=True)
        (hit,) = found["hits"]
        assert (hit["id"], hit["text"], hit["metadata"]["year"]) == ("heart", "The heart pumps blood.", 2020)
        assert hit["matches"][0]["token"] == "heart"
        since = {"range": {"year": {"gte": 2021}}}
        later = await called(client, "search", index=articles, query="stone heart", filter=since)
        assert [row["id"] for row in later["hits"]] == ["stone"]
        read = await called(client, "get", index=articles, ids=["heart", "hidden"])
        assert ([row["id"] for row in read["documents"]], read["missing"]) == (["heart"], ["hidden"])
    assert "heart" not in log.read_text(encoding="utf-8")
    assert "Serving searches: indices " in log.read_text(encoding="utf-8")


async def test_an_agent_lifts_no_fence_and_reads_no_other_index(
    server: RunningServer, articles: str, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    async with connected(server.url, log, "--index", articles, *FENCED) as client:
        for lifting in ({"term": {"public": False}}, {"bool": {"should": [{"match_all": {}}]}}, []):
            found = await called(client, "search", index=articles, query="secret heart", filter=lifting)
            assert "hidden" not in [hit["id"] for hit in found["hits"]]
        for name in (f"{articles}-x", f"{articles}*", f"{articles},{articles}-x", "*"):
            assert "list_indices names those that can be searched" in await refused(
                client, "search", index=name, query="heart"
            )
        mongo = await refused(client, "search", index=articles, query="heart", filter={"lang": {"$eq": "en"}})
        assert "a query clause of OpenSearch is taken here" in mongo
        script = {"script": {"script": {"source": "true"}}}
        assert "The query 'script' is not allowed" in await refused(
            client, "search", index=articles, query="heart", filter=script
        )
        assert f"size is {LIMIT + 1}; this server allows 1 to {LIMIT}." in await refused(
            client, "search", index=articles, query="heart", size=LIMIT + 1
        )
        assert "mode" in await refused(client, "search", index=articles, query="heart", mode="dense")
        assert "ids is 3" in await refused(client, "get", index=articles, ids=["a", "b", "c"])
        assert (await called(client, "search", index=articles, query="heart"))["hits"]
    assert "Traceback" not in log.read_text(encoding="utf-8")


async def test_a_model_in_a_folder_that_was_not_named_is_an_error_that_names_the_option(
    server: RunningServer, articles: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    async with connected(server.url, tmp_path / "log", "--index", articles) as client:
        assert "--model MODEL" in await refused(client, "search", index=articles, query="heart", mode="sparse")


@pytest.mark.newest_server
async def test_names_behind_which_there_is_nothing_are_warned_of_at_the_start(
    server: RunningServer, articles: str, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    names = (articles, f"{articles}-no", f"{articles}-no*", f"{articles}-x*", f"{articles}-bare")
    options = [part for name in names for part in ("--index", name)]
    async with connected(server.url, log, *options, "--model", MODEL) as client:
        warned = [line.partition(" WARNING ")[2] for line in log.read_text().splitlines() if " WARNING " in line]
        until = "Agents find nothing there until that changes."
        assert warned == [
            f"There is no index '{articles}-no'. {until}",
            f"No index behind '{articles}-bare' carries a model: `index bind` names one. {until}",
            f"No index matches '{articles}-no*'. {until}",
        ]
        listed = await called(client, "list_indices")
        assert [index["name"] for index in listed["indices"]] == [articles, f"{articles}-x"]


async def test_wrong_arguments_are_refused_in_plain_words(server: RunningServer, articles: str, tmp_path: Path) -> None:
    async with connected(server.url, tmp_path / "log", "--index", articles, "--model", MODEL) as client:
        said = await refused(client, "search", index=articles, query="heart", mode="rrf")
        assert re.fullmatch(r"mode: it should be '\w+', '\w+' or '\w+'\.", said)
        said = await refused(client, "search", index=articles, size="many")
        assert "query: it is missing." in said
        assert "size: it should be a valid integer" in said
        assert "pydantic" not in said


async def test_a_server_that_does_not_answer_is_an_error_of_the_tool(tmp_path: Path) -> None:
    async with connected("http://localhost:1", tmp_path / "log", "--index", "articles") as client:
        assert "http://localhost:1" in await refused(client, "list_indices")


def test_the_command_ends_with_its_input_and_prints_nothing_but_the_protocol() -> None:
    command = [sys.executable, "-W", "error", "-c", MAIN, "mcp", "--index", "articles"]
    here = {**os.environ, "OPENSEARCH_URL": "http://localhost:1"}
    done = subprocess.run(command, input="", capture_output=True, text=True, check=False, timeout=60, env=here)
    assert (done.returncode, done.stdout) == (0, "")
    assert "Serving searches: indices articles, without a fence, at most 50 documents a call." in done.stderr
    warning, _ = done.stderr.splitlines()
    assert "WARNING The allowed indices were not checked. OpenSearch at http://localhost:1 did not answer" in warning


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_command_while_it_waits_for_input(number: signal.Signals) -> None:
    command = [sys.executable, "-W", "error", "-c", MAIN, "mcp", "--index", "articles"]
    with subprocess.Popen(command, stdin=PIPE, stdout=PIPE, stderr=PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "ping"}) + "\n")
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["id"] == 1
        process.send_signal(number)
        assert process.wait(timeout=20) == 128 + number
        assert process.stdout.read() == ""


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        ((), 2, "Missing option '--index'"),
        (("--index", "a,b"), 2, "'a,b' is neither the name of one index or alias nor a pattern"),
        (("--index", "a", "--filter", "x"), 2, "It is not JSON"),
        (("--index", "a", "--filter", '{"a": {"$eq": 1}}'), 2, "a query clause of OpenSearch is taken here"),
        (("--index", "a", "--size-limit", "0"), 2, "--size-limit"),
        (("--index", "a", "--model", "no-such-model"), 1, "no-such-model"),
        (("--index", "a", "--url", "ftp://localhost"), 2, "--url"),
    ],
)
def test_a_wrong_start_is_refused_in_one_line(
    run: Run,  # noqa: F811
    arguments: tuple[str, ...],
    status: int,
    message: str,
) -> None:
    done = run("mcp", *arguments)
    assert (done.status, done.out, len(done.err.splitlines())) == (status, "", 1)
    assert message in done.err


def test_a_missing_sdk_names_the_extra(monkeypatch: pytest.MonkeyPatch, run: Run) -> None:  # noqa: F811
    for name in [name for name in sys.modules if name == "opensearch_neural_sparse.mcp_server.server"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "mcp", None)
    for name in [name for name in sys.modules if name.startswith("mcp.")]:
        monkeypatch.setitem(sys.modules, name, None)
    done = run("mcp", "--index", "a")
    assert (done.status, len(done.err.splitlines())) == (1, 1)
    assert "A search tool for agents needs the module 'mcp" in done.err
    assert "pip install 'opensearch-neural-sparse[mcp]'" in done.err

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from opensearch_neural_sparse.cli.commands.devserver import describe
from opensearch_neural_sparse.devserver import DevServer, Origin
from opensearch_neural_sparse.devserver.server import URL_VARIABLE
from opensearch_neural_sparse.version import __version__
from tests.conftest import SECURED_SETTINGS, RunningServer

pytestmark = pytest.mark.newest_server

WITHOUT = "import sys; sys.modules[{module!r}] = None; from opensearch_neural_sparse.cli import main; main()"


def run(*arguments: str, code: str = "from opensearch_neural_sparse.cli import main; main()", **variables: str):
    environment = {key: value for key, value in os.environ.items() if key != URL_VARIABLE}
    command = [sys.executable, "-W", "error", "-c", code, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={**environment, **variables})


def test_the_version_is_shown():
    done = run("--version")
    assert (done.returncode, done.stdout) == (0, f"{__version__}\n")


@pytest.mark.parametrize("module", ["typer", "rich"])
def test_without_the_extra_one_line_says_how_to_install_it(module: str):
    done = run("--version", code=WITHOUT.format(module=module))
    assert done.returncode == 1
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert f"'{module}'" in done.stderr
    assert "pip install 'opensearch-neural-sparse[cli]'" in done.stderr


def test_an_error_is_a_message_without_a_traceback():
    done = run("devserver", "start", "--version", "9.9.9")
    assert done.returncode == 1
    assert done.stderr.startswith("Error: OpenSearch 9.9.9 cannot be assembled")
    assert "Traceback" not in done.stderr


def test_a_profile_that_the_version_lacks_is_refused_with_those_it_has():
    done = run("devserver", "start", "--profile", "security")
    assert done.returncode == 1
    assert done.stderr.startswith("Error: OpenSearch 3.6.0 has no profile 'security' here, only plain, cluster, ml.")
    assert "--version 2.19.1" in done.stderr


def test_a_setting_without_a_value_is_refused():
    done = run("devserver", "start", "--setting", "lonely")
    assert done.returncode == 2
    assert "name=value" in done.stderr


def test_nothing_runs_in_an_empty_home(tmp_path: Path):
    status = run("devserver", "status", "--home", str(tmp_path))
    assert (status.returncode, status.stdout) == (1, "No server runs.\n")
    stop = run("devserver", "stop", "--home", str(tmp_path))
    assert (stop.returncode, stop.stdout) == (0, "No such server runs.\n")


def test_nothing_that_runs_is_told_as_json_too(tmp_path: Path):
    for command, status, told in (("status", 1, {"servers": []}), ("stop", 0, {"stopped": []})):
        done = run("devserver", command, "--home", str(tmp_path), "--json")
        assert (done.returncode, json.loads(done.stdout)) == (status, told)


def test_a_named_server_is_reported_without_credentials(server: RunningServer):
    url = server.url.replace("http://", "http://user:secret@")
    for command in ("start", "status"):
        done = run("devserver", command, OPENSEARCH_URL=url)
        assert done.returncode == 0, done.stderr
        assert server.url.removeprefix("http://") in done.stdout
        assert "secret" not in done.stdout + done.stderr
    assert server.version in done.stdout
    told = json.loads(run("devserver", "status", "--json", OPENSEARCH_URL=url).stdout)["servers"][0]
    assert (told["version"], told["home"]) == (server.version, None)
    assert "secret" not in told["url"]


@pytest.mark.slow
def test_the_login_of_a_secured_server_is_pointed_at_and_not_shown(secured_server: DevServer):
    assert secured_server.login is not None
    home = ("--home", str(secured_server.home))
    settings = [f"--setting={name}={value}" for name, value in SECURED_SETTINGS.items()]
    start = run("devserver", "start", "--version", "2.19.1", "--profile", "security-ml", *home, *settings)
    status = run("devserver", "status", *home)
    assert start.stdout == f"{secured_server.url}\n"
    assert str(secured_server.login.ca_file.parent) in start.stderr
    # yellow where an earlier test made an index whose replica has no second node to go to
    assert any(f"{secured_server.url}  2.19.1  {health}" in status.stdout for health in ("green", "yellow"))
    assert secured_server.login.password not in start.stderr + status.stdout + status.stderr


@pytest.mark.slow
def test_a_server_is_started_shown_and_stopped(tmp_path: Path):
    home = ("--home", str(tmp_path / "home"))
    try:
        start = run("devserver", "start", *home, "--heap", "512m", "--setting", "node.attr.made=here")
        assert start.returncode == 0, start.stderr
        url = start.stdout.strip()
        assert start.stdout == f"{url}\n", "nothing but the URL, so that a script can take it"
        assert url.startswith("http://127.0.0.1:")
        told = start.stderr.splitlines()
        assert told[-2] == "Starting OpenSearch 3.6.0 ..."
        assert re.fullmatch(r"Ready after \d+ s\.", told[-1])
        status = run("devserver", "status", *home)
        assert status.returncode == 0
        assert f"{url}  3.6.0  green" in status.stdout
        assert f"{url}  3.6.0  green" in run("devserver", "status").stdout, "without its home, too"
        log = run("devserver", "logs", *home, "--lines", "5")
        assert len(log.stdout.splitlines()) == 5
    finally:
        stop = run("devserver", "stop", *home)
    assert stop.stdout == f"Stopped 3.6.0 at {url}.\n"
    assert run("devserver", "status", *home).returncode == 1
    assert url not in run("devserver", "status").stdout
    assert "closed" in run("devserver", "logs", *home).stdout, "the log outlives the server"


@pytest.mark.slow
def test_a_variable_that_names_a_stopped_server_stops_no_start(tmp_path: Path):
    home = ("--home", str(tmp_path / "home"))
    try:
        url = run("devserver", "start", *home, "--heap", "512m").stdout.strip()
        rows = run("devserver", "status", OPENSEARCH_URL=url.replace("127.0.0.1", "localhost")).stdout.splitlines()
        assert [", named by OPENSEARCH_URL, pid " in row for row in rows if url.rpartition(":")[2] in row] == [True]
        assert "named by" not in run("devserver", "status").stdout

        stop = run("devserver", "stop", *home, OPENSEARCH_URL=url)
        stale = f"OPENSEARCH_URL still names {url}, which has stopped: unset OPENSEARCH_URL\n"
        assert (stop.returncode, stop.stderr) == (0, stale)
        assert run("devserver", "stop", *home, OPENSEARCH_URL=url).stderr == stale, "it is so still"
        assert run("devserver", "stop", *home, OPENSEARCH_URL="http://127.0.0.1:1").stderr == ""

        again = run("devserver", "start", *home, "--heap", "512m", OPENSEARCH_URL=url)
        assert again.returncode == 0, again.stderr
        new = again.stdout.strip()
        assert again.stderr.endswith(f"OPENSEARCH_URL names {url}, which has stopped; {new} runs instead.\n")
        assert run("devserver", "status", *home, OPENSEARCH_URL=url).returncode == 0
    finally:
        run("devserver", "stop", *home)


def test_a_variable_that_names_an_unknown_server_is_an_error_still(tmp_path: Path):
    done = run("devserver", "start", "--home", str(tmp_path), OPENSEARCH_URL="http://127.0.0.1:1")
    assert (done.returncode, done.stdout) == (1, "")
    assert "OPENSEARCH_URL names http://127.0.0.1:1, which does not answer" in done.stderr


def test_what_yellow_and_red_mean_is_said(monkeypatch: pytest.MonkeyPatch):
    server = DevServer(url="http://127.0.0.1:1", version="3.6.0", origin=Origin.ENVIRONMENT)
    shown = {}
    for health in ("green", "yellow", "red", None):
        monkeypatch.setattr(DevServer, "health", lambda server, health=health: health)
        shown[health] = describe(server).split("  ")[2]
    assert shown["green"] == "green"
    assert shown["yellow"] == "yellow: every document is there, some replicas are on no node"
    assert shown["red"].startswith("red: some primary shards are missing")
    assert shown[None] == "does not answer"

from __future__ import annotations

import json
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from opensearch_neural_sparse.devserver import DevServer, Origin, Profile, StartOptions
from opensearch_neural_sparse.devserver.docker import run_command
from opensearch_neural_sparse.errors import DevServerError

FAKE = Path(__file__).with_name("fake_docker.py")


def install_docker(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    docker = folder / "docker"
    docker.write_text(f"#!/bin/sh\n{script}\n")
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for docker on the PATH; the file that lists how it was called."""
    install_docker(tmp_path, f'exec "{sys.executable}" "{FAKE}" "$@"', monkeypatch)
    monkeypatch.setenv("FAKE_DOCKER", str(tmp_path))
    return tmp_path / "calls"


def test_the_official_image_runs_with_a_pinned_tag_on_this_machine_alone():
    command = run_command(StartOptions(version="2.19.1", heap="512m"), name="name", port=9201)
    assert command[:4] == ["run", "--detach", "--name", "name"]
    assert command[-1] == "opensearchproject/opensearch:2.19.1"
    assert command[command.index("--publish") + 1] == "127.0.0.1:9201:9200"
    variables = [value for option, value in pairwise(command) if option == "--env"]
    assert "DISABLE_SECURITY_PLUGIN=true" in variables
    assert "discovery.type=single-node" in variables
    assert "OPENSEARCH_JAVA_OPTS=-Xms512m -Xmx512m" in variables


def test_data_lies_in_a_volume_unless_it_is_ephemeral():
    kept = run_command(StartOptions(), name="name", port=1)
    assert kept[kept.index("--volume") + 1] == "name:/usr/share/opensearch/data"
    assert "--volume" not in run_command(StartOptions(ephemeral=True), name="name", port=1)


def test_settings_are_handed_to_the_container():
    command = run_command(StartOptions(settings={"a.flag": True, "a.count": 3}), name="name", port=1)
    assert {"a.flag=true", "a.count=3"} <= set(command)


def test_a_container_is_started_found_and_stopped(calls: Path, tmp_path: Path):
    home = tmp_path / "home"
    server = DevServer.start(own=True, home=home, docker=True)
    assert server.origin is Origin.DOCKER
    assert server.health() == "green"
    assert DevServer.start(own=True, home=home, docker=True) == server == DevServer.find(home)
    assert server.logs() == "the log of the container"
    assert server.pids == ()
    assert server.stop()
    assert DevServer.find(home) is None
    commands = [json.loads(line)[0] for line in calls.read_text().splitlines()]
    assert commands.count("run") == 1
    assert commands[-2:] == ["stop", "rm"] or commands[-3:-1] == ["stop", "rm"]


def test_a_daemon_that_does_not_answer_is_an_error_that_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    install_docker(tmp_path, 'echo "Cannot connect to the Docker daemon" >&2; exit 1', monkeypatch)
    with pytest.raises(DevServerError, match="leave out --docker") as raised:
        DevServer.start(own=True, home=tmp_path / "home", docker=True)
    assert "Cannot connect" in raised.value.log


def test_a_machine_without_docker_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DevServerError, match="docker: not found"):
        DevServer.start(own=True, home=tmp_path / "home", docker=True)


def test_docker_runs_one_node_only(tmp_path: Path):
    with pytest.raises(DevServerError, match="not 'cluster'"):
        DevServer.start(own=True, home=tmp_path / "home", docker=True, profile=Profile.CLUSTER)

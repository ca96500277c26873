"""Real servers: started, found, killed, stopped."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from opensearch_neural_sparse.devserver import DevServer, Origin, Profile
from opensearch_neural_sparse.devserver.node.home import ServerHome
from opensearch_neural_sparse.devserver.node.http import get_json
from opensearch_neural_sparse.devserver.node.process import read_command_line
from opensearch_neural_sparse.devserver.server import URL_VARIABLE
from opensearch_neural_sparse.errors import DevServerError
from tests.conftest import SMALL_AND_QUICK, RunningServer

pytestmark = pytest.mark.slow

START = """
import sys
from pathlib import Path
from opensearch_neural_sparse.devserver import DevServer
server = DevServer.start(own=True, home=Path(sys.argv[1]), heap="512m", jvm_options=["-XX:TieredStopAtLevel=1"])
print(server.url, *server.pids)
"""
OWN = """
import sys, time
from pathlib import Path
from opensearch_neural_sparse.devserver import DevServer
quick = ["-XX:TieredStopAtLevel=1"]
with DevServer.running(own=True, home=Path(sys.argv[1]), heap="512m", jvm_options=quick) as server:
    print(server.pids[0], flush=True)
    time.sleep(600)
"""


def send(url: str, method: str, path: str, body: object = None) -> Any:
    content = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url + path, data=content, method=method, headers=headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def run_python(code: str, home: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code, str(home)], capture_output=True, text=True, check=False)


def wait_until(condition: Callable[[], bool], seconds: float = 30) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@pytest.fixture(scope="module")
def detached(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[DevServer, list[str]]]:
    """A server that two other processes started at the same time, and what each of them said of it."""
    home = tmp_path_factory.mktemp("detached")
    with ThreadPoolExecutor(2) as pool:
        runs = list(pool.map(run_python, [START, START], [home, home]))
    assert [run.returncode for run in runs] == [0, 0], [run.stderr for run in runs]
    server = DevServer.find(home)
    assert server is not None
    yield server, [run.stdout for run in runs]
    server.stop()


def test_two_starts_at_once_end_with_one_server(detached: tuple[DevServer, list[str]]):
    server, told = detached
    assert told[0] == told[1] == f"{server.url} {server.pids[0]}\n"


def test_a_started_server_outlives_its_starter_and_answers(detached: tuple[DevServer, list[str]]):
    server, _ = detached
    assert server.health() == "green"
    assert server.origin is Origin.ASSEMBLED
    assert get_json(server.url)["version"]["number"] == "3.6.0"
    assert "started" in server.logs(200)


def test_a_server_in_a_home_of_its_own_is_found_with_the_others(detached: tuple[DevServer, list[str]]):
    server, _ = detached
    assert server in DevServer.find_all()


def test_it_listens_on_the_loopback_address_alone(detached: tuple[DevServer, list[str]]):
    server, _ = detached
    nodes = get_json(server.url, "/_nodes/http,transport")["nodes"].values()
    bound = [address for node in nodes for kind in ("http", "transport") for address in node[kind]["bound_address"]]
    assert {address.rpartition(":")[0] for address in bound} == {"127.0.0.1"}


def test_starting_again_gives_the_same_server(detached: tuple[DevServer, list[str]]):
    server, _ = detached
    assert server.home is not None
    assert DevServer.start(own=True, home=server.home) == server


@pytest.mark.parametrize(
    ("arguments", "named"),
    [({"version": "2.19.1"}, "2.19.1"), ({"port": 1}, "port"), ({"settings": {"a": "b"}}, "settings")],
    ids=["version", "port", "settings"],
)
def test_another_server_in_the_same_home_is_refused(
    detached: tuple[DevServer, list[str]], arguments: dict[str, Any], named: str
):
    server, _ = detached
    with pytest.raises(DevServerError, match=named) as raised:
        DevServer.start(own=True, home=server.home, **arguments)
    assert server.url in str(raised.value)
    assert server.health() == "green"


def test_a_block_does_not_take_over_a_server_that_runs_already(detached: tuple[DevServer, list[str]]):
    server, _ = detached
    with pytest.raises(DevServerError, match="runs a server already"), DevServer.running(own=True, home=server.home):
        pytest.fail("it must not come to this")
    assert server.health() == "green"


def test_a_busy_port_is_an_error_that_names_it(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(DevServerError, match=f"Port {port} is busy"):
            DevServer.start(own=True, home=tmp_path / "home", port=port)
    assert ServerHome(tmp_path / "home").read_state() is None


def test_a_crash_at_start_shows_the_error_of_the_log(tmp_path: Path):
    home = tmp_path / "home"
    with pytest.raises(DevServerError, match=r"unknown setting \[no\.such\.setting\]") as raised:
        DevServer.start(own=True, home=home, **SMALL_AND_QUICK, settings={"no.such.setting": 1})
    assert "unknown setting" in raised.value.log
    assert "\tat " not in raised.value.log
    assert DevServer.find(home) is None
    assert "unknown setting" in DevServer.read_log(home), "the log is kept"


def test_a_server_that_is_not_ready_in_time_is_ended(tmp_path: Path):
    with pytest.raises(DevServerError, match=r"not ready in 0\.2 s"):
        DevServer.start(own=True, home=tmp_path, **SMALL_AND_QUICK, timeout=0.2)
    assert ServerHome(tmp_path).read_state() is None


def test_a_killed_server_is_known_to_be_dead_and_comes_back_with_its_data(
    private_server: Callable[..., DevServer],
):
    first = private_server()
    pids = first.pids
    port = int(first.url.rpartition(":")[2])
    send(first.url, "PUT", "/kept/_doc/1?refresh=true", {"text": "still here"})
    first.kill()
    assert first.health() is None
    assert first.pids == pids, "the state file of a dead server is still there"
    assert DevServer.find(Path(str(first.home))) is None

    second = private_server(home=first.home, port=port)
    assert second.url == first.url
    assert second.pids != pids
    assert send(second.url, "GET", "/kept/_doc/1")["_source"] == {"text": "still here"}
    assert second.stop()
    assert not second.stop(), "it is stopped already"


def test_a_server_ends_with_its_owner_even_if_that_is_killed(tmp_path: Path):
    with subprocess.Popen([sys.executable, "-c", OWN, str(tmp_path)], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        pid = int(owner.stdout.readline())
        assert read_command_line(pid)
        owner.send_signal(signal.SIGKILL)
    assert wait_until(lambda: read_command_line(pid) == ""), "the server outlived its owner"


def test_a_named_server_comes_first_and_is_left_alone(server: RunningServer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(URL_VARIABLE, server.url.replace("http://", "http://user:secret@"))
    named = DevServer.start(version="3.6.0", profile=Profile.CLUSTER)
    assert named.version == server.version
    assert named.origin is Origin.ENVIRONMENT
    assert "secret" not in f"{named!r} {named.address}"
    with DevServer.running() as same:
        assert same == named
    assert not named.stop()
    assert named.pids == ()
    assert named.logs() == ""
    assert named.health() is not None


def test_a_named_server_that_does_not_answer_is_an_error_without_credentials(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(URL_VARIABLE, "http://user:secret@127.0.0.1:1")
    with pytest.raises(DevServerError, match=r"OPENSEARCH_URL names http://127\.0\.0\.1:1,") as raised:
        DevServer.start()
    assert "secret" not in str(raised.value)


def test_both_lines_score_as_published(server: RunningServer, index_name: str):
    mapping = {"properties": {"e": {"type": "rank_features"}}}
    send(server.url, "PUT", f"/{index_name}", {"mappings": mapping})
    send(server.url, "PUT", f"/{index_name}/_doc/1?refresh=true", {"e": {"hello": 1.5, "world": 0.5, ".": 0.3}})
    query = {"neural_sparse": {"e": {"query_tokens": {"hello": 2.0, ".": 1.0}}}}
    (hit,) = send(server.url, "POST", f"/{index_name}/_search", {"query": query})["hits"]["hits"]
    assert hit["_score"] == pytest.approx(3.2998047, abs=1e-6)


def test_a_cluster_has_three_nodes_that_share_an_index(private_server: Callable[..., DevServer]):
    cluster = private_server(profile=Profile.CLUSTER)
    assert len(cluster.pids) == 3
    assert get_json(cluster.url, "/_cluster/health")["number_of_nodes"] == 3
    send(cluster.url, "PUT", "/spread", {"settings": {"number_of_shards": 3, "number_of_replicas": 0}})
    shards = send(cluster.url, "GET", "/_cat/shards/spread?format=json")
    assert {shard["node"] for shard in shards} == {"n1", "n2", "n3"}
    os.kill(cluster.pids[2], signal.SIGKILL)
    assert cluster.home is not None
    assert wait_until(lambda: DevServer.find(Path(str(cluster.home))) is None), (
        "a cluster with a dead node is not whole"
    )


def test_a_block_without_a_home_leaves_nothing_behind():
    with DevServer.running(own=True, version="2.19.1", **SMALL_AND_QUICK) as server:
        assert server.home is not None
        assert server.home.exists()
        assert server not in DevServer.find_all(), "the servers of programs are not those of the user"
    assert not server.home.exists()
    assert server.health() is None

from __future__ import annotations

from pathlib import Path

from opensearch_neural_sparse.devserver.node.home import ServerHome, ServerState
from opensearch_neural_sparse.devserver.node.process import NodeProcess
from opensearch_neural_sparse.devserver.profile import Profile

STATE = ServerState(
    version="3.6.0",
    profile=Profile.CLUSTER,
    url="http://127.0.0.1:9200",
    settings={"name": "value"},
    processes=(NodeProcess(pid=1, token="a"), NodeProcess(pid=2, token="b")),
)


def test_what_runs_is_written_and_read_back(tmp_path: Path):
    home = ServerHome(tmp_path / "home")
    assert home.read_state() is None
    home.write_state(STATE)
    assert home.read_state() == STATE
    assert STATE.port == 9200


def test_a_state_of_another_format_is_no_state(tmp_path: Path):
    (tmp_path / "state.json").write_text('{"format": 99}')
    assert ServerHome(tmp_path).read_state() is None


def test_clearing_removes_what_was_made_here_and_nothing_else(tmp_path: Path):
    home = ServerHome(tmp_path)
    home.prepare("n1")
    home.security.mkdir()
    home.write_state(STATE)
    (tmp_path / "my notes.txt").write_text("mine")
    home.clear(data=True)
    assert [path.name for path in tmp_path.iterdir()] == ["my notes.txt"]


def test_clearing_without_data_keeps_data_and_logs(tmp_path: Path):
    home = ServerHome(tmp_path / "home")
    (home.prepare("n1") / "data" / "file").write_text("kept")
    home.write_state(STATE)
    home.clear(data=False)
    assert home.read_state() is None
    assert (home.node("n1") / "data" / "file").exists()


def test_a_home_that_held_nothing_else_goes_with_its_data(tmp_path: Path):
    home = ServerHome(tmp_path / "home")
    home.prepare("n1")
    home.write_state(STATE)
    home.clear(data=True)
    assert not home.path.exists()


def test_the_last_log_is_put_aside(tmp_path: Path):
    home = ServerHome(tmp_path)
    home.prepare("n1")
    home.log("n1").write_text("first")
    home.prepare("n1")
    assert not home.log("n1").exists()
    assert (home.node("n1") / "logs" / "server.previous.log").read_text() == "first"


def test_every_home_has_a_cluster_name_of_its_own(tmp_path: Path):
    one, two = ServerHome(tmp_path / "one"), ServerHome(tmp_path / "two")
    assert one.cluster_name == ServerHome(tmp_path / "one").cluster_name != two.cluster_name
    assert one.lock_name != two.lock_name

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from opensearch_neural_sparse.devserver.distribution.java import VECTOR_MODULE, JavaRuntime
from opensearch_neural_sparse.devserver.node.configuration import (
    NodeAddress,
    node_command,
    node_settings,
    write_configuration,
)
from opensearch_neural_sparse.devserver.options import StartOptions
from opensearch_neural_sparse.devserver.profile import Profile
from opensearch_neural_sparse.devserver.security.certificates import security_settings
from opensearch_neural_sparse.errors import DevServerError

ONE = NodeAddress(name="n1", http=9200, transport=9300)
TWO = NodeAddress(name="n2", http=9201, transport=9301)


def settings_of(*nodes: NodeAddress, **settings: object) -> dict[str, object]:
    return node_settings(
        nodes[0], nodes, Path("/home/n1"), "name", {key.replace("_", "."): settings[key] for key in settings}
    )


def command_with(*modules: str, lifeline: bool = False) -> list[str]:
    java = JavaRuntime(executable=Path("/java"), major=25, modules=frozenset(modules))
    return node_command(
        java, Path("/dist"), Path("/home/n1"), name="n1", options=["-Xmx512m"], token="abc", lifeline=lifeline
    )


def test_a_server_listens_on_this_machine_alone():
    assert settings_of(ONE)["network.host"] == "127.0.0.1"


def test_one_node_is_a_cluster_of_its_own_and_several_look_for_each_other():
    assert settings_of(ONE)["discovery.type"] == "single-node"
    several = settings_of(ONE, TWO)
    assert "discovery.type" not in several
    assert several["discovery.seed_hosts"] == ["127.0.0.1:9300", "127.0.0.1:9301"]
    assert several["cluster.initial_cluster_manager_nodes"] == ["n1", "n2"]


def test_settings_are_added():
    assert settings_of(ONE, action_auto="false")["action.auto"] == "false"


def test_connectors_of_the_ml_profile_may_call_this_machine_and_nothing_else():
    (trusted,) = Profile.ML.settings["plugins.ml_commons.trusted_connector_endpoints_regex"]
    for endpoint in ("http://127.0.0.1:8080/encode", "http://localhost", "https://localhost:1/"):
        assert re.fullmatch(trusted, endpoint)
    for endpoint in ("http://127.0.0.1.example.org/", "http://localhost.example.org", "http://127.0.0.1@example.org/"):
        assert not re.fullmatch(trusted, endpoint)


def test_the_rows_of_a_secured_server_cannot_be_asked_for():
    decided = security_settings(Path("/home/security"))
    assert node_settings(ONE, (ONE,), Path("/home/n1"), "name", {}, decided=decided).items() >= decided.items()
    with pytest.raises(DevServerError, match=r"plugins\.security\.ssl\.http\.enabled"):
        node_settings(ONE, (ONE,), Path("/n1"), "name", {"plugins.security.ssl.http.enabled": False}, decided=decided)


def test_a_setting_that_is_decided_here_is_refused_by_name():
    with pytest.raises(DevServerError, match=r"http\.port, network\.host"):
        settings_of(ONE, network_host="0.0.0.0", http_port=1)


def test_the_configuration_is_yaml_with_odd_characters_kept(tmp_path: Path):
    (tmp_path / "config").mkdir()
    settings = {"path.data": "/with space/and: colon/ü", "flag": True, "list": ["a", "b"]}
    write_configuration(tmp_path, settings)
    assert yaml.safe_load((tmp_path / "config" / "opensearch.yml").read_text(encoding="utf-8")) == settings


def test_the_vector_module_is_asked_for_only_where_the_runtime_has_it():
    option = f"--add-modules={VECTOR_MODULE}"
    assert option in command_with(VECTOR_MODULE)
    assert option not in command_with()


def test_the_command_holds_token_heap_and_lifeline():
    command = command_with(lifeline=True)
    assert {"-Xmx512m", "-Ddevserver.token=abc", "-Ddevserver.lifeline=true"} <= set(command)
    assert command[-3:] == ["/dist", "/home/n1/config", "n1"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("http.host", "0.0.0.0"),
        ("http.bind_host", "_site_"),
        ("network.bind_host", "127.0.0.1,10.0.0.1"),
        ("transport.host", "::"),
    ],
)
def test_a_setting_that_opens_the_server_to_other_machines_is_refused(name: str, value: str):
    with pytest.raises(DevServerError, match=rf"{name}={value} opens a server without protection.*ssh -L"):
        StartOptions.of(settings={name: value})


@pytest.mark.parametrize("value", ["127.0.0.1", "_local_", "localhost", "::1", "[127.0.0.1, ::1]", '["127.0.0.1"]'])
def test_a_setting_of_this_machine_alone_is_taken(value: str):
    assert StartOptions.of(settings={"http.host": value}).settings == {"http.host": value}

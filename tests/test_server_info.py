from typing import Any

import pytest

from opensearch_neural_sparse import UnsupportedServerError
from opensearch_neural_sparse.server_info import KNN, NEURAL_SEARCH, ServerInfo, format_version, parse_version
from tests.conftest import RunningServer


def info(number: str, distribution: str = "opensearch") -> dict[str, Any]:
    return {"version": {"distribution": distribution, "number": number}}


@pytest.mark.parametrize(
    ("number", "version"), [("3.6.0", (3, 6, 0)), ("2.19.1", (2, 19, 1)), ("3.0.0-beta1-SNAPSHOT", (3, 0, 0))]
)
def test_version_is_read(number: str, version: tuple[int, int, int]) -> None:
    assert parse_version(number) == version
    assert number.startswith(format_version(version))


@pytest.mark.parametrize("number", ["", "unknown", "3.6", "v3.6.0"])
def test_version_that_cannot_be_read_is_an_error(number: str) -> None:
    with pytest.raises(UnsupportedServerError, match=r"major\.minor\.patch"):
        parse_version(number)


def test_real_server_is_read(client: Any, server: RunningServer) -> None:
    found = ServerInfo.from_responses(client.info(), client.cat.plugins(format="json"))
    assert str(found) == f"OpenSearch {server.version}"
    assert found.plugins is not None
    assert {KNN, NEURAL_SEARCH} <= found.plugins
    found.require_plugin(NEURAL_SEARCH, "Hybrid search")
    assert found.ranks_across_shards == (parse_version(server.version) >= (3, 5, 0))


@pytest.mark.parametrize(("number", "distribution"), [("8.15.0", "elasticsearch"), ("2.18.0", "opensearch")])
def test_other_or_older_server_is_refused_with_its_name(number: str, distribution: str) -> None:
    with pytest.raises(UnsupportedServerError, match=number) as error:
        ServerInfo.from_responses(info(number, distribution))
    assert "2.19" in error.value.required


def test_server_without_a_distribution_is_elasticsearch() -> None:
    with pytest.raises(UnsupportedServerError, match=r"elasticsearch 7\.9\.0"):
        ServerInfo.from_responses({"version": {"number": "7.9.0"}})


def test_plugins_are_those_on_every_node() -> None:
    rows = [
        {"name": "n1", "component": KNN},
        {"name": "n1", "component": NEURAL_SEARCH},
        {"name": "n2", "component": KNN},
    ]
    server = ServerInfo.from_responses(info("3.6.0"), rows)
    assert server.plugins == frozenset({KNN})
    with pytest.raises(UnsupportedServerError, match=r"Hybrid search needs the plugin .*neural-search.*with .*knn"):
        server.require_plugin(NEURAL_SEARCH, "Hybrid search")


def test_server_without_plugins_is_told_from_one_that_does_not_say() -> None:
    bare = ServerInfo.from_responses(info("3.6.0"), [])
    with pytest.raises(UnsupportedServerError, match="no plugins"):
        bare.require_plugin(NEURAL_SEARCH, "Hybrid search")
    silent = ServerInfo.from_responses(info("3.6.0"), None)
    assert silent.plugins is None
    silent.require_plugin(NEURAL_SEARCH, "Hybrid search")


def test_plugin_that_an_answer_showed_to_be_missing_tells_nothing_of_another() -> None:
    server = ServerInfo.from_responses(info("3.6.0"), None).without(NEURAL_SEARCH)
    server.require_plugin(KNN, "A dense leg")
    with pytest.raises(UnsupportedServerError, match=r"Hybrid search needs the plugin .*neural-search.*without it"):
        server.require_plugin(NEURAL_SEARCH, "Hybrid search")


def test_feature_of_a_later_version_is_refused_with_both_versions() -> None:
    server = ServerInfo(version=(3, 4, 0))
    server.require((3, 4, 0), "It")
    with pytest.raises(UnsupportedServerError) as error:
        server.require((3, 5, 0), "It")
    assert (error.value.feature, error.value.found) == ("It", "OpenSearch 3.4.0")
    assert error.value.required == "OpenSearch 3.5.0 or later"

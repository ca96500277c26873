"""Commands on an index that the server encodes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from opensearch_neural_sparse.server_models.deployed_model import DeployedModel
from opensearch_neural_sparse.store.encoders import Encoders
from tests.cli.conftest import MODEL, ROWS, Run
from tests.conftest import RunningServer


@pytest.fixture
def index(model_index: str, model_client: Any) -> Iterator[str]:
    yield model_index
    model_client.indices.delete(index=model_index, ignore_unavailable=True)
    model_client.ingest.delete_pipeline(id=f"{model_index}-sparse-encoding", ignore=[404])


def test_index_is_created_written_and_searched(
    run: Run, model_server: RunningServer, index: str, deployed: DeployedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENSEARCH_URL", model_server.url)
    ids = ("--server-model-id", deployed.model_id, "--server-query-model-id", deployed.query_model_id)
    created = run("index", "create", index, "--model", MODEL, "--replicas", "0", *ids)
    assert created.status == 0, created.err
    assert f"The server encodes its documents: model {deployed.model_id}, pipeline {index}-sparse-encoding." in (
        created.words
    )

    def no_engine(*_: Any) -> None:
        raise AssertionError("an engine was loaded here")

    with monkeypatch.context() as patched:
        patched.setattr(Encoders, "document", no_engine)
        ingested = run("ingest", index, "-", "--model", MODEL, stdin="\n".join(map(json.dumps, ROWS)).encode())
    assert (ingested.status, ingested.err) == (0, "")
    found = run("search", index, "cardiac", "--json", "--model", MODEL)
    assert found.json["hits"][0]["id"] == "arrest"
    stamp = run("index", "info", index, "--json").json["indices"][0]["models"]["sparse_vector"]
    assert stamp["server"]["query_model_id"] == deployed.query_model_id
    shown = run("index", "info", index).words
    assert f"server model_id {deployed.model_id}" in shown
    assert "probe" not in shown
    assert f"encoded by the server: model {deployed.model_id}" in run("doctor", index).words


def test_index_of_passages_is_created_written_and_searched(
    run: Run, model_server: RunningServer, index: str, deployed: DeployedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENSEARCH_URL", model_server.url)
    options = ("--server-model-id", deployed.model_id, "--server-chunking", "delimiter:.", "--replicas", "0")
    created = run("index", "create", index, "--model", MODEL, *options)
    assert created.status == 0, created.err
    assert "It cuts their texts first: algorithm 'delimiter', delimiter '.'." in created.words
    row = {"id": "long", "text": "Rivers carry water to the sea. The heart pumps blood. A bank lends money."}
    ingested = run("ingest", index, "-", "--model", MODEL, stdin=json.dumps(row).encode())
    assert (ingested.status, ingested.err) == (0, "")
    (hit,) = run("search", index, "cardiac", "--json", "--model", MODEL).json["hits"]
    assert row["text"][hit["chunk"]["start"] : hit["chunk"]["end"]] == " The heart pumps blood."
    assert run("doctor", index).status == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--server-query-model-id", "q"), "It goes with --server-model-id"),
        (("--server-model-id", "m", "--encoder-url", "http://localhost:1"), "leave out one, --encoder-url or this"),
        (("--server-chunking", "delimiter"), "It goes with --server-model-id"),
        (("--server-model-id", "m", "--server-chunking", "delimiter_"), "delimiter_"),
        (("--server-model-id", " "), "model_id is the server's id of a deployed model"),
    ],
)
def test_wrong_choices_are_refused(run: Run, options: tuple[str, ...], message: str) -> None:
    done = run("index", "create", "articles", "--model", MODEL, *options)
    assert done.status == 2
    assert message in done.words

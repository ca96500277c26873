"""Commands whose model runs behind HTTP."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from opensearch_neural_sparse.cli.options import ENCODER_KEY_VARIABLE
from tests.cli.conftest import ROWS, Run
from tests.encode.remote.stub import OwnStub

pytestmark = pytest.mark.newest_server


@pytest.fixture
def own(local, monkeypatch):  # type: ignore[no-untyped-def]
    monkeypatch.setenv(ENCODER_KEY_VARIABLE, "s3cret")
    with OwnStub(local, key="s3cret") as stub:
        yield stub


def test_index_is_created_written_and_searched_without_weights(
    cli: Run, index_name: str, own: OwnStub, without_weights: Path
) -> None:
    model = ("--model", str(without_weights), "--encoder-url", own.url)
    assert cli("index", "create", index_name, "--replicas", "0", *model).status == 0
    rows = "\n".join(map(json.dumps, ROWS)).encode()
    done = cli("ingest", index_name, "-", *model, stdin=rows)
    assert (done.status, done.err) == (0, "")
    assert own.requests == [3]
    found = cli("search", index_name, "heart", "--json", "--model", str(without_weights))
    assert found.json["hits"][0]["id"] == "heart"
    copy = f"{index_name}-copy"
    try:
        assert cli("index", "reindex", index_name, copy, *model).status == 0
        assert cli("index", "add-field", copy, "second", *model).status == 0
    finally:
        cli("index", "delete", copy, "--yes")
    assert "s3cret" not in done.words


def test_options_of_an_engine_are_refused_beside_an_address(cli: Run, index_name: str, own: OwnStub) -> None:
    done = cli("ingest", index_name, "-", "--encoder-url", own.url, "--workers", "2")
    assert done.status == 2
    assert "workers and url exclude each other" in done.words

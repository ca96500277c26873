"""Stores show index, server and model, and no credentials; nothing is sent or read for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from opensearchpy import AsyncOpenSearch, OpenSearch

from opensearch_neural_sparse import AsyncNeuralSparseStore, NeuralSparseStore, get_model
from tests.paths import SMALL_MODEL

STORES = [NeuralSparseStore, AsyncNeuralSparseStore]
ADDRESS = "https://localhost:9"


@pytest.fixture(params=STORES)
def kind(request: pytest.FixtureRequest) -> Any:
    return request.param


def test_a_store_shows_index_address_and_model(kind: Any) -> None:
    shown = repr(kind("articles", url=ADDRESS, model="doc-v3-distill"))
    assert shown == f"{kind.__name__}('articles', url='{ADDRESS}', model='doc-v3-distill')"


def test_a_store_that_follows_the_stamp_shows_no_model(kind: Any) -> None:
    assert repr(kind("articles", url=ADDRESS)) == f"{kind.__name__}('articles', url='{ADDRESS}')"


@pytest.mark.parametrize(
    ("model", "shown"), [("no such model", "no such model"), (Path("nowhere"), "nowhere"), (SMALL_MODEL, None)]
)
def test_no_file_of_a_model_is_read(kind: Any, monkeypatch: Any, model: Any, shown: str | None) -> None:
    from opensearch_neural_sparse.store import encoders

    monkeypatch.setattr(encoders, "get_model", lambda *_: pytest.fail("read"))
    assert f"model={shown or str(model)!r}" in repr(kind("articles", url=ADDRESS, model=model))


def test_a_model_that_was_given_whole_is_shown_by_its_name(kind: Any) -> None:
    assert "model='doc-v3-distill')" in repr(kind("articles", url=ADDRESS, model=get_model("doc-v3-distill")))


def test_credentials_of_an_address_and_of_options_are_not_shown(kind: Any) -> None:
    options = {"http_auth": ("ada", "s3cret"), "headers": {"authorization": "Bearer s3cret"}}
    store = kind(
        "articles",
        url="https://ada:s3cret@localhost:9/?token=s3cret#s3cret",
        client_options=options,
        encoder_options={"token": "s3cret"},
    )
    assert repr(store) == f"{kind.__name__}('articles', url='{ADDRESS}/')"


@pytest.mark.parametrize(
    ("kind", "client"), [(NeuralSparseStore, OpenSearch), (AsyncNeuralSparseStore, AsyncOpenSearch)]
)
def test_a_client_that_was_handed_in_shows_its_hosts_without_a_login(kind: Any, client: Any) -> None:
    store = kind("articles", client=client("https://ada:s3cret@localhost:9"))
    assert repr(store) == f"{kind.__name__}('articles', url='{ADDRESS}')"


def test_a_client_of_another_kind_has_no_known_address() -> None:
    assert repr(NeuralSparseStore("articles", client=object())) == (  # type: ignore[arg-type]
        "NeuralSparseStore('articles', url='an unknown address')"
    )

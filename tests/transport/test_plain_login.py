"""Logins that would travel readable for everyone."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

from opensearch_neural_sparse import AsyncNeuralSparseStore, NeuralSparseStore, ServerModels
from opensearch_neural_sparse.errors import UnencryptedLoginWarning

AUTHORIZATION = {"headers": {"Authorization": "Basic c2VjcmV0"}}
LOGIN = {"http_auth": ("ada", "secret")}
PLAIN: list[tuple[Any, dict[str, Any]]] = [
    ("http://ada:secret@search.example.org:9200", {}),
    ("http://search.example.org:9200", LOGIN),
    ("search.example.org:9200", LOGIN),
    ("http://10.0.0.1:9200", AUTHORIZATION),
    ({"host": "search.example.org", "http_auth": "ada:secret"}, {}),
    (["https://search.example.org", "http://other.example.org"], LOGIN),
]
PROTECTED: list[tuple[Any, dict[str, Any]]] = [
    ("http://search.example.org:9200", {}),
    ("https://ada:secret@search.example.org:9200", {}),
    ("search.example.org:9200", {**LOGIN, "use_ssl": True}),
    ({"host": "search.example.org", "scheme": "https"}, LOGIN),
    ({"host": "search.example.org", "use_ssl": True}, LOGIN),
    ("http://ada:secret@localhost:9200", {}),
    ("http://[::1]:9200", LOGIN),
    ("http://search.example.org:9200", {"http_auth": object()}),
]


def make(kind: type, url: Any, options: dict[str, Any]) -> None:
    if kind is ServerModels:
        ServerModels(url=url, client_options=options).client()
    else:
        kind("articles", url=url, client_options=options)


@pytest.mark.parametrize("kind", [NeuralSparseStore, AsyncNeuralSparseStore, ServerModels])
@pytest.mark.parametrize(("url", "options"), PLAIN, ids=range(len(PLAIN)))
def test_a_login_without_tls_to_another_machine_is_warned_of(kind: type, url: Any, options: dict[str, Any]) -> None:
    with pytest.warns(UnencryptedLoginWarning, match=r"is sent without TLS.*https://") as caught:
        make(kind, url, options)
    assert len(caught) == 1
    assert "secret" not in str(caught[0].message)


@pytest.mark.parametrize(("url", "options"), PROTECTED, ids=range(len(PROTECTED)))
def test_a_protected_login_is_not_warned_of(url: Any, options: dict[str, Any]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        make(NeuralSparseStore, url, options)

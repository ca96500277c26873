"""No secret of a login shows: not in errors, logs, representations, saved pipelines, or pickles of errors."""

from __future__ import annotations

import asyncio
import logging
import pickle
import traceback
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from opensearchpy import RequestsAWSV4SignerAuth, RequestsHttpConnection, Urllib3AWSV4SignerAuth

from opensearch_neural_sparse import (
    AsyncNeuralSparseStore,
    NeuralSparseStore,
    ServerModels,
)
from opensearch_neural_sparse.errors import NeuralSparseError, UnencryptedLoginWarning

SECRET = "canary-of-tests"
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


class Credentials:
    access_key, secret_key, token = f"{SECRET}-access", f"{SECRET}-key", f"{SECRET}-session"


LOGINS: dict[str, dict[str, Any]] = {
    "password": {"http_auth": ("ada", SECRET)},
    "password as text": {"http_auth": f"ada:{SECRET}"},
    "token": {"headers": {"Authorization": f"Bearer {SECRET}"}},
    "key": {"headers": {"authorization": f"ApiKey {SECRET}"}},
    "signature": {"http_auth": Urllib3AWSV4SignerAuth(Credentials(), "eu-central-1", "es")},
    "signature of requests": {
        "http_auth": RequestsAWSV4SignerAuth(Credentials(), "eu-central-1", "es"),
        "connection_class": RequestsHttpConnection,
    },
    "address": {},
}


class Refusing(BaseHTTPRequestHandler):
    """Refuse every request."""

    def do_GET(self) -> None:
        content = b"Unauthorized"
        self.send_response(401)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_PUT = do_HEAD = do_GET  # noqa: N815

    def log_message(self, *_: Any) -> None:
        """Print nothing."""


@pytest.fixture(scope="module")
def refusing() -> Any:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Refusing)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def blocking(url: str, options: dict[str, Any], shown: list[object]) -> None:
    with NeuralSparseStore("articles", url=url, client_options=options) as store:
        shown += [store, store._context, store._driver]
        store.search({"red": 1.0})


def awaited(url: str, options: dict[str, Any], shown: list[object]) -> None:
    async def ask() -> None:
        async with AsyncNeuralSparseStore("articles", url=url, client_options=options) as store:
            shown.extend([store, store._context, store._driver])
            await store.search({"red": 1.0})

    asyncio.run(ask())


def haystack(url: str, options: dict[str, Any], shown: list[object]) -> None:
    package = pytest.importorskip("haystack_integrations.document_stores.opensearch_neural_sparse")
    store = package.OpenSearchNeuralSparseDocumentStore(hosts=url, index="articles", create_index=False, **options)
    shown.append(store)
    store.filter_documents()


def langchain(url: str, options: dict[str, Any], shown: list[object]) -> None:
    package = pytest.importorskip("langchain_opensearch_neural_sparse")
    store = package.OpenSearchNeuralSparseVectorStore("articles", url=url, client_options=options)
    shown += [store, store.as_retriever()]
    store.similarity_search("red")


def models(url: str, options: dict[str, Any], shown: list[object]) -> None:
    with ServerModels(url=url, client_options=options) as server:
        shown.append(server)
        server.list()


USES: dict[str, Callable[[str, dict[str, Any], list[object]], None]] = {
    "blocking": blocking,
    "awaited": awaited,
    "haystack": haystack,
    "langchain": langchain,
    "models": models,
}


SIGNED = {"signature", "signature of requests"}
"""Logins of blocking connections alone."""
CASES = [
    pytest.param(use, login, reached, id=f"{use}-{login}-{'refused' if reached else 'unreachable'}")
    for use in USES
    for login in LOGINS
    for reached in (True, False)
    if not (use == "awaited" and login in SIGNED) and (reached or login in ("password", "address"))
]


@pytest.mark.parametrize(("use", "login", "reached"), CASES)
def test_no_secret_of_a_login_is_shown(
    refusing: str, use: str, login: str, reached: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    user = f"ada:{SECRET}@" if login == "address" else ""
    url, shown = f"http://{user}{refusing if reached else '127.0.0.1:9'}", list[object]()
    with pytest.raises(NeuralSparseError) as caught:
        USES[use](url, {"max_retries": 0, **LOGINS[login]}, shown)
    error = caught.value
    texts = {
        "error": f"{error} {error!r} {vars(error)}",
        "traceback": "".join(traceback.format_exception(error)),
        "pickle of the error": pickle.dumps(error).decode("latin-1"),
        "log": "".join(record.getMessage() for record in caplog.records if not record.name.startswith("botocore")),
        **{f"repr of {type(one).__name__}": f"{one!r} {one}" for one in shown},
    }
    assert shown
    assert [place for place, text in texts.items() if SECRET in text] == []


def test_a_saved_pipeline_holds_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    package = pytest.importorskip("haystack_integrations.document_stores.opensearch_neural_sparse")
    utils = pytest.importorskip("haystack.utils")
    name = "A_VARIABLE_OF_TESTS"
    secrets = [utils.Secret.from_env_var(each, strict=False) for each in (f"{name}_USER", name)]
    store = package.OpenSearchNeuralSparseDocumentStore(
        hosts="https://localhost:9", index="articles", http_auth=secrets
    )
    assert SECRET not in str(store.to_dict())
    assert name in str(store.to_dict())


def test_a_warning_of_a_login_without_tls_does_not_show_it() -> None:
    with pytest.warns(UnencryptedLoginWarning) as caught:
        NeuralSparseStore("articles", url=f"http://ada:{SECRET}@search.example.org:9200").close()
    assert SECRET not in str([str(each.message) for each in caught])

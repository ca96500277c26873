"""What is said where a server refuses a login, lacks trust, or speaks another scheme than its address."""

from __future__ import annotations

import asyncio
import copy
import pickle
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opensearchpy import AsyncHttpConnection, OpenSearch, RequestsHttpConnection, Urllib3HttpConnection

from haystack_integrations.document_stores.opensearch_neural_sparse import OpenSearchNeuralSparseDocumentStore
from opensearch_neural_sparse import AsyncNeuralSparseStore, NeuralSparseStore
from opensearch_neural_sparse.devserver import DevServer
from opensearch_neural_sparse.errors import NeuralSparseError, ServerConnectionError, ServerRequestError
from opensearch_neural_sparse.transport.logins.described_login import SourcedLogin, describe_login

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:aiohttp", "ignore::DeprecationWarning:opensearchpy")
"""opensearch-py's AsyncHttpConnection signs in as aiohttp no longer likes it."""
Ask = Callable[..., None]
READER, PASSWORD = "test-reader", "Sparse-1-Reader-Retrieval!"


def ask_blocking(url: str, **options: Any) -> None:
    with NeuralSparseStore("articles", url=url, client_options={"max_retries": 0, **options}) as store:
        store.open()


def ask_by_requests(url: str, **options: Any) -> None:
    ask_blocking(url, connection_class=RequestsHttpConnection, **options)


def ask_awaited(url: str, **options: Any) -> None:
    async def ask() -> None:
        async with AsyncNeuralSparseStore("articles", url=url, client_options={"max_retries": 0, **options}) as store:
            await store.open()

    asyncio.run(ask())


def ask_awaited_over_http(url: str, **options: Any) -> None:
    ask_awaited(url, connection_class=AsyncHttpConnection, **options)


EVERY_CLIENT = pytest.mark.parametrize("ask", [ask_blocking, ask_by_requests, ask_awaited, ask_awaited_over_http])


class Silent(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(401)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


class Quiet(ThreadingHTTPServer):
    def handle_error(self, *_: Any) -> None:
        """Print nothing: these connections are meant to fail."""


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Certificates that signed themselves: `localhost.pem`, and `elsewhere.pem` of another host."""
    folder = tmp_path_factory.mktemp("certificates")
    for name, host in (("localhost", "localhost"), ("elsewhere", "elsewhere.example")):
        files = ["-keyout", str(folder / f"{name}.key"), "-out", str(folder / f"{name}.pem")]
        named = ["-subj", f"/CN={host}", "-addext", f"subjectAltName=DNS:{host}"]
        call = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *files, *named]
        subprocess.run(call, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def ports(certificates: Path) -> Iterator[dict[str, int]]:
    """Servers that refuse everybody: `plain`, and by TLS with either certificate."""
    servers = {}
    for name in ("plain", "localhost", "elsewhere"):
        server = servers[name] = Quiet(("127.0.0.1", 0), Silent)
        if name != "plain":
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificates / f"{name}.pem", certificates / f"{name}.key")
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
    yield {name: server.server_port for name, server in servers.items()}
    for server in servers.values():
        server.shutdown()
        server.server_close()


def message_of(error: pytest.ExceptionInfo[NeuralSparseError]) -> str:
    message = str(error.value)
    assert len(message.splitlines()) == 1
    assert "SECRET" not in message
    assert error.value.__context__ is None or error.value.__suppress_context__
    return message


@EVERY_CLIENT
def test_tls_to_a_server_without_says_to_use_http(ask: Ask, ports: dict[str, int]) -> None:
    with pytest.raises(ServerConnectionError) as error:
        ask(f"https://localhost:{ports['plain']}")
    assert message_of(error).endswith(
        "did not answer: it does not speak TLS (WRONG_VERSION_NUMBER). Its address begins with http://, not https://."
    )


@EVERY_CLIENT
def test_plain_text_to_a_server_with_tls_says_to_use_https(ask: Ask, ports: dict[str, int]) -> None:
    with pytest.raises(ServerConnectionError) as error:
        ask(f"http://localhost:{ports['localhost']}")
    assert message_of(error).endswith(
        "Is it running and reachable from here? If it speaks TLS, its address begins with https://."
    )


@EVERY_CLIENT
def test_no_server_on_this_machine_says_how_to_start_one(ask: Ask) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(ServerConnectionError) as error:
            ask(f"http://127.0.0.1:{unused.getsockname()[1]}")
    assert "is that its address? For development" in message_of(error)
    assert "`opensearch-neural-sparse devserver start` starts one" in message_of(error)


@EVERY_CLIENT
def test_certificate_of_an_unknown_authority_says_how_it_is_trusted(ask: Ask, ports: dict[str, int]) -> None:
    with pytest.raises(ServerConnectionError) as error:
        ask(f"https://localhost:{ports['localhost']}")
    assert message_of(error).endswith(
        "its certificate is not trusted: self-signed certificate. "
        "ca_certs names the file of its authority; verify_certs=False trusts any certificate."
    )


@pytest.mark.parametrize("ask", [ask_blocking, ask_awaited, ask_awaited_over_http])
def test_certificate_of_another_host_names_both(ask: Ask, ports: dict[str, int], certificates: Path) -> None:
    with pytest.raises(ServerConnectionError) as error:
        ask(f"https://localhost:{ports['elsewhere']}", ca_certs=str(certificates / "elsewhere.pem"))
    assert "certificate is not valid for 'localhost'. Reach it by a name in its certificate" in message_of(error)


@EVERY_CLIENT
@pytest.mark.parametrize("option", ["ca_certs", "client_cert", "client_key"])
def test_file_of_a_certificate_that_is_missing_is_named(ask: Ask, option: str) -> None:
    with pytest.raises(ServerConnectionError) as error:
        ask("https://localhost:1", **{option: "/no/such.pem"})
    assert message_of(error) == (
        f"OpenSearch at https://localhost:1 was not asked: {option} names no file, '/no/such.pem'. "
        "ca_certs, client_cert and client_key name PEM files."
    )


@EVERY_CLIENT
def test_file_that_holds_no_certificate_is_named(ask: Ask, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    with pytest.raises(ServerConnectionError, match=r"ca_certs names a file that holds no certificate, '.*ca\.pem'"):
        ask("https://localhost:1", ca_certs=str(tmp_path / "ca.pem"))


def test_client_that_was_handed_in_with_a_wrong_path_says_so(ports: dict[str, int]) -> None:
    with (
        OpenSearch(f"https://localhost:{ports['localhost']}", ca_certs="/no/such.pem", max_retries=0) as client,
        pytest.raises(ServerConnectionError, match="a file of certificates cannot be read"),
    ):
        NeuralSparseStore("articles", client=client).open()


@EVERY_CLIENT
@pytest.mark.parametrize(
    ("before", "options", "login"),
    [
        ("", {}, "without a login. Give one as http_auth."),
        ("", {"http_auth": ("ada", "SECRET")}, "as user 'ada' (from http_auth). Check its user and password."),
        ("", {"http_auth": "ada:SECRET"}, "as user 'ada' (from http_auth). Check its user and password."),
        ("ada:SECRET@", {}, "as user 'ada' (from the server's address). Check its user and password."),
        (
            "",
            {"http_auth": SourcedLogin("ada", "SECRET", "the environment variables USER and WORD")},
            "as user 'ada' (from the environment variables USER and WORD). Check its user and password.",
        ),
        (
            "",
            {"headers": {"Authorization": "Bearer SECRET"}},
            "with an authorization header (from headers). Check its user and password.",
        ),
    ],
)
def test_refused_login_is_named_with_its_source_and_without_its_secret(
    ask: Ask, ports: dict[str, int], before: str, options: dict[str, Any], login: str
) -> None:
    with pytest.raises(ServerRequestError) as error:
        ask(f"http://{before}localhost:{ports['plain']}", **options)
    assert error.value.status == 401
    assert message_of(error).endswith(f" It was sent {login}")


def test_signature_is_named_by_what_makes_it() -> None:
    def sign(*_: Any) -> dict[str, str]:
        return {}

    with OpenSearch("http://localhost:1", http_auth=sign, connection_class=Urllib3HttpConnection) as client:
        assert describe_login(client) == "signed by sign (from http_auth)"


def test_login_with_a_source_is_a_pair_that_hides_its_password_and_can_be_copied() -> None:
    login = SourcedLogin("ada", "SECRET", "the shell")
    assert login == ("ada", "SECRET")
    assert "SECRET" not in repr(login)
    for copied in (copy.deepcopy(login), pickle.loads(pickle.dumps(login))):
        assert (copied, copied.source) == (login, "the shell")


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("ftp://SECRET:SECRET@localhost:9200", "begins with http:// or https://"),
        ("http://", "begins with http:// or https://"),
        ("http://localhost:port", "begins with http:// or https://"),
        ("http://ada@localhost:9200", "has a user without a password"),
    ],
)
def test_address_that_is_none_is_refused_at_once(url: str, problem: str) -> None:
    for store in (NeuralSparseStore, AsyncNeuralSparseStore):
        with pytest.raises(ValueError, match=problem) as error:
            store("articles", url=url)
        assert "SECRET" not in str(error.value)
    with pytest.raises(TypeError, match="is a URL"):
        NeuralSparseStore("articles", url=5)  # type: ignore[arg-type]


@pytest.fixture
def reader(secured_server: DevServer) -> Iterator[dict[str, Any]]:
    """A user who may read one index, as options of a client."""
    login = secured_server.login
    assert login is not None
    options: dict[str, Any] = {"ca_certs": str(login.ca_file), "timeout": 60}
    role = {"index_permissions": [{"index_patterns": ["readable"], "allowed_actions": ["read"]}]}
    with OpenSearch(secured_server.url, http_auth=(login.user, login.password), **options) as client:
        for path, body in (
            ("roles/test-reader", role),
            (f"internalusers/{READER}", {"password": PASSWORD}),
            ("rolesmapping/test-reader", {"users": [READER]}),
        ):
            client.http.put(f"/_plugins/_security/api/{path}", body=body)
        yield {"http_auth": (READER, PASSWORD), **options}
        for path in ("rolesmapping/test-reader", f"internalusers/{READER}", "roles/test-reader"):
            client.http.delete(f"/_plugins/_security/api/{path}")


@pytest.mark.slow
@pytest.mark.parametrize("ask", [ask_blocking, ask_awaited, ask_awaited_over_http])
def test_wrong_password_and_missing_right_name_the_user_on_a_secured_server(
    ask: Ask, secured_server: DevServer, reader: dict[str, Any]
) -> None:
    with pytest.raises(ServerRequestError, match="401") as error:
        ask(secured_server.url, **(reader | {"http_auth": (READER, "SECRET")}))
    assert message_of(error).endswith(f"It was sent as user '{READER}' (from http_auth). Check its user and password.")
    with pytest.raises(ServerRequestError, match="403, security_exception: no permissions for") as error:
        ask(secured_server.url, **reader)
    assert message_of(error).endswith(
        f"It was sent as user '{READER}' (from http_auth). Give its user that right, or another login."
    )
    assert PASSWORD not in str(error.value)


def test_haystack_and_the_shell_name_the_variables_that_they_read(
    ports: dict[str, int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from opensearch_neural_sparse.cli import main

    monkeypatch.setenv("OPENSEARCH_USERNAME", "ada")
    monkeypatch.setenv("OPENSEARCH_PASSWORD", "SECRET")
    url = f"http://localhost:{ports['plain']}"
    store = OpenSearchNeuralSparseDocumentStore(hosts=url)
    sent = "as user 'ada' (from the environment variables OPENSEARCH_USERNAME and OPENSEARCH_PASSWORD). Check its user"
    with pytest.raises(ServerRequestError) as error:
        store.count_documents()
    assert sent in message_of(error)
    with pytest.raises(ServerRequestError) as error:
        asyncio.run(store.count_documents_async())
    assert sent in message_of(error)
    with pytest.raises(SystemExit):
        main(["search", "articles", "word", "--url", url])
    assert sent in capsys.readouterr().err
    monkeypatch.delenv("OPENSEARCH_USERNAME")
    with pytest.raises(SystemExit):
        main(["search", "articles", "word", "--url", url, "--user", "ada"])
    told = capsys.readouterr().err
    assert "as user 'ada' (from --user and the environment variable OPENSEARCH_PASSWORD)." in told
    with pytest.raises(SystemExit):
        main(["search", "articles", "word", "--url", f"https://localhost:{ports['localhost']}"])
    told += capsys.readouterr().err
    assert "--ca-certs FILE names its authority; --insecure trusts any certificate." in told
    with pytest.raises(SystemExit):
        main(["search", "articles", "word", "--url", f"https://localhost:{ports['plain']}"])
    told += capsys.readouterr().err
    assert "Its address begins with http://: --url http://..." in told
    assert "SECRET" not in told

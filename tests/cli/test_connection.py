from __future__ import annotations

from pathlib import Path

import pytest
import typer

from opensearch_neural_sparse.cli.connection import DEFAULT_URL, Connection, connected
from opensearch_neural_sparse.devserver import DevServer
from opensearch_neural_sparse.transport.logins.client_login import VARIABLES
from tests.cli.conftest import Run
from tests.conftest import RunningServer

pytestmark = pytest.mark.newest_server


def _connection(**given: object) -> Connection:
    plain = {"url": "http://localhost:9200", "user": None, "ca_certs": None, "insecure": False}
    return Connection(**(plain | given))  # type: ignore[arg-type]


def test_the_password_comes_from_the_environment_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENSEARCH_PASSWORD", "secret")
    assert _connection().options() == {}
    connection = _connection(user="reader")
    assert connection.options() == {"http_auth": ("reader", "secret")}
    assert "secret" not in repr(connection)
    monkeypatch.delenv("OPENSEARCH_PASSWORD")
    with pytest.raises(typer.BadParameter, match="OPENSEARCH_PASSWORD"):
        connection.options()


def test_the_user_comes_from_the_environment_where_no_option_names_one(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENSEARCH_USERNAME", "reader")
    monkeypatch.delenv("OPENSEARCH_PASSWORD", raising=False)
    done = run("index", "info", "articles")
    assert (done.status, len(done.err.splitlines())) == (2, 1)
    assert "Invalid value for OPENSEARCH_USERNAME: Set the password in OPENSEARCH_PASSWORD." in done.words
    assert "Invalid value for --user: Set" in run("index", "info", "articles", "--user", "writer").words
    monkeypatch.setenv("OPENSEARCH_PASSWORD", "secret")
    assert run("index", "info", "articles").status == 1  # nobody answers
    assert "secret" not in run("index", "info", "--help").out


def test_empty_variables_count_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Connection] = []

    @connected
    def look(connection: Connection) -> None:
        seen.append(connection)

    for variable in ("OPENSEARCH_URL", *VARIABLES.values()):
        monkeypatch.setenv(variable, "")
    app = typer.Typer()
    app.command()(look)
    app(args=[], standalone_mode=False)
    assert seen == [Connection(url=DEFAULT_URL)]
    assert seen[0].options() == {}


def test_an_empty_address_is_a_wrong_call_that_says_so(run: Run) -> None:
    done = run("index", "info", "articles", "--url", "")
    assert done.status == 2
    assert "Invalid value for --url: The address of a server is empty." in done.words


def test_certificates_are_checked_unless_that_is_switched_off() -> None:
    assert _connection(ca_certs=Path("ca.pem")).options() == {"ca_certs": "ca.pem"}
    assert _connection(insecure=True).options() == {"verify_certs": False, "ssl_show_warn": False}


def test_a_user_without_a_password_is_a_wrong_call(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENSEARCH_PASSWORD", raising=False)
    done = run("index", "info", "articles", "--user", "reader")
    assert done.status == 2
    assert "Set the password in OPENSEARCH_PASSWORD." in done.words


def test_a_server_that_does_not_answer_is_one_line_without_credentials(run: Run) -> None:
    for command in (("index", "info", "x"), ("search", "x", "y"), ("ingest", "x", "-")):
        done = run(*command, "--url", "http://user:secret@localhost:1")
        assert (done.status, done.out) == (1, "")
        assert done.err.startswith("Error: OpenSearch at http://localhost:1 did not answer: ")
        assert len(done.err.splitlines()) == 1
        assert "secret" not in done.err


def test_credentials_of_the_url_reach_the_server(cli: Run, server: RunningServer) -> None:
    done = cli("doctor", "--url", server.url.replace("://", "://user:secret@"))
    assert done.status == 0
    assert "secret" not in done.out + done.err


@pytest.mark.slow
def test_a_login_and_an_authority_open_a_secured_server(
    run: Run, secured_server: DevServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    login = secured_server.login
    assert login is not None
    monkeypatch.setenv("OPENSEARCH_PASSWORD", login.password)
    there = ("doctor", "--url", secured_server.url, "--user", login.user)
    trusted = run(*there, "--ca-certs", str(login.ca_file))
    assert trusted.status == 0, trusted.out
    assert run(*there, "--insecure").status == 0
    monkeypatch.setenv("OPENSEARCH_USERNAME", login.user)
    by_environment = run("doctor", "--url", secured_server.url, "--ca-certs", str(login.ca_file))
    assert by_environment.status == 0, by_environment.out
    distrusted = run(*there)
    assert distrusted.status == 1
    assert distrusted.out.startswith("fail  server")
    monkeypatch.setenv("OPENSEARCH_PASSWORD", "wrong-password")
    refused = run(*there, "--ca-certs", str(login.ca_file))
    assert refused.status == 1
    assert refused.out.startswith("fail  server")
    assert login.password not in trusted.out + trusted.err + distrusted.out + distrusted.err
    assert "wrong-password" not in refused.out + refused.err

"""A secured server: its certificates and its password, and what it does for whom."""

from __future__ import annotations

import secrets
import ssl
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError

import pytest

from opensearch_neural_sparse.devserver import DevServer, Login, Profile
from opensearch_neural_sparse.devserver.node.home import ServerHome
from opensearch_neural_sparse.devserver.node.http import get_json
from opensearch_neural_sparse.devserver.security.certificates import (
    USERS_FILE,
    prepare_security,
    security_settings,
    write_security_configuration,
)
from tests.conftest import SMALL_AND_QUICK

SPARSE = {"mappings": {"properties": {"e": {"type": "rank_features"}}}}
QUERY = {"query": {"neural_sparse": {"e": {"query_tokens": {"hello": 2.0, ".": 1.0}}}}}


def modes_below(folder: Path) -> set[int]:
    return {path.stat().st_mode & 0o777 for path in folder.iterdir()}


def test_what_is_secret_is_made_once_and_is_its_owners_alone(tmp_path: Path):
    prepare_security(tmp_path / "security")
    before = {path.name: path.read_bytes() for path in (tmp_path / "security").iterdir()}
    assert (tmp_path / "security").stat().st_mode & 0o777 == 0o700
    assert modes_below(tmp_path / "security") == {0o600}
    prepare_security(tmp_path / "security")
    assert {path.name: path.read_bytes() for path in (tmp_path / "security").iterdir()} == before
    assert list(tmp_path.iterdir()) == [tmp_path / "security"]


def test_an_interrupted_start_leaves_nothing_that_is_taken_for_whole(tmp_path: Path):
    draft = tmp_path / ".security-draft"
    draft.mkdir()
    (draft / "admin-password").write_text("half")
    assert Login.read(tmp_path / "security") is None
    prepare_security(tmp_path / "security")
    login = Login.read(tmp_path / "security")
    assert login is not None
    assert login.password != "half"
    assert not draft.exists()


def test_every_home_has_a_password_of_its_own_that_is_not_shown(tmp_path: Path):
    logins = []
    for name in ("one", "two"):
        prepare_security(tmp_path / name)
        logins.append(Login.read(tmp_path / name))
    one, two = logins
    assert one is not None
    assert two is not None
    assert one.password != two.password
    assert one.password not in repr(one)
    assert one.password not in repr(dict(security_settings(tmp_path / "one")))


def test_the_certificates_fit_this_machine_and_the_authority_alone_is_trusted(tmp_path: Path):
    prepare_security(tmp_path / "security")
    login = Login.read(tmp_path / "security")
    assert login is not None
    (authority,) = login.tls().get_ca_certs()
    assert dict(part[0] for part in authority["subject"]) == {
        "organizationName": "opensearch-neural-sparse",
        "organizationalUnitName": "devserver",
    }
    for name in ("node", "admin"):
        ssl.create_default_context().load_cert_chain(
            tmp_path / "security" / f"{name}.pem", tmp_path / "security" / f"{name}-key.pem"
        )
        assert (tmp_path / "security" / f"{name}-key.pem").read_text().startswith("-----BEGIN PRIVATE KEY-----")


def test_users_whose_passwords_are_known_to_all_are_left_out(tmp_path: Path):
    config, defaults = tmp_path / "config", tmp_path / "distribution" / "plugins" / "opensearch-security" / "config"
    for folder in (config, defaults):
        folder.mkdir(parents=True)
    (defaults / USERS_FILE).write_text("admin and kibanaserver")
    (defaults / "roles.yml").write_text("roles")
    prepare_security(tmp_path / "security")
    write_security_configuration(config, tmp_path / "distribution", tmp_path / "security")
    written = config / "opensearch-security"
    assert (written / "roles.yml").read_text() == "roles"
    users = (written / USERS_FILE).read_text()
    assert "kibanaserver" not in users
    assert modes_below(written) == {0o600}
    write_security_configuration(config, tmp_path / "distribution", tmp_path / "security")
    assert (written / USERS_FILE).read_text() == users, "it is that of the first start, as the users are"


def test_a_home_that_was_a_secured_one_has_no_login_as_a_plain_one(tmp_path: Path):
    home = ServerHome(tmp_path)
    prepare_security(home.security)
    assert home.login(Profile.SECURITY) is not None
    assert home.login(Profile.PLAIN) is None


def administrator(server: DevServer) -> Login:
    assert server.login is not None
    return server.login


def client_of(server: DevServer, user: str, password: str) -> Any:
    from opensearchpy import OpenSearch

    ca_certs = str(administrator(server).ca_file)
    return OpenSearch(server.url, http_auth=(user, password), ca_certs=ca_certs, timeout=60)


@pytest.fixture
def admin(secured_server: DevServer) -> Iterator[Any]:
    login = administrator(secured_server)
    with client_of(secured_server, login.user, login.password) as client:
        yield client


@pytest.mark.slow
def test_without_a_user_a_request_is_refused(secured_server: DevServer):
    assert secured_server.url.startswith("https://127.0.0.1:")
    tls = administrator(secured_server).tls()
    with pytest.raises(HTTPError) as raised:
        urllib.request.urlopen(secured_server.url, context=tls, timeout=60)
    with raised.value:
        assert raised.value.code == 401


@pytest.mark.slow
def test_a_client_that_does_not_know_the_authority_refuses_the_server(secured_server: DevServer):
    with pytest.raises(URLError, match="CERTIFICATE_VERIFY_FAILED"):
        get_json(secured_server.url)


@pytest.mark.slow
def test_the_administrator_is_let_in_and_the_server_is_found_again(secured_server: DevServer, admin: Any):
    assert admin.info()["version"]["number"] == "2.19.1"
    assert secured_server.health() == "green"
    assert secured_server.home is not None
    assert DevServer.find(secured_server.home) == secured_server
    users = admin.transport.perform_request("GET", "/_plugins/_security/api/internalusers")
    assert [name for name, user in users.items() if user["reserved"]] == ["admin"], "those of tests are not"


@pytest.mark.slow
def test_a_user_with_few_rights_may_search_and_nothing_else(secured_server: DevServer, admin: Any):
    from opensearchpy.exceptions import AuthorizationException

    admin.indices.create(index="docs", body=SPARSE)
    admin.index(index="docs", id="1", body={"e": {"hello": 1.5, "world": 0.5, ".": 0.3}}, refresh=True)
    admin.index(index="secret", id="1", body={"text": "not for everyone"}, refresh=True)
    password = secrets.token_urlsafe(24)
    api = "/_plugins/_security/api"
    grants = [{"index_patterns": ["docs"], "allowed_actions": ["read"]}]
    for path, body in (
        (f"{api}/roles/searcher", {"index_permissions": grants}),
        (f"{api}/internalusers/reader", {"password": password}),
        (f"{api}/rolesmapping/searcher", {"users": ["reader"]}),
    ):
        admin.transport.perform_request("PUT", path, body=body)
    with client_of(secured_server, "reader", password) as reader:
        (hit,) = reader.search(index="docs", body=QUERY)["hits"]["hits"]
        assert hit["_score"] == pytest.approx(3.2998047, abs=1e-6)
        with pytest.raises(AuthorizationException):
            reader.search(index="secret")
        with pytest.raises(AuthorizationException):
            reader.index(index="docs", id="2", body={"e": {"hello": 1.0}})


@pytest.mark.slow
def test_the_password_is_in_its_own_file_and_nowhere_else(secured_server: DevServer):
    password = administrator(secured_server).password.encode()
    assert secured_server.home is not None
    files = [path for path in secured_server.home.rglob("*") if path.is_file()]
    assert [path.name for path in files if password in path.read_bytes()] == ["admin-password"]
    command_lines = [Path(f"/proc/{pid}/cmdline") for pid in secured_server.pids]
    assert not any(password in path.read_bytes() for path in command_lines if path.exists())
    assert password.decode() not in f"{secured_server!r} {secured_server.address}"


@pytest.mark.slow
def test_a_login_belongs_to_the_home_and_goes_with_its_data(tmp_path: Path):
    home = ServerHome(tmp_path / "home")
    prepare_security(home.security)
    login = home.login(Profile.SECURITY)
    options: dict[str, Any] = {**SMALL_AND_QUICK, "version": "2.19.1", "profile": Profile.SECURITY}
    with DevServer.running(own=True, home=home.path, ephemeral=True, **options) as server:
        assert server.login == login
        assert server.health() == "green"
    assert server.health() is None
    assert not home.path.exists()

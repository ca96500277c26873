"""Options of clients and encoders, of which opensearch-py passes over those that it does not know."""

from __future__ import annotations

import inspect
import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from opensearchpy import (
    AIOHttpConnection,
    AsyncHttpConnection,
    AsyncTransport,
    Connection,
    ConnectionPool,
    RequestsHttpConnection,
    Transport,
    Urllib3HttpConnection,
)

from opensearch_neural_sparse import AsyncNeuralSparseStore, NeuralSparseStore
from opensearch_neural_sparse.transport.client_options import check_client_options

NOWHERE = "http://localhost:1"
STORES = [NeuralSparseStore, AsyncNeuralSparseStore]
each = pytest.mark.parametrize("store_class", STORES)
READ_BY_NAME = re.compile(r"kwargs(?:\.(?:get|pop|setdefault)\(|\[)[\"'](\w+)[\"']|[\"'](\w+)[\"'] in kwargs")
OFTEN_GIVEN: dict[str, Any] = {
    "timeout": 30,
    "max_retries": 1,
    "retry_on_timeout": True,
    "retry_on_status": (502,),
    "http_compress": True,
    "headers": {"x-own": "1"},
    "opaque_id": "mine",
    "pool_maxsize": 2,
    "http_auth": ("user", "password"),
    "use_ssl": False,
    "verify_certs": False,
    "ssl_show_warn": False,
    "ssl_assert_hostname": False,
    "ssl_assert_fingerprint": None,
    "ssl_context": None,
    "ca_certs": None,
    "client_cert": None,
    "client_key": None,
    "sniff_on_start": False,
    "randomize_hosts": False,
    "dead_timeout": 1,
    "scheme": "http",
    "url_prefix": "",
    "connection_class": None,
}


class OwnConnection(Urllib3HttpConnection):
    """A connection with an option of its own."""

    def __init__(self, *arguments: Any, own_option: int = 0, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.own_option = own_option


@each
@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"timeuot": 3}, r"^Unknown client option: 'timeuot'\. Did you mean 'timeout'\?$"),
        ({"http_aut": ("u", "SECRET")}, r"^Unknown client option: 'http_aut'\. Did you mean 'http_auth'\?$"),
        (
            {"verify_cert": False, "ca_cert": "x"},
            r"'verify_cert', 'ca_cert'\. Did you mean 'verify_certs', 'ca_certs'\?$",
        ),
        ({"basic_auth": ("u", "SECRET")}, r"'basic_auth'\. Known are ca_certs, .*, http_auth, .*verify_certs"),
        ({"hosts": "http://SECRET"}, r"^Unknown client option: 'hosts'\. Known are "),
        ({"host": "SECRET"}, r"^Unknown client option: 'host'\. "),
        ({"own_option": 1}, "'own_option'"),
        ({"proxies": {}}, "'proxies'"),
    ],
)
def test_unknown_option_is_named_with_the_one_that_is_meant(store_class: Any, options: Any, said: str) -> None:
    with pytest.raises(TypeError, match=said) as error:
        store_class("articles", url=NOWHERE, client_options=options)
    assert "SECRET" not in str(error.value)


@each
@pytest.mark.parametrize("options", [{"connection_class": OwnConnection, "own_option": 1}, {"trust_env": True}])
def test_options_of_either_side_and_of_ones_own_connection_are_known(store_class: Any, options: Any) -> None:
    store_class("articles", url=NOWHERE, client_options=options)


def test_own_connection_gets_its_option(server: Any) -> None:
    options = {"connection_class": OwnConnection, "own_option": 7}
    with NeuralSparseStore("articles", url=server.url, client_options=options) as store:
        assert store.client().info()["version"]["number"] == server.version
        (connection,) = store.client().transport.connection_pool.connections
        assert connection.own_option == 7


@pytest.mark.filterwarnings("ignore::DeprecationWarning:aiohttp", "ignore::DeprecationWarning:opensearchpy")
async def test_usual_options_are_known_and_work(server: Any) -> None:
    with NeuralSparseStore("articles", url=server.url, client_options=OFTEN_GIVEN) as store:
        assert store.client().info()["version"]["number"] == server.version
        assert store.client().transport.connection_pool.connections[0].headers["x-opaque-id"] == "mine"
    async with AsyncNeuralSparseStore("articles", url=server.url, client_options=OFTEN_GIVEN) as awaited:
        assert (await (await awaited.client()).info())["version"]["number"] == server.version
    with NeuralSparseStore(
        "articles", url=server.url, client_options={"connection_class": RequestsHttpConnection, "proxies": {}}
    ) as store:
        assert store.client().info()["version"]["number"] == server.version


def test_what_opensearch_py_reads_by_name_is_known() -> None:
    parts = (Transport, AsyncTransport, ConnectionPool, Connection, Urllib3HttpConnection)
    parts += (RequestsHttpConnection, AIOHttpConnection, AsyncHttpConnection)
    source = "".join(inspect.getsource(part) for part in parts)
    names = {first or second for first, second in READ_BY_NAME.findall(source)}
    assert {"scheme", "pool_maxsize"} <= names
    check_client_options(dict.fromkeys(names))


@each
def test_key_of_a_host_is_checked_as_well(store_class: Any) -> None:
    with pytest.raises(TypeError, match=r"^Unknown key of a host: 'http_aut'\. Did you mean 'http_auth'\?$"):
        store_class("articles", url=[{"host": "localhost", "port": 1, "http_aut": ("u", "SECRET")}])
    with pytest.raises(TypeError, match=r"^Unknown key of a host: 'hots'\. Did you mean 'host'\?$"):
        store_class("articles", url={"hots": "localhost"})


async def test_hosts_as_mappings_are_asked(server: Any) -> None:
    address = urlsplit(server.url)
    host: Any = {"host": address.hostname, "port": address.port, "use_ssl": False, "scheme": "http", "timeout": 20}
    for url in (host, [host], [server.url]):
        with NeuralSparseStore("articles", url=url) as store:
            assert store.client().info()["version"]["number"] == server.version
        async with AsyncNeuralSparseStore("articles", url=url) as awaited:
            assert (await (await awaited.client()).info())["version"]["number"] == server.version


@each
def test_client_options_beside_a_client_are_refused(store_class: Any, client: Any) -> None:
    with pytest.raises(ValueError, match="the client given has its own"):
        store_class("articles", client=client, client_options={"timeout": 3})


@each
def test_unknown_encoder_option_is_named(store_class: Any) -> None:
    with pytest.raises(TypeError, match=r"^Unknown encoder option: 'revison'\. Did you mean 'revision'\?$"):
        store_class("articles", url=NOWHERE, model="doc-v3-distill", encoder_options={"revison": "x"})
    known = {"engine": "onnx", "max_length": 9, "revision": "x", "token": None, "cache_dir": None}
    store_class("articles", url=NOWHERE, model="doc-v3-distill", encoder_options=known)

"""Servers that tell little and allow little: roles, proxies, serverless collections."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import pytest
from opensearchpy.exceptions import AuthenticationException, AuthorizationException, NotFoundError, RequestError

from opensearch_neural_sparse import (
    AsyncNeuralSparseStore,
    Bm25Leg,
    DenseLeg,
    Fusion,
    HybridOptions,
    IndexSchema,
    LimitedRightsWarning,
    NeuralSparseStore,
    ServerRequestError,
    SparseLeg,
    UnsupportedServerError,
    WriteOptions,
)
from opensearch_neural_sparse.devserver import DevServer
from opensearch_neural_sparse.devserver.node import launch
from opensearch_neural_sparse.server_info import NEURAL_SEARCH
from opensearch_neural_sparse.transport import server_cache
from tests.conftest import RunningServer
from tests.encoders import WordEncoder, word_vector
from tests.store.conftest import MakeStore
from tests.tiers import LINES

REFUSALS = {400: RequestError, 401: AuthenticationException, 403: AuthorizationException, 404: NotFoundError}
Refuse = Callable[[str, str], bool]
TEXTS = {"1": "red planet mars", "2": "blue planet earth", "3": "planet rouge mars"}


@pytest.fixture
def refuse(client: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Let a client's requests be refused: by method and path, with a status; return what was let through."""

    def start(refused: Refuse, status: int = 403, error: Any = "security_exception") -> list[str]:
        return refuse_requests(client, monkeypatch, refused, status, error)

    return start


def refuse_requests(
    client: Any,
    monkeypatch: pytest.MonkeyPatch,
    refused: Refuse,
    status: int = 403,
    error: Any = "security_exception",
) -> list[str]:
    passed: list[str] = []
    perform = client.transport.perform_request

    def guarded(method: str, url: str, *arguments: Any, **options: Any) -> Any:
        if refused(method, url):
            raise REFUSALS[status](status, "refused", {"error": error, "status": status})
        passed.append(f"{method} {url}")
        return perform(method, url, *arguments, **options)

    monkeypatch.setattr(client.transport, "perform_request", guarded)
    monkeypatch.setattr(server_cache, "_known", WeakKeyDictionary())  # what the server told before it refused
    return passed


@pytest.fixture
def filled(store: NeuralSparseStore) -> NeuralSparseStore:
    store.write({"id": name, "text": text} for name, text in TEXTS.items())
    return store


def ids(hits: Any) -> list[str]:
    return [hit.id for hit in hits]


def about_the_server(_: str, url: str) -> bool:
    return url == "/" or url.startswith("/_cat")


def test_mapping_that_may_not_be_read_is_gone_without_where_a_model_is_named(
    filled: NeuralSparseStore, make_store: MakeStore, refuse: Callable[..., list[str]]
) -> None:
    found = ids(filled.search("red mars"))
    passed = refuse(lambda method, url: method in ("GET", "HEAD") and url == f"/{filled.index}")
    unnamed = make_store(query_encoder=None, document_encoder=None)
    with pytest.raises(ServerRequestError, match="403"):
        unnamed.search(word_vector("red"))
    named = make_store()
    with pytest.warns(LimitedRightsWarning, match="its model was not verified"):
        assert ids(named.search("red mars")) == found
    assert not named.open().checked
    assert ids(named.hybrid_search("red mars"))[0] == found[0]
    assert named.hybrid_search("red mars").fusion == (
        "server rrf" if named.server().ranks_across_shards else "client rrf"
    )
    assert named.write([{"id": "4", "text": "green"}]).written == 1
    assert ids(named.search("green")) == ["4"]
    assert not any(request.startswith(("GET", "HEAD")) and request.endswith(filled.index) for request in passed)


def test_without_the_right_to_declare_fields_the_server_maps_them(
    filled: NeuralSparseStore, make_store: MakeStore, refuse: Callable[..., list[str]]
) -> None:
    asked: list[str] = []

    def puts_a_mapping(method: str, url: str) -> bool:
        if found := method == "PUT" and "_mapping" in url:
            asked.append(url)
        return found

    refuse(puts_a_mapping)
    store = make_store()
    for year in (2025, 2026):
        assert store.write([{"id": f"{year}", "text": "green", "metadata": {f"of{year}": year}}]).written == 1
    assert len(asked) == 1, "the server is asked once a store"
    assert store.count({"range": {"of2026": {"gte": 2026}}}) == 1


def test_wrong_password_is_an_error_and_no_matter_of_rights(
    filled: NeuralSparseStore, make_store: MakeStore, refuse: Callable[..., list[str]]
) -> None:
    refuse(lambda *_: True, status=401)
    with pytest.raises(ServerRequestError, match="401"):
        make_store().search("red mars")


@pytest.mark.parametrize("status", [403, 404])
def test_server_that_does_not_tell_its_version_is_asked_for_what_all_versions_do_alike(
    filled: NeuralSparseStore, make_store: MakeStore, refuse: Callable[..., list[str]], status: int
) -> None:
    expected = filled.hybrid_search("red mars", options=HybridOptions(fusion=Fusion.CLIENT))
    refuse(about_the_server, status)
    store = make_store()
    assert not store.server().tells_version
    assert ids(store.search("red mars")) == ids(filled.search("red mars"))
    hybrid = store.hybrid_search("red mars")
    assert (hybrid.fusion, list(hybrid)) == ("client rrf", list(expected))
    for options in (HybridOptions(fusion=Fusion.SERVER), HybridOptions(normalization="min_max")):  # type: ignore[arg-type]
        with pytest.raises(UnsupportedServerError, match=r"hides its version.*server_version='\.\.\.'"):
            store.hybrid_search("red mars", options=options)


def test_version_that_is_told_by_the_caller_is_asked_of_nobody(
    filled: NeuralSparseStore, make_store: MakeStore, refuse: Callable[..., list[str]], server: RunningServer
) -> None:
    passed = refuse(about_the_server)
    store = make_store(server_version=server.version)
    assert store.hybrid_search("red mars").fusion == "server rrf"
    assert ids(store.hybrid_search("red mars", options=HybridOptions(normalization="min_max")))  # type: ignore[arg-type]
    assert not any(about_the_server(*request.split(" ")) for request in passed)
    with pytest.raises(UnsupportedServerError, match=r"2\.19"):
        make_store(server_version="2.11.0")


def test_query_that_the_server_does_not_know_is_learned_from_its_first_answer(
    filled: NeuralSparseStore, make_store: MakeStore, refuse: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = ids(filled.search("red mars"))
    refuse(about_the_server)
    store = make_store()
    search = store.client().search
    bodies: list[str] = []

    def without_plugin(body: Any, **options: Any) -> Any:
        bodies.append(str(body))
        if "neural_sparse" in str(body):
            reason = {"type": "parsing_exception", "reason": "unknown query [neural_sparse]"}
            raise RequestError(400, "parsing_exception", {"error": reason})
        return search(body=body, **options)

    monkeypatch.setattr(store.client(), "search", without_plugin)
    assert ids(store.search("red mars")) == expected
    assert ids(store.search("planet"))
    assert ["neural_sparse" in body for body in bodies].count(True) == 1
    assert NEURAL_SEARCH not in (store.server().plugins or ())


@pytest.fixture(params=LINES)
def server_without_neural_search(
    request: pytest.FixtureRequest,
    private_server: Callable[..., DevServer],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> DevServer:
    assemble = launch.assemble

    def assemble_less(*arguments: Any, **options: Any) -> Path:
        less = shutil.ignore_patterns(NEURAL_SEARCH)
        return shutil.copytree(assemble(*arguments, **options), tmp_path / "distribution", ignore=less)

    monkeypatch.setattr(launch, "assemble", assemble_less)
    return private_server(version=request.param)


@pytest.mark.slow
def test_hybrid_on_a_server_without_neural_search_is_fused_here_though_it_does_not_list_its_plugins(
    server_without_neural_search: DevServer, encoder: WordEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    from opensearchpy import OpenSearch

    with OpenSearch(server_without_neural_search.url, timeout=60) as client:
        listed, unlisted = (
            NeuralSparseStore(
                "articles",
                client=client,
                query_encoder=encoder,
                document_encoder=encoder,
                schema=IndexSchema(embedding_dimension=2),
            )
            for _ in range(2)
        )
        listed.create(settings={"number_of_shards": 1})
        listed.write({"id": name, "text": text, "embedding": [1.0, float(name)]} for name, text in TEXTS.items())
        options = HybridOptions(legs=(Bm25Leg(), SparseLeg(), DenseLeg(vector=[1.0, 1.0])))
        expected = listed.hybrid_search("red mars", options=options)
        assert (expected.fusion, len(expected)) == ("client rrf", 3)
        passed = refuse_requests(client, monkeypatch, lambda _, url: url.startswith("/_cat"))
        assert unlisted.server().plugins is None
        for _ in range(2):
            hits = unlisted.hybrid_search("red mars", options=options)
            assert (hits.fusion, list(hits)) == ("client rrf", list(expected))
        searches = [request.rpartition("/")[2] for request in passed if "search" in request]
        assert searches == ["_search", "_search", "_msearch", "_msearch"]  # the first asks whether scores are added to
        with pytest.raises(UnsupportedServerError, match=r"needs the plugin opensearch-neural-search.*without it"):
            unlisted.hybrid_search("red mars", options=HybridOptions(normalization="min_max"))  # type: ignore[arg-type]


def test_serverless_collection_serves_what_it_can_and_refuses_the_rest(
    filled: NeuralSparseStore, make_store: MakeStore, refuse: Callable[..., list[str]]
) -> None:
    def not_there(method: str, url: str) -> bool:
        return about_the_server(method, url) or url.endswith(("/_refresh", "/_search/point_in_time"))

    refuse(not_there, 404, error={"type": "not_found", "reason": "no such operation"})
    store = make_store()
    with pytest.warns(LimitedRightsWarning, match=r"refused to refresh.*WriteOptions\(refresh=False\)"):
        assert store.write([{"id": "4", "text": "green"}]).written == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert store.write([{"id": "5", "text": "green"}], options=WriteOptions(refresh=False)).written == 1
        assert ids(store.hybrid_search("red mars"))
        assert store.get(["1"])[0].text == TEXTS["1"]
        assert store.count() >= 3
    with pytest.raises(ServerRequestError, match="404"):
        list(store.scan())
    with pytest.raises(ServerRequestError, match="404"):
        store.refresh()


async def test_awaited_store_bears_the_same(
    server: RunningServer, filled: NeuralSparseStore, encoder: WordEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with AsyncNeuralSparseStore(
        filled.index, url=server.url, query_encoder=encoder, document_encoder=encoder
    ) as store:
        transport = (await store.client()).transport
        perform = transport.perform_request

        async def guarded(method: str, url: str, *arguments: Any, **options: Any) -> Any:
            if about_the_server(method, url) or (method == "GET" and url == f"/{filled.index}"):
                raise AuthorizationException(403, "refused", {"error": "security_exception"})
            if url.endswith("/_refresh"):
                raise NotFoundError(404, "refused", {"error": "no such operation"})
            return await perform(method, url, *arguments, **options)

        monkeypatch.setattr(transport, "perform_request", guarded)
        with pytest.warns(LimitedRightsWarning, match="its model was not verified"):
            assert ids(await store.search("red mars")) == ids(filled.search("red mars"))
        assert (await store.hybrid_search("red mars")).fusion == "client rrf"
        with pytest.warns(LimitedRightsWarning, match="refused to refresh"):
            assert (await store.write([{"id": "4", "text": "green"}])).written == 1

"""The roles of the documentation: sufficient for what they promise, and minimal, action by action."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from itertools import count

import pytest

from opensearch_neural_sparse import (
    Collapse,
    Fusion,
    HybridOptions,
    LimitedRightsWarning,
    Load,
    NeuralSparseError,
    NeuralSparseStore,
    SearchOptions,
    ServerRequestError,
)
from tests.encoders import word_vector
from tests.paths import ROOT, SMALL_MODEL
from tests.secured.cluster import ONE_SHARD, SecuredCluster
from tests.secured.roles import OWNER, READER, ROLES, WRITER, actions_of, without

INDEX, CREATED, FOREIGN, COPY = "articles-rights", "articles-created", "articles-foreign", "articles-copy"
DOCUMENTS = [
    {"id": "1", "text": "red planet mars", "metadata": {"n": 1}},
    {"id": "2", "text": "blue planet earth", "metadata": {"n": 2}},
]
_numbers = count()
Call = Callable[[NeuralSparseStore, SecuredCluster], object]
READS: dict[str, Call] = {
    "server": lambda store, _: store.server().require_version_told("This test"),
    "search": lambda store, _: store.search("planet", filter={"range": {"n": {"gte": 1}}}, explain=True),
    "groups": lambda store, _: store.search("planet", options=SearchOptions(collapse=Collapse("n", size=2))),
    "aggregations": lambda store, _: store.search(
        "planet", options=SearchOptions(aggregations={"of": {"terms": {"field": "n"}}})
    ),
    "search_many": lambda store, _: store.search_many(["planet", "red"]),
    "match_search": lambda store, _: store.match_search("planet"),
    "custom_search": lambda store, _: store.custom_search({"query": {"match_all": {}}}),
    "hybrid_search": lambda store, _: store.hybrid_search("planet"),
    "hybrid by the client": lambda store, _: store.hybrid_search(
        "planet", options=HybridOptions(fusion=Fusion.CLIENT), explain=True
    ),
    "get": lambda store, _: store.get(["1"]),
    "count": lambda store, _: store.count({"term": {"n": 1}}),
    "scan": lambda store, _: list(store.scan()),
}
WRITES: dict[str, Call] = {
    "write": lambda store, _: store.write([{"id": "3", "text": "green", "metadata": {"n": 3}}]),
    "write a new field": lambda store, _: store.write([{"id": "4", "text": "green", "metadata": _new_field()}]),
    "update_metadata": lambda store, _: store.update_metadata({"1": {"n": 9}}),
    "update_text": lambda store, _: store.update_text({"1": "red planet"}),
    "declare_metadata": lambda store, _: store.declare_metadata(_new_field()),
    "refresh": lambda store, _: store.refresh(),
    "ingest": lambda store, _: store.ingest(Load(DOCUMENTS, source="test")),
    "delete": lambda store, _: store.delete(["3"]),
    "delete_matching": lambda store, _: store.delete_matching({"term": {"n": 77}}),
}
CHANGES: dict[str, Call] = {
    "create": lambda store, cluster: _of(store, CREATED, cluster).create(settings=ONE_SHARD),
    "delete_index": lambda store, cluster: _of(store, CREATED, cluster).delete_index(),
    "bind_model": lambda store, cluster: _of(store, FOREIGN, cluster).bind_model(replace=True),
    "force_merge": lambda store, _: store.force_merge(),
    "create_template": lambda store, _: store.create_template("articles-template", ["articles-later-*"]),
    "reindex_with_model": lambda store, cluster: store.reindex_with_model(
        COPY, document_encoder=cluster.encoders["document_encoder"], alias="articles-live"
    ),
    "add_field": lambda store, cluster: _of(store, CREATED, cluster).add_field("sparse_other", model=SMALL_MODEL),
}
CALLS = {READER: READS, WRITER: READS | WRITES, OWNER: READS | WRITES | CHANGES}

NEEDED_BY = {
    "indices:admin/block/add": "reindex_with_model",
    "cluster:monitor/main": "server",
    "indices:admin/aliases": "reindex_with_model",
    "indices:admin/aliases/get": "reindex_with_model",
    "indices:admin/create": "create",
    "indices:admin/delete": "delete_index",
    "indices:admin/forcemerge": "force_merge",
    "indices:admin/get": "search",
    "indices:admin/index_template/put": "create_template",
    "indices:admin/mapping/put": "write a new field",
    "indices:admin/mappings/get": "bind_model",
    "indices:admin/refresh": "refresh",
    "indices:admin/refresh[s]": "refresh",
    "indices:admin/settings/update": "reindex_with_model",
    "indices:data/read/mget": "get",
    "indices:data/read/mget[shard]": "get",
    "indices:data/read/msearch": "search_many",
    "indices:data/read/point_in_time/create": "scan",
    "indices:data/read/search": "search",
    "indices:data/write/bulk": "write",
    "indices:data/write/bulk[s]": "write",
    "indices:data/write/delete": "delete",
    "indices:data/write/delete/byquery": "delete_matching",
    "indices:data/write/index": "write",
    "indices:data/write/update": "update_metadata",
}
"""Action -> a call that fails without it."""


def _new_field() -> dict[str, int]:
    return {f"field{next(_numbers)}": 1}


def _of(store: NeuralSparseStore, index: str, cluster: SecuredCluster) -> NeuralSparseStore:
    """Return a store of the same login on another index."""
    return NeuralSparseStore(index, client=store.client(), **cluster.encoders)


@pytest.fixture(scope="module")
def rights(cluster: SecuredCluster) -> Iterator[SecuredCluster]:
    """Users of the roles of the documentation, and indices of an owner."""
    for role in CALLS:
        rights = ROLES[role]
        cluster.give_role(role, rights["cluster_permissions"], *rights["index_permissions"])
    cluster.owner("secrets").create(settings=ONE_SHARD)
    yield cluster
    cluster.admin.indices.delete(index="articles-*,secrets", ignore_unavailable=True)


@pytest.fixture
def filled(rights: SecuredCluster) -> SecuredCluster:
    """The same, with the index as it was first."""
    _begin(rights)
    return rights


def _begin(cluster: SecuredCluster) -> None:
    cluster.admin.indices.delete(index="articles-*", ignore_unavailable=True)
    owner = cluster.owner(INDEX)
    owner.create(settings=ONE_SHARD)
    owner.write(DOCUMENTS)


def _prepare(call: str, cluster: SecuredCluster) -> None:
    """Make what a call of an owner needs to be there."""
    if call in ("delete_index", "add_field"):
        cluster.owner(CREATED).create(settings=ONE_SHARD, exist_ok=True)
    if call == "bind_model":
        properties = {"content": {"type": "text"}, "sparse_vector": {"type": "rank_features"}}
        body = {"settings": ONE_SHARD, "mappings": {"properties": properties}}
        cluster.admin.indices.create(index=FOREIGN, body=body, params={"ignore": [400]})
        source = {"content": "red", "sparse_vector": dict(word_vector("red"))}
        cluster.admin.index(index=FOREIGN, id="1", body=source, refresh=True)


@pytest.mark.parametrize("role", CALLS)
def test_each_role_is_sufficient_for_what_it_says(filled: SecuredCluster, role: str) -> None:
    for name, call in CALLS[role].items():
        _prepare(name, filled)
        with filled.store(role, INDEX) as store, warnings.catch_warnings():
            warnings.simplefilter("error", LimitedRightsWarning)
            call(store, filled)


@pytest.mark.parametrize("role", CALLS)
def test_each_action_of_a_role_is_needed_by_a_call_that_names_it_where_it_is_missing(
    filled: SecuredCluster, role: str
) -> None:
    whole, unnamed = ROLES[role], {"cluster:monitor/main"}
    actions = actions_of(whole)
    assert len(set(actions)) == len(actions)
    for action in actions:
        filled.put("roles", role, without(whole, action))
        name = NEEDED_BY[action]
        if name == "reindex_with_model":
            _begin(filled)  # one that ended early leaves a block, and a copy
        _prepare(name, filled)
        with filled.store(role, INDEX) as store, warnings.catch_warnings():
            warnings.simplefilter("error", LimitedRightsWarning)
            with pytest.raises((NeuralSparseError, LimitedRightsWarning)) as caught:
                CALLS[role][name](store, filled)
        if name == "reindex_with_model":
            _begin(filled)
        message = str(caught.value)
        assert action in message or action in unnamed, (action, message)
        assert "\n" not in message
    filled.put("roles", role, whole)


def test_a_role_reaches_no_other_index_and_the_error_names_right_and_role_file(filled: SecuredCluster) -> None:
    store = filled.store(READER, "secrets")
    with store, pytest.warns(LimitedRightsWarning), pytest.raises(ServerRequestError) as caught:
        store.count()
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    assert str(caught.value).replace(READER, "ada") in page.replace("\n", " ")


def test_a_wrong_password_is_one_line_that_names_the_user(filled: SecuredCluster) -> None:
    login = {**filled.options(READER)["client_options"], "http_auth": (READER, "wrong-password")}
    store = NeuralSparseStore(INDEX, url=filled.server.url, client_options=login, **filled.encoders)
    with store, pytest.raises(ServerRequestError) as caught:
        store.search("planet")
    assert caught.value.status == 401
    assert f"as user '{READER}' (from http_auth)" in str(caught.value)
    assert "Check its user and password." in str(caught.value)
    assert "wrong-password" not in str(caught.value)
    assert "\n" not in str(caught.value)

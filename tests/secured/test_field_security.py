"""A login that may not see some fields, by field-level security of a real server."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from opensearch_neural_sparse import (
    BulkWriteError,
    HiddenFieldError,
    IndexSchemaError,
    LimitedRightsWarning,
    NeuralSparseStore,
    ReindexReport,
)
from tests.encoders import word_vector
from tests.paths import SMALL_MODEL
from tests.secured.cluster import EVERYTHING, ONE_SHARD, SecuredCluster

INDEX = "partly"
CLUSTER = ("cluster:monitor/main", "indices:data/read/msearch", "indices:data/read/mget", "indices:data/write/bulk")
HIDDEN = {"vector": ["~sparse_vector"], "marker": ["~sparse_vector_model"], "text": ["~content"]}
FIELD = {"vector": "sparse_vector", "marker": "sparse_vector_model", "text": "content"}


@pytest.fixture(scope="module")
def partly(cluster: SecuredCluster) -> Iterator[SecuredCluster]:
    """An index of which each of some users does not see a field."""
    for part, fields in HIDDEN.items():
        rights = {"index_patterns": [f"{INDEX}*"], "allowed_actions": EVERYTHING, "fls": fields}
        cluster.give_role(f"no-{part}", CLUSTER, rights)
    masked = {"index_patterns": [INDEX], "allowed_actions": EVERYTHING, "masked_fields": ["content"]}
    cluster.give_role("masked", CLUSTER, masked)
    owner = cluster.owner(INDEX)
    owner.create(settings=ONE_SHARD)
    owner.write([{"id": "1", "text": "red planet", "metadata": {"n": 1}}])
    yield cluster
    owner.delete_index()


OPERATIONS: dict[str, Callable[[NeuralSparseStore], object]] = {
    "search": lambda store: store.search("planet"),
    "search_many": lambda store: store.search_many(["planet"]),
    "hybrid_search": lambda store: store.hybrid_search("planet"),
    "match_search": lambda store: store.match_search("planet"),
    "get": lambda store: store.get(["1"]),
    "scan": lambda store: list(store.scan()),
    "write": lambda store: store.write([{"id": "2", "text": "green"}]),
    "delete": lambda store: store.delete(["1"]),
    "bind_model": lambda store: store.bind_model(replace=True),
}


@pytest.mark.parametrize("part", ["vector", "marker"])
def test_hidden_vectors_and_markers_are_named_whatever_is_done(partly: SecuredCluster, part: str) -> None:
    for name, operation in OPERATIONS.items():
        if (part, name) == ("marker", "bind_model"):
            continue  # it writes the marker's mapping again, and reads no document by it
        with partly.store(f"no-{part}", INDEX) as store, pytest.raises(HiddenFieldError) as caught:
            operation(store)
        assert (caught.value.index, caught.value.field) == (INDEX, FIELD[part])
        assert str(caught.value).endswith(
            "field-level security hides it, or the mapping has lost it. Let a role of the login see it (fls), or use "
            "another login."
        )


async def test_the_asynchronous_store_names_them_too(partly: SecuredCluster) -> None:
    for part in ("vector", "marker"):
        async with partly.several(f"no-{part}", INDEX) as store:
            with pytest.raises(HiddenFieldError, match=f"shows this login no field '{FIELD[part]}'"):
                await store.hybrid_search("planet")
    async with partly.several("no-text", INDEX) as store:
        with pytest.warns(LimitedRightsWarning, match="come without their texts"):
            assert [hit.text for hit in await store.search("planet")] == [None]
        with pytest.raises(HiddenFieldError, match=r"no field 'content', which match_search\(\) searches"):
            await store.match_search("planet")


def test_hidden_texts_are_warned_of_and_refused_where_they_are_searched_or_encoded(partly: SecuredCluster) -> None:
    with partly.store("no-text", INDEX) as store:
        with pytest.warns(LimitedRightsWarning, match="shows this login no field 'content'"):
            assert [(hit.id, hit.text) for hit in store.search("planet", explain=True)] == [("1", None)]
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert [document.text for document in store.scan()] == [None]
        encoder = partly.encoders["document_encoder"]
        refused: dict[str, Callable[[], object]] = {
            r"which match_search\(\) searches": lambda: store.match_search("planet"),
            "which leg 'bm25' searches": lambda: store.hybrid_search("planet"),
            "which reindexing encodes": lambda: _kept(store, encoder),
        }
        for use, operation in refused.items():
            with pytest.raises(HiddenFieldError, match=f"no field 'content', {use}"):
                operation()
        with pytest.warns(LimitedRightsWarning), pytest.raises(HiddenFieldError, match="new field's model encodes"):
            store.add_field("sparse_other", model=SMALL_MODEL)
        with pytest.raises(BulkWriteError, match="updates nothing, so nothing was changed"):
            store.update_metadata({"1": {"n": 2}})


def _kept(store: NeuralSparseStore, encoder: Any) -> ReindexReport:
    return store.reindex_with_model("partly-copy", document_encoder=encoder, on_missing_text="keep")


def test_fields_that_are_replaced_by_hashes_come_as_such(partly: SecuredCluster) -> None:
    with partly.store("masked", INDEX) as store:
        (hit,) = store.search("planet")
        assert hit.text is not None
        assert len(hit.text) == 64
        assert store.match_search("planet") == []


def test_layers_name_the_hidden_field(partly: SecuredCluster) -> None:
    haystack = pytest.importorskip("haystack_integrations.document_stores.opensearch_neural_sparse")
    langchain = pytest.importorskip("langchain_opensearch_neural_sparse")
    login = partly.options("no-marker")["client_options"]
    url = partly.server.url
    documents = haystack.OpenSearchNeuralSparseDocumentStore(index=INDEX, hosts=url, create_index=False, **login)
    with pytest.raises(HiddenFieldError, match="no field 'sparse_vector_model'"):
        documents.filter_documents()
    documents.close()
    vectors = langchain.OpenSearchNeuralSparseVectorStore(INDEX, url=url, client_options=login)
    with pytest.raises(HiddenFieldError, match="no field 'sparse_vector_model'"):
        vectors.similarity_search("planet")


def test_a_stamp_brings_the_marker_to_an_index_of_others(partly: SecuredCluster) -> None:
    index = "partly-foreign"
    properties = {"content": {"type": "text"}, "sparse_vector": {"type": "rank_features"}}
    partly.admin.indices.create(index=index, body={"settings": ONE_SHARD, "mappings": {"properties": properties}})
    source = {"content": "red planet", "sparse_vector": dict(word_vector("red planet"))}
    partly.admin.index(index=index, id="1", body=source, refresh=True)
    store = partly.owner(index)
    store.bind_model()
    mapping = partly.admin.indices.get_mapping(index=index)[index]["mappings"]
    assert mapping["properties"]["sparse_vector_model"]["type"] == "keyword"
    with partly.store("no-marker", index) as other, pytest.raises(IndexSchemaError, match="sparse_vector_model"):
        other.search("planet")
    partly.admin.indices.delete(index=index)

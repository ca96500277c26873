"""Indices whose text field is of type `semantic`: the server encodes documents when they are written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from opensearch_neural_sparse import (
    BulkWriteError,
    HybridOptions,
    IndexSchema,
    IndexSchemaError,
    NeuralSparseStore,
    Prune,
    SearchHits,
    SearchOptions,
    SemanticField,
    ServerQuery,
    SparseDocument,
    TwoPhase,
    UnsupportedServerError,
    load_query_encoder,
    register_model,
)
from opensearch_neural_sparse.server_models.deployed_model import DeployedModel
from tests.conftest import RunningServer
from tests.paths import SMALL_MODEL

TEXTS = ("a red planet", "the red fox jumps over a dog", "planets around a distant star", "a cat sleeps")
QUERY = "red planet fox"
CLOSE = 1e-5


@pytest.fixture
def index(model_server: RunningServer, model_index: str) -> str:
    if model_server.version.startswith("2."):
        pytest.skip("the field type semantic came with OpenSearch 3.1")
    return model_index


def created(client: Any, index: str, semantic: SemanticField, **arguments: Any) -> NeuralSparseStore:
    store = NeuralSparseStore(index, client=client, schema=IndexSchema(semantic=semantic), **arguments)
    store.create(settings={"number_of_shards": 1})
    store.write({"id": f"{n}", "text": text, "metadata": {"n": n}} for n, text in enumerate(TEXTS))
    return store


@pytest.fixture
def unstamped(model_client: Any, index: str, deployed: DeployedModel) -> Iterator[NeuralSparseStore]:
    """An index that is opened without our stamp, its schema or its model."""
    semantic = SemanticField(model_id=deployed.model_id, search_model_id=deployed.query_model_id)
    created(model_client, index, semantic).close()
    with NeuralSparseStore(index, client=model_client) as store:
        yield store


def assert_same(found: SearchHits, expected: SearchHits) -> None:
    assert expected
    assert [hit.id for hit in found] == [hit.id for hit in expected]
    assert [hit.score for hit in found] == pytest.approx([hit.score for hit in expected], rel=CLOSE)


def by_the_server_itself(client: Any, index: str) -> dict[str, float]:
    body = {"query": {"neural": {"content": {"query_text": QUERY}}}}
    return {hit["_id"]: hit["_score"] for hit in client.search(index=index, body=body)["hits"]["hits"]}


def test_search_by_default_is_that_of_the_server(unstamped: NeuralSparseStore, model_client: Any, index: str) -> None:
    found = unstamped.search(QUERY)
    assert {hit.id: hit.score for hit in found} == pytest.approx(by_the_server_itself(model_client, index), rel=CLOSE)
    assert [(hit.text, hit.metadata) for hit in found] == [(TEXTS[int(hit.id)], {"n": int(hit.id)}) for hit in found]
    assert "content_semantic_info" not in found[0].source


def test_our_vector_and_the_server_s_encoding_have_the_same_scores(
    unstamped: NeuralSparseStore, deployed: DeployedModel
) -> None:
    vector = load_query_encoder(SMALL_MODEL).encode_query(QUERY)
    expected = unstamped.search(vector)
    for options in (
        SearchOptions(),
        SearchOptions(server_query=ServerQuery()),
        SearchOptions(server_query=ServerQuery(model_id=deployed.query_model_id)),
    ):
        assert_same(unstamped.search(QUERY, options=options), expected)
    filtered = {"filter": {"range": {"n": {"gte": 1}}}}
    assert_same(unstamped.search(QUERY, **filtered), unstamped.search(vector, **filtered))
    two_phase = SearchOptions(two_phase=TwoPhase())
    assert_same(unstamped.search(QUERY, options=two_phase), unstamped.search(vector, options=two_phase))


@pytest.mark.parametrize("fusion", ["server", "client"])
def test_hybrid_search_takes_words_and_weights_of_one_field(unstamped: NeuralSparseStore, fusion: str) -> None:
    vector = load_query_encoder(SMALL_MODEL).encode_query(QUERY)
    options = HybridOptions(fusion=fusion)
    found = unstamped.hybrid_search(QUERY, options=options, explain=True)
    assert_same(found, unstamped.hybrid_search(QUERY, vector=vector, options=options))
    assert set(found[0].legs or ()) == {"bm25", "sparse"}


def test_stored_weights_explain_the_score(unstamped: NeuralSparseStore) -> None:
    for hit in unstamped.search(QUERY, explain=True):
        assert sum(match.score for match in hit.matches or ()) == pytest.approx(hit.score, rel=CLOSE)
    (document,) = unstamped.get(["0"])
    assert document.text == TEXTS[0]
    assert dict(document.metadata) == {"n": 0}
    assert document.vector
    assert document.vector["planet"] > 0
    assert unstamped.count({"term": {"n": 0}}) == 1
    assert unstamped.delete(["0"], refresh=True) == 1


def test_stamp_names_model_and_pruning_of_the_server(model_client: Any, index: str, deployed: DeployedModel) -> None:
    register_model(SMALL_MODEL, name="small-en")
    semantic = SemanticField(model_id=deployed.model_id, search_model_id=deployed.query_model_id)
    created(model_client, index, semantic, model="small-en").close()
    with NeuralSparseStore(index, client=model_client) as store:
        binding = store.open().binding
        assert binding is not None
        assert binding.server is not None
        assert (binding.server.model_id, binding.server.query_model_id) == (
            deployed.model_id,
            deployed.query_model_id,
        )
        assert binding.prune_rule == Prune.parse("max_ratio:0.1")
        assert store.open().schema.semantic == semantic
        encoded = store.search(QUERY)
        assert_same(encoded, store.search(QUERY, options=SearchOptions(server_query=ServerQuery())))
    named = NeuralSparseStore(index, client=model_client, model="small-en")
    vector = named.get(["1"])[0].vector or {}
    assert min(vector.values()) >= 0.1 * max(vector.values()) - 1e-6


def test_chunks_of_the_server_are_found_with_their_texts(
    model_client: Any, index: str, deployed: DeployedModel
) -> None:
    semantic = SemanticField(
        model_id=deployed.model_id, search_analyzer="bert-uncased", prune=Prune.parse("none"), chunking=True
    )
    text = " ".join(f"filler number {n} of a long document." for n in range(200)) + " At its end lies a red planet."
    store = NeuralSparseStore(index, client=model_client, schema=IndexSchema(semantic=semantic))
    store.create(settings={"number_of_shards": 1})
    store.write([{"id": "long", "text": text}, {"id": "short", "text": "a cat sleeps"}])
    store.close()
    with NeuralSparseStore(index, client=model_client) as opened:
        assert opened.open().schema.semantic == semantic
        first, *_ = opened.search("red planet", explain=True)
        assert first.id == "long"
        assert first.chunk is not None
        assert 0 < first.chunk.start < first.chunk.end == len(text)
        assert first.chunk.text.endswith("lies a red planet.")
        assert sum(match.score for match in first.matches or ()) == pytest.approx(first.score, rel=CLOSE)
        assert opened.hybrid_search("red planet")[0].chunk == first.chunk
        assert len(opened.get(["long"])[0].chunks or ()) > 1


def test_vector_of_a_document_is_refused(unstamped: NeuralSparseStore) -> None:
    with pytest.raises((IndexSchemaError, BulkWriteError), match="server encodes the texts"):
        unstamped.write([SparseDocument(id="x", text="a text", vector={"a": 1.0})])


def test_weights_beside_a_plain_text_field_are_searched_by_a_query_that_is_named(
    unstamped: NeuralSparseStore, model_client: Any, index: str, deployed: DeployedModel
) -> None:
    """A managed service may keep the weights so and tell nothing of its model."""
    copy = f"{index}-copy"
    properties = {
        "content": {"type": "text"},
        "content_semantic_info": {"properties": {"embedding": {"type": "rank_features"}}},
    }
    try:
        model_client.indices.create(index=copy, body={"mappings": {"properties": properties}})
        for hit in model_client.search(index=index)["hits"]["hits"]:
            model_client.index(index=copy, id=hit["_id"], body=hit["_source"], params={"refresh": "true"})
        with NeuralSparseStore(copy, client=model_client) as store:
            with pytest.raises(IndexSchemaError, match=r"does not say what encodes queries.*ServerQuery\(model_id="):
                store.search(QUERY)
            asked = SearchOptions(server_query=ServerQuery(model_id=deployed.query_model_id))
            assert_same(store.search(QUERY, options=asked), unstamped.search(QUERY))
    finally:
        model_client.indices.delete(index=copy, ignore_unavailable=True)


def test_older_server_is_named_before_anything_is_created(
    model_server: RunningServer, model_client: Any, model_index: str
) -> None:
    if not model_server.version.startswith("2."):
        pytest.skip("this server has the field type semantic")
    store = NeuralSparseStore(
        model_index, client=model_client, schema=IndexSchema(semantic=SemanticField(model_id="m"))
    )
    with pytest.raises(UnsupportedServerError, match=r"type semantic.*3\.1"):
        store.create()


def test_contradictions_are_refused() -> None:
    with pytest.raises(IndexSchemaError, match="leave one out"):
        SemanticField(model_id="m", search_model_id="t", search_analyzer="bert-uncased")
    with pytest.raises(IndexSchemaError, match="leave chunking and field_type out"):
        IndexSchema(semantic=SemanticField(model_id="m"), field_type="sparse_vector")


@pytest.mark.parametrize("stamped", [False, True])
def test_changes_that_would_lose_vectors_are_refused(
    model_client: Any, index: str, deployed: DeployedModel, stamped: bool
) -> None:
    semantic = SemanticField(model_id=deployed.model_id, search_model_id=deployed.query_model_id)
    store = created(model_client, index, semantic, **({"model": SMALL_MODEL} if stamped else {}))
    before = [hit.id for hit in store.search(QUERY)]
    for change in (
        lambda: store.update_text({"0": "a blue sea"}),
        lambda: store.reindex_with_model(f"{index}-new", model=SMALL_MODEL),
        lambda: store.add_field("sparse_other", model=SMALL_MODEL),
    ):
        with pytest.raises(IndexSchemaError, match=r"of type semantic, by model .* Write the documents again"):
            change()
    assert not model_client.indices.exists(index=f"{index}-new")
    assert [hit.id for hit in store.search(QUERY)] == before
    store.write([{"id": "0", "text": "a blue sea"}])
    assert [hit.id for hit in store.search("sea")] == ["0"]

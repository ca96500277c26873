"""From an index that the server encodes to one that clients encode, and the other way round, without encoding again."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from typing import Any

import pytest

from opensearch_neural_sparse import (
    DeployedModel,
    DocumentEncoder,
    IndexSchema,
    ModelMismatchError,
    NeuralSparseStore,
    SearchHits,
    SearchOptions,
    ServerEncoding,
    ServerQuery,
    load_document_encoder,
)
from tests.paths import SMALL_MODEL
from tests.toy import write_doc_only

SETTINGS = {"number_of_shards": 1, "number_of_replicas": 0}
PASSAGES = {
    "heart": "The heart pumps blood through the body.",
    "river": "Rivers carry water to the sea.",
    "market": "The stock market fell sharply in autumn.",
    "odd": "Naïve café, 42 % of 'O'Brien' - 東京!",
}
QUERIES = ("cardiac function", "water", "money and shares", "coffee in Tokyo")
SCHEMA = IndexSchema(text_field="passage_text", sparse_field="passage_embedding", model_field="passage_model")
MAPPINGS = {"properties": {"passage_text": {"type": "text"}, "passage_embedding": {"type": "rank_features"}}}
CLOSE = 1e-5
MakeStore = Callable[..., NeuralSparseStore]


@pytest.fixture(scope="module")
def encoder() -> Iterator[DocumentEncoder]:
    encoder = load_document_encoder(SMALL_MODEL)
    yield encoder
    encoder.close()


@pytest.fixture
def make_store(model_client: Any, model_index: str) -> Iterator[MakeStore]:
    """Make stores of the bundled model; their indices and pipelines are removed at the end."""
    with ExitStack() as stack:

        def make(index: str = model_index, **arguments: Any) -> NeuralSparseStore:
            stack.callback(model_client.ingest.delete_pipeline, id=f"{index}-sparse-encoding", ignore=[404])
            stack.callback(model_client.indices.delete, index=index, ignore_unavailable=True)
            return stack.enter_context(
                NeuralSparseStore(index, client=model_client, **({"model": SMALL_MODEL} | arguments))
            )

        yield make


@pytest.fixture
def pipeline(model_client: Any, deployed: DeployedModel) -> Iterator[str]:
    """A pipeline of plain requests that encodes `passage_text`."""
    name = f"test-{uuid.uuid4().hex}"
    fields = {"passage_text": "passage_embedding"}
    processor = {"sparse_encoding": {"model_id": deployed.model_id, "field_map": fields}}
    model_client.ingest.put_pipeline(id=name, body={"processors": [processor]})
    yield name
    model_client.ingest.delete_pipeline(id=name, ignore=[404])


def fill_by_server(client: Any, index: str, pipeline: str) -> None:
    """Make an index without this package."""
    body = {"settings": {**SETTINGS, "default_pipeline": pipeline}, "mappings": MAPPINGS}
    client.indices.create(index=index, body=body)
    lines = [line for key, text in PASSAGES.items() for line in ({"index": {"_id": key}}, {"passage_text": text})]
    assert not client.bulk(index=index, body=lines, refresh=True)["errors"]


def server_search(client: Any, index: str, field: str, query: str, tokenizer: str) -> dict[str, float]:
    """Return the scores of a search as programs without this package send it."""
    body = {"query": {"neural_sparse": {field: {"query_text": query, "model_id": tokenizer}}}}
    return {hit["_id"]: hit["_score"] for hit in client.search(index=index, body=body)["hits"]["hits"]}


def scores(hits: SearchHits) -> dict[str, float]:
    return {hit.id: hit.score for hit in hits}


def assert_close(vector: Mapping[str, float], expected: Mapping[str, float]) -> None:
    assert dict(vector) == pytest.approx(dict(expected), abs=CLOSE)


@pytest.fixture
def bound(model_client: Any, model_index: str, pipeline: str, make_store: MakeStore) -> NeuralSparseStore:
    """A store of an index that a pipeline filled, stamped."""
    fill_by_server(model_client, model_index, pipeline)
    store = make_store(schema=SCHEMA)
    store.bind_model(verify=len(PASSAGES))
    return store


def test_vectors_that_a_pipeline_wrote_are_searched_by_queries_from_here(
    bound: NeuralSparseStore, model_client: Any, deployed: DeployedModel, encoder: DocumentEncoder
) -> None:
    expected = encoder.encode_documents(list(PASSAGES.values()))
    for document, vector in zip(bound.get(list(PASSAGES)), expected, strict=True):
        assert document.vector is not None
        assert_close(document.vector, vector)
    for query in QUERIES:
        by_server = server_search(model_client, bound.index, "passage_embedding", query, deployed.query_model_id)
        assert scores(bound.search(query)) == pytest.approx(by_server, rel=CLOSE)
        assert by_server


def test_documents_from_here_and_from_the_pipeline_share_an_index(
    bound: NeuralSparseStore, model_client: Any, encoder: DocumentEncoder
) -> None:
    text = "Oak trees drop their leaves in autumn."
    bound.write([{"id": "mine", "text": text}])
    model_client.index(index=bound.index, id="theirs", body={"passage_text": text}, refresh=True)
    (expected,) = encoder.encode_documents([text])
    mine, theirs = bound.get(["mine", "theirs"])
    assert mine.vector is not None
    assert theirs.vector is not None
    assert dict(mine.vector) == pytest.approx(dict(expected), rel=1 / 256)  # nine bits, as scores need them
    assert_close(theirs.vector, expected)
    found = scores(bound.search("forest in fall"))
    assert found["mine"] == pytest.approx(found["theirs"], rel=1 / 128)


def test_another_model_is_refused_for_what_the_pipeline_wrote(
    bound: NeuralSparseStore, make_store: MakeStore, tmp_path: Any
) -> None:
    other = make_store(bound.index, schema=SCHEMA, model=write_doc_only(tmp_path / "other"))
    with pytest.raises(ModelMismatchError):
        other.search("water")


@pytest.fixture
def client_encoded(make_store: MakeStore) -> NeuralSparseStore:
    store = make_store()
    store.create(settings=SETTINGS)
    store.write({"id": key, "text": text, "metadata": {"key": key}} for key, text in PASSAGES.items())
    return store


def test_vectors_from_here_are_searched_by_queries_of_the_server(
    client_encoded: NeuralSparseStore, model_client: Any, deployed: DeployedModel
) -> None:
    store, field = client_encoded, client_encoded.schema.sparse_field
    by_server = SearchOptions(server_query=ServerQuery(model_id=deployed.query_model_id))
    for query in QUERIES:
        own = scores(store.search(query))
        assert own
        assert scores(store.search(query, options=by_server)) == pytest.approx(own, rel=CLOSE)
        assert server_search(model_client, store.index, field, query, deployed.query_model_id) == pytest.approx(
            own, rel=CLOSE
        )


def test_vectors_from_here_move_to_an_index_that_the_server_encodes_from_then_on(
    client_encoded: NeuralSparseStore, make_store: MakeStore, deployed: DeployedModel, encoder: DocumentEncoder
) -> None:
    encoding = ServerEncoding(model_id=deployed.model_id, query_model_id=deployed.query_model_id)
    moved = make_store(f"{client_encoded.index}-moved", server_encoding=encoding)
    moved.create(settings=SETTINGS)
    moved.write(client_encoded.scan())
    before, after = ({row.id: row for row in store.scan()} for store in (client_encoded, moved))
    assert {key: dict(row.vector or {}) for key, row in after.items()} == {  # not encoded again
        key: dict(row.vector or {}) for key, row in before.items()
    }
    assert {key: row.metadata for key, row in after.items()} == {key: row.metadata for key, row in before.items()}
    moved.write([{"id": "new", "text": PASSAGES["heart"]}])
    (expected,) = encoder.encode_documents([PASSAGES["heart"]])
    (new,) = moved.get(["new"])
    assert new.vector is not None
    assert_close(new.vector, expected)
    for query in QUERIES:
        hits = scores(moved.search(query))
        hits.pop("new", None)
        assert hits == pytest.approx(scores(client_encoded.search(query)), rel=CLOSE)


def test_an_index_from_here_takes_a_pipeline_for_documents_of_other_programs(
    client_encoded: NeuralSparseStore, model_client: Any, deployed: DeployedModel, encoder: DocumentEncoder
) -> None:
    store, name = client_encoded, f"{client_encoded.index}-sparse-encoding"
    fields = {store.schema.text_field: store.schema.sparse_field}
    processor = {"sparse_encoding": {"model_id": deployed.model_id, "field_map": fields}}
    model_client.ingest.put_pipeline(id=name, body={"processors": [processor]})
    model_client.indices.put_settings(index=store.index, body={"index.default_pipeline": name})
    text = "Oak trees drop their leaves in autumn."
    model_client.index(index=store.index, id="theirs", body={store.schema.text_field: text}, refresh=True)
    store.write([{"id": "mine", "text": text}])
    (expected,) = encoder.encode_documents([text])
    theirs, mine = store.get(["theirs", "mine"])
    assert theirs.vector is not None
    assert mine.vector is not None
    assert_close(theirs.vector, expected)
    assert dict(mine.vector) == pytest.approx(dict(expected), rel=1 / 256)
    assert {"theirs", "mine"} <= set(scores(store.search("forest in fall")))


def test_an_index_from_here_is_encoded_by_the_server_from_then_on(
    client_encoded: NeuralSparseStore, make_store: MakeStore, deployed: DeployedModel, encoder: DocumentEncoder
) -> None:
    before = {row.id: dict(row.vector or {}) for row in client_encoded.scan()}
    encoding = ServerEncoding(model_id=deployed.model_id, query_model_id=deployed.query_model_id)
    store = make_store(server_encoding=encoding)
    with pytest.raises(ModelMismatchError, match=r"differ in server.*replace=True"):
        store.bind_model()
    binding = store.bind_model(verify=len(PASSAGES), replace=True)
    assert binding.server is not None
    assert store.bind_model() == binding == store.open().binding
    text = "Oak trees drop their leaves in autumn."
    other = make_store()  # knows of the server by the stamp alone
    other.write([{"id": "new", "text": text}])
    other.client().index(index=store.index, id="theirs", body={store.schema.text_field: text}, refresh=True)
    (expected,) = encoder.encode_documents([text])
    for document in other.get(["new", "theirs"]):
        assert document.vector is not None
        assert_close(document.vector, expected)
    assert {row.id: dict(row.vector or {}) for row in other.get(list(PASSAGES))} == before
    assert {"new", "theirs"} <= set(scores(other.search("forest in fall")))


def test_an_index_of_another_pipeline_is_encoded_through_this_package_from_then_on(
    bound: NeuralSparseStore, make_store: MakeStore, deployed: DeployedModel, encoder: DocumentEncoder
) -> None:
    encoding = ServerEncoding(model_id=deployed.model_id, query_model_id=deployed.query_model_id)
    store = make_store(schema=SCHEMA, server_encoding=encoding)
    assert store.bind_model(replace=True).server is not None
    text = "Oak trees drop their leaves in autumn."
    make_store(schema=SCHEMA).write([{"id": "new", "text": text}])
    (expected,) = encoder.encode_documents([text])
    (new,) = store.get(["new"])
    assert new.vector is not None
    assert_close(new.vector, expected)

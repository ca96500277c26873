"""Documents that go through an ingest pipeline of the server when they are written."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from haystack import Document
from opensearchpy import OpenSearch

from haystack_integrations.document_stores.opensearch_neural_sparse import OpenSearchNeuralSparseDocumentStore
from opensearch_neural_sparse import Load
from tests.haystack_layer.conftest import MakeStore

SENTENCES = {"algorithm": {"delimiter": {"delimiter": "."}}, "field_map": {"content": "sentences"}}


@pytest.fixture
def pipeline(client: OpenSearch, index_name: str) -> Iterator[str]:
    """A pipeline that adds the sentences of a document to its metadata."""
    name = f"{index_name}-sentences"
    client.ingest.put_pipeline(id=name, body={"processors": [{"text_chunking": SENTENCES}]})
    yield name
    client.ingest.delete_pipeline(id=name)


async def test_documents_go_through_the_pipeline_on_every_way_in(make_store: MakeStore, pipeline: str) -> None:
    store = make_store(ingest_pipeline=pipeline)
    store.write_documents([Document(id="1", content="red. dark.")])
    await store.write_documents_async([Document(id="2", content="blue", meta={"year": 2026})])
    store.ingest(Load([Document(id="3", content="green")]))
    plain = make_store()
    plain.write_documents([Document(id="4", content="grey")])
    metas = {document.id: document.meta for document in store.filter_documents()}
    assert metas == {
        "1": {"sentences": ["red.", " dark."]},
        "2": {"sentences": ["blue"], "year": 2026},
        "3": {"sentences": ["green"]},
        "4": {},
    }
    await store.close_async()


def test_the_pipeline_is_saved_where_one_is_given(make_store: MakeStore) -> None:
    saved = make_store(ingest_pipeline="origin").to_dict()
    assert saved["init_parameters"]["ingest_pipeline"] == "origin"
    assert OpenSearchNeuralSparseDocumentStore.from_dict(saved).to_dict() == saved
    assert "ingest_pipeline" not in make_store().to_dict()["init_parameters"]


def test_a_pipeline_that_does_not_exist_writes_nothing_and_is_named(make_store: MakeStore) -> None:
    store = make_store(ingest_pipeline="no-such-pipeline")
    with pytest.raises(Exception, match="no-such-pipeline"):
        store.write_documents([Document(id="1", content="red")])
    assert store.count_documents() == 0


def test_a_pipeline_in_place_of_the_one_that_encodes_is_refused() -> None:
    with pytest.raises(ValueError, match="ingest_pipeline='origin' would run in place of the pipeline that encodes"):
        OpenSearchNeuralSparseDocumentStore(ingest_pipeline="origin", server_encoding="a-model")

"""Vector stores over an approximate index (SEISMIC), whose keys are token ids."""

from __future__ import annotations

import pytest
from langchain_core.documents import Document

from langchain_opensearch_neural_sparse import OpenSearchNeuralSparseVectorStore
from opensearch_neural_sparse import IndexSchema, NeuralSparseStore, register_model
from opensearch_neural_sparse.server_info import parse_version
from tests.paths import SMALL_MODEL

SCHEMA = IndexSchema(field_type="sparse_vector")


async def test_either_side_of_a_store_without_a_model_translates_by_that_of_its_index(server, index_name: str) -> None:
    if parse_version(server.version) < (3, 3, 0):
        pytest.skip("sparse_vector came with OpenSearch 3.3")
    register_model(SMALL_MODEL, name=SMALL_MODEL.name)
    with NeuralSparseStore(index_name, url=server.url, model=SMALL_MODEL, schema=SCHEMA) as store:
        store.create()
        store.write([{"id": "1", "text": "mars", "vector": {"mars": 1.5}}, {"id": "2", "vector": {"red": 1.5}}])
    async with OpenSearchNeuralSparseVectorStore(index_name, url=server.url, schema=SCHEMA) as vectorstore:
        mars = [Document(id="1", page_content="mars")]
        assert await vectorstore.asimilarity_search("mars") == mars == vectorstore.similarity_search("mars")
        assert await vectorstore.asimilarity_search_by_sparse_vector({"mars": 2.0}) == mars
        assert (await vectorstore.async_store.get(["1"]))[0].vector == {"mars": 1.5}

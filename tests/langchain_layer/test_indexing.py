"""LangChain's indexing API over this store: what it skips, deletes, and does after an error or a change of model."""

from __future__ import annotations

import pytest
from langchain_core.documents import Document
from langchain_core.indexing import InMemoryRecordManager, aindex, index
from langchain_core.indexing.api import IndexingException

from opensearch_neural_sparse import BulkWriteError, IndexNotFoundWarning, ModelMismatchError, WriteOptions
from tests.encoders import WordEncoder
from tests.toy import write_doc_only

pytestmark = pytest.mark.newest_server

SOURCES = [
    Document(page_content="rivers", metadata={"source": "a"}),
    Document(page_content="lakes", metadata={"source": "a"}),
    Document(page_content="seas", metadata={"source": "b"}),
]
LEFT = {None: 3, "incremental": 2, "scoped_full": 2, "full": 1}
"""Documents after only the first one of source `a` came again."""


@pytest.fixture
def records() -> InMemoryRecordManager:
    manager = InMemoryRecordManager(namespace="test")
    manager.create_schema()
    return manager


@pytest.mark.parametrize("cleanup", LEFT, ids=str)
@pytest.mark.parametrize("awaited", [False, True], ids=["index", "aindex"])
async def test_every_mode_of_cleanup_deletes_what_it_says(vectorstore, records, cleanup, awaited: bool) -> None:
    async def run(documents: list[Document]) -> dict:
        options = {"cleanup": cleanup, "source_id_key": "source", "key_encoder": "sha256"}
        call = (aindex if awaited else index)(documents, records, vectorstore, **options)
        return await call if awaited else call

    assert (await run(SOURCES))["num_added"] == 3
    assert (await run(SOURCES))["num_skipped"] == 3
    again = await run(SOURCES[:1])
    assert (again["num_skipped"], again["num_deleted"]) == (1, 3 - LEFT[cleanup])
    assert vectorstore.store.count() == len(records.list_keys()) == LEFT[cleanup]


@pytest.mark.parametrize("awaited", [False, True], ids=["index", "aindex"])
async def test_a_full_cleanup_of_routed_documents_deletes_what_it_says(make_store, records, awaited: bool) -> None:
    vectorstore = make_store(settings={"number_of_shards": 3}, write_options=WriteOptions(routing="tenant"))

    async def run(documents: list[Document]) -> dict:
        call = (aindex if awaited else index)(documents, records, vectorstore, cleanup="full", key_encoder="sha256")
        return await call if awaited else call

    documents = [Document(page_content=f"passage {number}") for number in range(20)]
    assert (await run(documents))["num_added"] == 20
    assert (await run(documents[:5]))["num_deleted"] == 15
    assert vectorstore.store.count() == len(records.list_keys()) == 5


@pytest.mark.parametrize("awaited", [False, True], ids=["index", "aindex"])
async def test_a_cleanup_that_deletes_nothing_is_an_error(make_store, records, awaited: bool) -> None:
    routed = make_store(settings={"number_of_shards": 3}, write_options=WriteOptions(routing="tenant"))
    documents = [Document(page_content=f"passage {number}") for number in range(20)]
    index(documents, records, routed, key_encoder="sha256")
    other = make_store()

    async def clean_up() -> None:
        if awaited:
            await aindex([], records, other, cleanup="full", key_encoder="sha256")
        else:
            index([], records, other, cleanup="full", key_encoder="sha256")

    with pytest.raises(IndexingException):
        await clean_up()
    assert len(records.list_keys()) == 20


def test_the_second_of_two_runs_over_many_documents_writes_nothing(vectorstore, records, client) -> None:
    def written() -> int:
        stats = client.indices.stats(index=vectorstore.stores.index, metric="indexing")
        return stats["_all"]["primaries"]["indexing"]["index_total"]

    documents = [Document(page_content=f"passage {number}") for number in range(2000)]
    assert index(documents, records, vectorstore, batch_size=500, key_encoder="sha256")["num_added"] == 2000
    before = written()
    result = index(documents, records, vectorstore, batch_size=500, key_encoder="sha256")
    assert result == {"num_added": 0, "num_updated": 0, "num_skipped": 2000, "num_deleted": 0}
    assert written() == before == 2000


async def test_the_records_stay_clean_where_a_document_was_refused(vectorstore, records) -> None:
    vectorstore.add_documents([Document(page_content="first", metadata={"year": 2020})])
    bad = [Document(page_content="good", metadata={"year": 1}), Document(page_content="x", metadata={"year": "soon"})]
    with pytest.raises(BulkWriteError):
        index(bad, records, vectorstore, key_encoder="sha256")
    with pytest.raises(BulkWriteError):
        await aindex(bad, records, vectorstore, key_encoder="sha256")
    assert records.list_keys() == []


def test_another_model_is_refused_and_a_new_index_takes_everything_by_force(
    make_store, records, client, tmp_path, small_files
) -> None:
    vectorstore = make_store(document_encoder=WordEncoder(small_files), query_encoder=WordEncoder(small_files))
    index(SOURCES, records, vectorstore, key_encoder="sha256")
    other = make_store(model=write_doc_only(tmp_path / "other"), document_encoder=None, query_encoder=None)
    with pytest.raises(ModelMismatchError, match="small-en"):
        index([*SOURCES, Document(page_content="new")], records, other, key_encoder="sha256")
    client.indices.delete(index=vectorstore.stores.index)
    again = make_store()
    assert index(SOURCES, records, again, key_encoder="sha256")["num_skipped"] == 3
    with pytest.warns(IndexNotFoundWarning):
        assert again.similarity_search("rivers") == []
    assert index(SOURCES, records, again, key_encoder="sha256", force_update=True)["num_updated"] == 3
    assert len(again.similarity_search("rivers")) == 3

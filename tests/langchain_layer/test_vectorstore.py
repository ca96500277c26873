from __future__ import annotations

import copy
import inspect
import json

import pytest
from langchain_core.documents import Document

from langchain_opensearch_neural_sparse import OpenSearchNeuralSparseVectorStore
from opensearch_neural_sparse import (
    BulkWriteError,
    FilterSyntaxError,
    IndexSchema,
    IndexSchemaError,
)
from opensearch_neural_sparse.store._sync.store import NeuralSparseStore
from opensearch_neural_sparse.store.write_options import WriteOptions

NOWHERE = "http://user:secret@localhost:9"
DOCUMENTS = [
    Document(id="1", page_content="rivers", metadata={"lang": "en", "year": 2020}),
    Document(id="2", page_content="fleuves", metadata={"lang": "fr", "year": 2021}),
    Document(id="3", page_content="lakes", metadata={"lang": "en", "year": 2022}),
]
EVERY_KIND_OF_METADATA = {
    "id": 1,
    "content": "mine",
    "meta": {"a": 1},
    "embedding": [0.5],
    "sparse_vector": {"token": 1.0},
    "score": 0.25,
    "_id": "mine",
    "date": "2024-01-01",
    "nothing": None,
    "nested": {"flags": [True, False], "deep": [{"e": 1e-9}]},
    "größe": "ü",
}
TWINS = [
    *("add_documents", "add_texts", "close", "delete", "from_documents", "from_existing_index", "from_texts"),
    *("get_by_ids", "max_marginal_relevance_search", "search", "similarity_search"),
    *("similarity_search_by_sparse_vector", "similarity_search_with_score"),
]


@pytest.fixture
def filled(vectorstore):
    vectorstore.add_documents(DOCUMENTS)
    return vectorstore


def test_making_one_connects_to_nothing_and_shows_no_password() -> None:
    secret = {"http_auth": ("user", "secret")}
    vectorstore = OpenSearchNeuralSparseVectorStore(
        "articles", url=NOWHERE, model="no such model", client_options=secret
    )
    shown = "OpenSearchNeuralSparseVectorStore('articles', url='http://localhost:9', model='no such model')"
    assert repr(vectorstore) == shown
    assert vectorstore.embeddings is None
    assert vectorstore.as_retriever(search_kwargs={"k": 1}).search_kwargs == {"k": 1}


def test_an_index_or_a_store_is_needed_and_not_both(monkeypatch) -> None:
    monkeypatch.setenv("OPENSEARCH_URL", "")  # as if it were not set
    with pytest.raises(ValueError, match="Name the index"):
        OpenSearchNeuralSparseVectorStore(url=NOWHERE)
    with pytest.raises(ValueError, match="url of a server"):
        OpenSearchNeuralSparseVectorStore("articles")
    store = NeuralSparseStore("articles", url=NOWHERE)
    with pytest.raises(ValueError, match="its own index, model"):
        OpenSearchNeuralSparseVectorStore("articles", model="doc-v1", store=store)


def test_a_given_store_is_used_and_stays_open(vectorstore, monkeypatch) -> None:
    closed = []
    monkeypatch.setattr(vectorstore.store, "close", lambda: closed.append(True))
    with OpenSearchNeuralSparseVectorStore(store=vectorstore.store) as other:
        other.add_texts(["rivers"], ids=["1"])
    assert closed == []
    assert [document.id for document in vectorstore.get_by_ids(["1"])] == ["1"]


def test_the_first_write_makes_the_index_bound_to_its_model_and_so_does_one_after_its_deletion(vectorstore) -> None:
    for _ in range(2):
        vectorstore.add_texts(["rivers"])
        assert vectorstore.store.open().binding.model == "small-en"
        assert vectorstore.store.count() == 1
        vectorstore.store.delete_index()


def test_a_generator_is_written_whole_in_batches(vectorstore) -> None:
    ids = vectorstore.add_texts((f"text {number}" for number in range(7)), batch_size=3)
    assert len(set(ids)) == 7
    assert [document.page_content for document in vectorstore.get_by_ids(ids)] == [f"text {n}" for n in range(7)]
    ids = vectorstore.add_documents((Document(page_content=str(n)) for n in range(2)), ids=["x", "y"])
    assert ids == ["x", "y"]


def test_documents_without_ids_among_others_get_some(vectorstore) -> None:
    ids = vectorstore.add_documents([Document(id="a", page_content="a"), Document(page_content="b")])
    assert ids[0] == "a"
    assert [document.page_content for document in vectorstore.get_by_ids(ids)] == ["a", "b"]


def test_metadata_comes_back_byte_for_byte_and_inputs_stay_as_they_are(vectorstore) -> None:
    document = Document(id="1", page_content="rivers", metadata=copy.deepcopy(EVERY_KIND_OF_METADATA))
    metadatas = [copy.deepcopy(EVERY_KIND_OF_METADATA)]
    vectorstore.add_documents([document])
    vectorstore.add_texts(["rivers"], metadatas, ids=["2"])
    assert document == Document(id="1", page_content="rivers", metadata=EVERY_KIND_OF_METADATA)
    assert metadatas == [EVERY_KIND_OF_METADATA]
    found = vectorstore.get_by_ids(["1", "2"]) + vectorstore.similarity_search("rivers")
    assert len(found) == 4
    expected = json.dumps(EVERY_KIND_OF_METADATA, sort_keys=True)
    assert {json.dumps(one.metadata, sort_keys=True) for one in found} == {expected}


def test_a_document_that_the_server_refuses_is_reported_and_the_others_are_written(filled) -> None:
    bad = [Document(id="ok", page_content="sea"), Document(id="bad", page_content="x", metadata={"year": "soon"})]
    with pytest.raises(BulkWriteError) as caught:
        filled.add_documents(bad)
    assert [failure.id for failure in caught.value.report.failed] == ["bad"]
    assert [document.id for document in filled.get_by_ids(["ok", "bad"])] == ["ok"]


def test_of_a_list_with_an_impossible_document_nothing_is_written(filled) -> None:
    with pytest.raises(IndexSchemaError, match="blank before"):
        filled.add_documents([Document(id="ok", page_content="sea"), Document(page_content="x", metadata={"a.": 1})])
    assert filled.get_by_ids(["ok"]) == []


async def test_filters_hold_and_what_is_no_filter_is_refused(filled) -> None:
    english = {"term": {"lang": "en"}}
    found = filled.similarity_search("fleuves", k=3, filter=english)
    assert {document.id for document in found} == {"1", "3"}
    assert filled.similarity_search("fleuves", k=3, filter={"lang": "en"}) == found
    both = [english, {"year": {"$gte": 2021}}]
    assert await filled.asimilarity_search("fleuves", 3, both) == [DOCUMENTS[2]]
    with pytest.raises(FilterSyntaxError):
        filled.similarity_search("fleuves", filter={"lang": {"$is": "en"}})


async def test_scores_fall_and_are_the_same_in_sync_and_async(filled) -> None:
    scored = filled.similarity_search_with_score("lakes", k=3)
    assert scored[0][0] == DOCUMENTS[2]
    scores = [score for _, score in scored]
    assert scores == sorted(scores, reverse=True)
    assert await filled.asimilarity_search_with_score("lakes", k=3) == scored


@pytest.mark.parametrize("call", ["similarity_search", "similarity_search_with_score", "delete", "add_texts"])
async def test_a_misspelt_argument_is_an_error_and_not_ignored(filled, call: str) -> None:
    with pytest.raises(TypeError, match="fitler"):
        getattr(filled, call)(["x"], fitler={"term": {"lang": "en"}})
    with pytest.raises(TypeError, match="fitler"):
        await getattr(filled, f"a{call}")(["x"], fitler={"term": {"lang": "en"}})


def test_one_text_document_or_id_is_not_taken_for_its_parts(filled) -> None:
    for call in (
        lambda: filled.add_texts("12"),
        lambda: filled.add_texts(["a", "b"], ids="12"),
        lambda: filled.add_documents(DOCUMENTS[0]),
        lambda: filled.delete("12"),
        lambda: filled.get_by_ids("12"),
    ):
        with pytest.raises(TypeError, match="put it into a list"):
            call()
    assert filled.store.count() == 3


def test_delete_without_ids_deletes_nothing(filled) -> None:
    with pytest.raises(ValueError, match="needs ids"):
        filled.delete()
    assert filled.store.count() == 3


async def test_routed_documents_are_read_and_deleted_by_their_ids(make_store) -> None:
    spread, routing = {"number_of_shards": 3}, WriteOptions(routing="tenant")
    vectorstore = make_store(settings=spread, write_options=routing)
    documents = [Document(id=f"{number}", page_content="rivers") for number in range(20)]
    ids = vectorstore.add_documents(documents)
    assert vectorstore.get_by_ids(ids) == await vectorstore.aget_by_ids(ids) == documents
    assert vectorstore.delete(ids[:5]) is True
    assert await vectorstore.adelete(ids[5:10]) is True
    assert vectorstore.store.count() == 10
    assert vectorstore.delete([*ids[8:11], *ids[8:11], "missing"]) is True
    assert vectorstore.get_by_ids(ids) == documents[11:]


@pytest.mark.parametrize("refresh", [True, False])
async def test_deleting_says_that_documents_of_another_routing_are_there_still(make_store, refresh: bool) -> None:
    routed = make_store(settings={"number_of_shards": 3}, write_options=WriteOptions(routing="tenant"))
    ids = routed.add_texts(["rivers"] * 20)
    other = make_store(write_options=WriteOptions(refresh=refresh))
    assert other.delete(ids) is False
    assert await other.adelete(ids) is False
    assert other.store.count() == len(routed.get_by_ids(ids)) > 0
    assert other.delete(["missing"]) is await other.adelete(["missing"]) is True


async def test_own_retriever_of_langchain_works(filled) -> None:
    retriever = filled.as_retriever(search_kwargs={"k": 1, "filter": {"term": {"lang": "fr"}}})
    assert retriever.invoke("lakes") == [DOCUMENTS[1]]
    english = filled.as_retriever(search_kwargs={"k": 1, "filter": {"term": {"lang": "en"}}})
    assert await english.ainvoke("lakes", k=2, filter={"term": {"year": 2022}}) == [DOCUMENTS[2]]


async def test_an_index_with_fields_of_other_names_is_read_and_filtered(make_store, client) -> None:
    schema = IndexSchema(text_field="body", sparse_field="weights", model_field="made_by")
    vectorstore = make_store(schema=schema)
    documents = [Document(id=n, page_content=f"text {n}", metadata={"body": n, "content": "c"}) for n in "12"]
    vectorstore.add_documents(documents)
    source = client.get(index=vectorstore.stores.index, id="1")["_source"]
    assert (source["body"], source["meta"]) == ("text 1", {"body": "1", "content": "c"})
    assert vectorstore.similarity_search("text 1", k=1) == documents[:1]
    assert await vectorstore.asimilarity_search("text", filter={"body": "2"}) == documents[1:]


def test_write_options_are_used(make_store) -> None:
    vectorstore = make_store(write_options=WriteOptions(operation="create"))
    vectorstore.add_texts(["rivers"], ids=["1"])
    with pytest.raises(BulkWriteError):
        vectorstore.add_texts(["rivers"], ids=["1"])


@pytest.mark.parametrize("name", TWINS)
def test_twins_have_the_same_parameters(name: str) -> None:
    sync = inspect.signature(getattr(OpenSearchNeuralSparseVectorStore, name))
    twin = inspect.signature(getattr(OpenSearchNeuralSparseVectorStore, f"a{name}"))
    assert sync.parameters == twin.parameters


@pytest.mark.parametrize(("given", "analyzer"), [(None, "english"), ("standard", "standard")])
def test_texts_are_analysed_by_the_models_language_unless_another_is_named(
    make_store, client, index_name: str, given: str | None, analyzer: str
) -> None:
    vectorstore = make_store(schema=IndexSchema(text_analyzer=given))
    vectorstore.add_texts(["Rivers carry water.", "It is ice."], ids=["1", "2"])
    (index,) = client.indices.get_mapping(index=index_name).values()
    assert index["mappings"]["properties"]["content"] == {"type": "text", "analyzer": analyzer}
    found = vectorstore.as_retriever(search_type="hybrid", legs=("bm25",)).invoke("is it a river")
    assert [document.id for document in found] == (["1"] if analyzer == "english" else ["2"])


async def test_texts_are_analysed_by_the_models_language_where_the_store_is_awaited(
    make_store, client, index_name: str
) -> None:
    vectorstore = make_store()
    await vectorstore.aadd_texts(["Rivers carry water."], ids=["1"])
    await vectorstore.aclose()
    (index,) = client.indices.get_mapping(index=index_name).values()
    assert index["mappings"]["properties"]["content"]["analyzer"] == "english"


def test_a_vector_store_has_its_own_methods_and_not_those_that_langchain_derives() -> None:
    """LangChain's asynchronous methods would run the blocking ones in a thread."""
    store = OpenSearchNeuralSparseVectorStore
    for name in (*TWINS, *(f"a{name}" for name in TWINS)):
        assert getattr(store, name).__module__.startswith("langchain_opensearch_neural_sparse."), name

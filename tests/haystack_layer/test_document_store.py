from __future__ import annotations

import asyncio
import copy
import inspect
import pickle
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("haystack_integrations.document_stores.opensearch", reason="the haystack extra is not installed")

from haystack import Document, Pipeline
from haystack.components.writers import DocumentWriter
from haystack.dataclasses import ByteStream, SparseEmbedding
from haystack.document_stores.errors import DocumentStoreError, DuplicateDocumentError
from haystack.document_stores.types import DuplicatePolicy
from haystack.utils import Secret
from haystack_integrations.components.retrievers.opensearch import OpenSearchBM25Retriever
from haystack_integrations.document_stores.opensearch import OpenSearchDocumentStore
from haystack_integrations.document_stores.opensearch.auth import AWSAuth
from opensearchpy import AsyncHttpConnection

from haystack_integrations.components.embedders.opensearch_neural_sparse import (
    NeuralSparseDocumentEmbedder,
    NeuralSparseTextEmbedder,
)
from haystack_integrations.components.retrievers.opensearch_neural_sparse import OpenSearchNeuralSparseHybridRetriever
from haystack_integrations.document_stores.opensearch_neural_sparse import (
    DocumentSparseEmbedding,
    OpenSearchNeuralSparseDocumentStore,
    Retrieval,
)
from haystack_integrations.document_stores.opensearch_neural_sparse.base import BoundDocumentStore
from haystack_integrations.document_stores.opensearch_neural_sparse.filtered_store import FilteredDocumentStore
from haystack_integrations.document_stores.opensearch_neural_sparse.metadata_fields import InspectedDocumentStore
from opensearch_neural_sparse import SparseSearch, SparseTokenizer, SparseVector, get_model, resolve_files
from opensearch_neural_sparse.errors import (
    IndexNotFoundError,
    IndexSchemaError,
    InvalidVectorError,
    ModelMismatchError,
    ServerConnectionError,
    UnsupportedServerError,
)
from opensearch_neural_sparse.index.binding.model_binding import read_bindings
from opensearch_neural_sparse.models.registry import register_model
from opensearch_neural_sparse.search.options.search_options import SearchOptions
from opensearch_neural_sparse.search.options.seismic_search import SeismicSearch
from tests.haystack_layer.conftest import MakeStore
from tests.paths import SMALL_MODEL

DOCUMENTS = [
    Document(id="1", content="Split a string into a list of words.", meta={"module": "str", "year": 1991}),
    Document(id="2", content="Open a file and return its lines.", meta={"module": "io", "year": 2008}),
    Document(id="3", content="Join two paths of the file system.", meta={"module": "os", "year": 2014}),
]


@pytest.fixture
def embedded(embedder: NeuralSparseDocumentEmbedder) -> list[Document]:
    documents: list[Document] = embedder.run(DOCUMENTS)["documents"]
    return documents


def weights(document: Document) -> dict[int, float]:
    return dict(zip(document.sparse_embedding.indices, document.sparse_embedding.values, strict=True))


def by_id(documents: list[Document]) -> dict[str, Document]:
    return {document.id: document for document in documents}


def test_documents_go_through_a_pipeline_and_come_back_with_their_vectors(make_store: MakeStore) -> None:
    store = make_store(return_embedding=True, exact_weights=True)
    pipeline = Pipeline()
    pipeline.add_component("embedder", NeuralSparseDocumentEmbedder(SMALL_MODEL, progress_bar=False))
    pipeline.add_component("writer", DocumentWriter(store))
    pipeline.connect("embedder.documents", "writer.documents")
    given = copy.deepcopy(DOCUMENTS)
    assert pipeline.run({"embedder": {"documents": given}})["writer"] == {"documents_written": 3}
    assert given == DOCUMENTS
    expected = by_id(pipeline.get_component("embedder").run(DOCUMENTS)["documents"])
    for document in store.filter_documents():
        assert (document.content, document.meta) == (expected[document.id].content, expected[document.id].meta)
        assert document.sparse_embedding == expected[document.id].sparse_embedding


def test_weights_come_back_rounded_to_what_scores_alike_and_only_on_request(
    make_store: MakeStore, embedded: list[Document]
) -> None:
    make_store().write_documents(embedded)
    assert all(document.sparse_embedding is None for document in make_store().filter_documents())
    for document in make_store(return_embedding=True).filter_documents():
        before = by_id(embedded)[document.id].sparse_embedding
        assert document.sparse_embedding.indices == before.indices
        assert document.sparse_embedding.values == pytest.approx(before.values, rel=1 / 256)


def test_writing_changes_no_document(make_store: MakeStore, embedded: list[Document]) -> None:
    before = copy.deepcopy(embedded)
    make_store().write_documents(embedded)
    assert embedded == before
    assert [document.sparse_embedding.binding for document in embedded] != [None] * 3


def test_documents_that_were_read_can_be_written_again(make_store: MakeStore, embedded: list[Document]) -> None:
    store = make_store(return_embedding=True)
    store.write_documents(embedded)
    first = by_id(store.filter_documents())
    assert store.write_documents(list(first.values()), DuplicatePolicy.OVERWRITE) == 3
    assert by_id(store.filter_documents()) == first


def test_metadata_whose_key_is_a_field_of_the_index_is_kept(make_store: MakeStore, embedder: Any) -> None:
    store = make_store(return_embedding=True)
    meta = {"sparse_vector": {"x": 1}, "sparse_vector_model": "mine", "score": 3, "content_type": "text", "lang": "en"}
    (document,) = embedder.run([Document(content="Split a string.", meta=meta)])["documents"]
    store.write_documents([document])
    (read,) = store.filter_documents()
    assert read.meta == meta
    assert len(read.sparse_embedding.indices) == len(document.sparse_embedding.indices)


def test_blob_and_routing_are_treated_as_by_the_parent(make_store: MakeStore, client: Any, index_name: str) -> None:
    store = make_store(settings={"number_of_shards": 3})
    blob = ByteStream(b"bytes", meta={"name": "a"}, mime_type="text/plain")
    store.write_documents([Document(id="1", content="x", blob=blob, meta={"_routing": "b", "lang": "en"})])
    (read,) = store.filter_documents()
    assert read.blob == blob
    assert read.meta == {"lang": "en"}
    assert client.get(index=index_name, id="1", routing="b")["_routing"] == "b"
    store.delete_documents(["1"], routing={"1": "b"})
    assert store.count_documents() == 0


def test_index_is_stamped_and_hides_its_own_fields(make_store: MakeStore, client: Any, index_name: str) -> None:
    store = make_store(metadata_fields={"year": {"type": "integer"}}, nested_fields=["authors"])
    store.write_documents([Document(content="x", meta={"lang": "en", "authors": [{"name": "a"}], "score": 1})])
    info = store.get_metadata_fields_info()
    assert {name: field["type"] for name, field in info.items()} == {
        "year": "integer",
        "lang": "keyword",
        "authors": "nested",
    }
    assert asyncio.run(in_async(make_store(), "get_metadata_fields_info_async")) == info
    mappings = client.indices.get_mapping(index=index_name)[index_name]["mappings"]
    assert read_bindings(mappings)["sparse_vector"].model == "small-en"
    assert mappings["properties"]["sparse_vector"] == {"type": "rank_features"}


async def in_async(store: OpenSearchNeuralSparseDocumentStore, method: str, *args: Any) -> Any:
    try:
        return await getattr(store, method)(*args)
    finally:
        await store.close_async()


@pytest.mark.parametrize(("given", "analyzer"), [({}, "english"), ({"text_analyzer": "standard"}, "standard")])
def test_content_is_analysed_by_the_models_language_unless_another_is_named(
    make_store: MakeStore, client: Any, index_name: str, given: dict[str, str], analyzer: str
) -> None:
    store = make_store(**given)
    store.write_documents([Document(id="1", content="Rivers carry water."), Document(id="2", content="It is ice.")])
    (index,) = client.indices.get_mapping(index=index_name).values()
    assert index["mappings"]["properties"]["content"] == {"type": "text", "analyzer": analyzer}
    found = OpenSearchBM25Retriever(document_store=store, fuzziness=0).run("is it a river")["documents"]
    assert [document.id for document in found] == (["1"] if analyzer == "english" else ["2"])
    store.delete_all_documents(recreate_index=True)
    (index,) = client.indices.get_mapping(index=index_name).values()
    assert index["mappings"]["properties"]["content"]["analyzer"] == analyzer


def test_a_leg_searches_content_by_the_analyzer_of_a_subfield_and_is_saved(
    make_store: MakeStore, client: Any, index_name: str
) -> None:
    store = make_store(text_subfields={"plain": "standard"})
    store.write_documents([Document(id="1", content="Rivers carry water."), Document(id="2", content="It is ice.")])
    (index,) = client.indices.get_mapping(index=index_name).values()
    assert index["mappings"]["properties"]["content"]["fields"] == {"plain": {"type": "text", "analyzer": "standard"}}
    leg = {"type": "bm25", "field": "content.plain", "name": "plain"}
    for weights, first in (([0.9, 0.1], "1"), ([0.1, 0.9], "2")):
        retriever = OpenSearchNeuralSparseHybridRetriever(document_store=store, legs=["bm25", leg], weights=weights)
        saved = retriever.to_dict()
        assert saved["init_parameters"]["legs"] == ["bm25", leg]
        assert saved["init_parameters"]["document_store"]["init_parameters"]["text_subfields"] == {"plain": "standard"}
        pipeline = Pipeline()
        pipeline.add_component("retriever", retriever)
        for searching in (pipeline, Pipeline.loads(pipeline.dumps())):
            found = searching.run({"retriever": {"query": "is it a river"}})["retriever"]["documents"]
            assert found[0].id == first


async def test_content_is_analysed_by_the_models_language_where_the_store_is_awaited(
    make_store: MakeStore, client: Any, index_name: str
) -> None:
    store = make_store()
    await store.write_documents_async([Document(id="1", content="Rivers carry water.")])
    await store.close_async()
    (index,) = client.indices.get_mapping(index=index_name).values()
    assert index["mappings"]["properties"]["content"]["analyzer"] == "english"


def test_recreated_index_keeps_its_stamp(make_store: MakeStore, client: Any, index_name: str) -> None:
    store = make_store()
    store.write_documents([Document(content="x")])
    store.delete_all_documents(recreate_index=True)
    assert store.count_documents() == 0
    mappings = client.indices.get_mapping(index=index_name)[index_name]["mappings"]
    assert read_bindings(mappings)["sparse_vector"].model == "small-en"


@pytest.mark.parametrize("awaited", [False, True])
async def test_write_opens_its_index_once_and_checks_it_before_and_after_the_bulk_request(
    make_store: MakeStore, index_name: str, monkeypatch: pytest.MonkeyPatch, awaited: bool
) -> None:
    store, document = make_store(), Document(id="1", content="x")
    requests: list[str] = []

    def record(client: Any) -> None:
        perform = client.transport.perform_request

        def recorded(method: str, url: str, *arguments: Any, **options: Any) -> Any:
            requests.append(f"{method} {url}")
            return perform(method, url, *arguments, **options)

        monkeypatch.setattr(client.transport, "perform_request", recorded)

    if awaited:
        await store.count_documents_async()
        record(store._async_client)
        await store.write_documents_async([document])
        await store.close_async()
    else:
        store.count_documents()
        record(store._client)
        store.write_documents([document])
    sent = [request.partition("?")[0].replace(index_name, "index") for request in requests]
    looks, numbers = "GET /index", "GET /index/_stats/warmer"  # the latter before documents are created
    assert sent == [looks, numbers, looks, "POST /index/_bulk", looks, "POST /index/_refresh"]


def test_write_notices_an_index_that_was_replaced_behind_its_name(
    make_store: MakeStore, client: Any, index_name: str, toy_model: Path
) -> None:
    store = make_store()
    store.write_documents([Document(id="1", content="x")])
    client.indices.delete(index=index_name)
    make_store().create_index()
    assert store.write_documents([Document(id="2", content="y")]) == 1
    assert [document.id for document in store.filter_documents()] == ["2"]
    client.indices.delete(index=index_name)
    make_store(model=toy_model).create_index()
    with pytest.raises(ModelMismatchError, match=r"toy-model.*small-en"):
        store.write_documents([Document(id="3", content="z")])
    assert client.count(index=index_name)["count"] == 0


def test_index_of_another_model_is_refused_at_every_attempt(make_store: MakeStore, toy_model: Path) -> None:
    make_store().count_documents()
    stranger = make_store(model=toy_model)
    for _ in range(2):
        with pytest.raises(ModelMismatchError, match=r"small-en.*toy-model"):
            stranger.write_documents([Document(content="x")])
    with pytest.raises(ModelMismatchError):
        asyncio.run(in_async(stranger, "count_documents_async"))


def test_embedding_of_another_model_or_settings_is_refused(
    make_store: MakeStore, toy_model: Path, embedded: list[Document]
) -> None:
    with pytest.raises(ModelMismatchError, match=r"toy-model.*small-en"):
        make_store(model=toy_model).write_documents(embedded)


def test_embedding_of_other_settings_is_refused_and_nothing_is_written(
    make_store: MakeStore, embedded: list[Document]
) -> None:
    store = make_store()
    pruning = NeuralSparseDocumentEmbedder(SMALL_MODEL, max_active_dims=5, progress_bar=False)
    pruned = pruning.run([Document(id="4", content="Split a string.")])["documents"]
    with pytest.raises(ModelMismatchError, match="max_active_dims is None in the index, 5 given"):
        store.write_documents([*embedded, *pruned])
    assert store.count_documents() == 0
    pruning.close()


def test_embedding_of_a_query_is_refused_as_a_document(make_store: MakeStore) -> None:
    embedding = NeuralSparseTextEmbedder(SMALL_MODEL).run("split")["sparse_embedding"]
    with pytest.raises(ModelMismatchError, match="encoded as a query"):
        make_store().write_documents([Document(content="split", sparse_embedding=embedding)])


def test_embedding_that_no_index_can_take_is_refused(make_store: MakeStore) -> None:
    for embedding in (
        SparseEmbedding([3], [-1.0]),
        SparseEmbedding([10**6], [1.0]),
        SparseEmbedding([3, 3], [1.0, 1.0]),
    ):
        with pytest.raises(InvalidVectorError):
            make_store().write_documents([Document(content="x", sparse_embedding=embedding)])


async def test_vector_that_was_embedded_is_written_as_it_was_and_a_changed_one_by_its_ids(
    make_store: MakeStore, embedded: list[Document], client: Any, index_name: str
) -> None:
    store = make_store(exact_weights=True)
    binding = embedded[0].sparse_embedding.binding
    vocabulary = {"heart": 3000, "stone": 4000}  # not the model's ids: ids are read only where numbers were changed
    kept, changed = (
        Document(
            id=name, sparse_embedding=DocumentSparseEmbedding.of(SparseVector({"heart": 0.5}), vocabulary, binding)
        )
        for name in ("kept", "changed")
    )
    changed.sparse_embedding.values[0] = 0.75
    tokens = SparseTokenizer.from_file(resolve_files(get_model(SMALL_MODEL)).query_tokenizer).tokens
    expected = {"kept": {"heart": 0.5}, "changed": {tokens[3000]: 0.75}}
    store.write_documents([kept, changed])
    rows = {name: client.get(index=index_name, id=name)["_source"] for name in expected}
    assert {name: row["sparse_vector"] for name, row in rows.items()} == expected
    assert {row["sparse_vector_model"] for row in rows.values()} == {binding.marker}
    await store.write_documents_async([kept, changed], DuplicatePolicy.OVERWRITE)
    await store.close_async()
    assert {name: client.get(index=index_name, id=name)["_source"] for name in expected} == rows


def test_plain_embedding_is_written_unchecked_and_unmarked(make_store: MakeStore, client: Any, index_name: str) -> None:
    store = make_store(return_embedding=True)
    store.write_documents([Document(id="1", content="x", sparse_embedding=SparseEmbedding([3000, 4000], [1.0, 2.0]))])
    assert "sparse_vector_model" not in client.get(index=index_name, id="1")["_source"]
    (read,) = store.filter_documents()
    assert read.sparse_embedding == SparseEmbedding([3000, 4000], [1.0, 2.0])
    assert read.sparse_embedding.binding is None


def test_duplicates_are_treated_by_policy(make_store: MakeStore) -> None:
    store = make_store()
    assert store.write_documents([Document(id="1", content="a"), Document(id="2", content="b")]) == 2
    fresh = [Document(id="2", content="B"), Document(id="3", content="c")]
    with pytest.raises(DuplicateDocumentError, match=r"1 documents have ids that exist already, 1 were written: '2'"):
        store.write_documents(fresh, DuplicatePolicy.FAIL)
    assert store.write_documents(fresh, DuplicatePolicy.SKIP) == 0
    assert store.write_documents(fresh, DuplicatePolicy.OVERWRITE) == 2
    assert {document.content for document in store.filter_documents()} == {"a", "B", "c"}


def test_refused_document_is_named_without_its_text(make_store: MakeStore) -> None:
    store = make_store(metadata_fields={"year": {"type": "integer"}})
    documents = [
        Document(id="good", content="fine", meta={"year": 1}),
        Document(id="bad", content="private text", meta={"year": "private value"}),
    ]
    with pytest.raises(DocumentStoreError, match="'bad'") as raised:
        store.write_documents(documents)
    assert "private" not in str(raised.value)
    assert store.count_documents() == 1


def test_metadata_key_that_no_index_can_take_is_refused_before_anything_is_written(make_store: MakeStore) -> None:
    store = make_store()
    with pytest.raises(IndexSchemaError, match="blank"):
        store.write_documents([Document(id="1", content="x"), Document(id="2", content="y", meta={"a..b": 1})])
    assert store.count_documents() == 0


def test_metadata_is_updated_without_harm_to_vectors(make_store: MakeStore, embedded: list[Document]) -> None:
    store = make_store(return_embedding=True)
    store.write_documents(embedded)
    before = by_id(store.filter_documents())
    files = {"field": "meta.module", "operator": "==", "value": "io"}
    assert store.update_by_filter(files, {"module": "pathlib"}, refresh=True) == 1
    after = by_id(store.filter_documents())
    assert after["2"].meta["module"] == "pathlib"
    assert weights(after["2"]) == weights(before["2"])
    with pytest.raises(DocumentStoreError, match="sparse_vector"):
        store.update_by_filter(files, {"sparse_vector": {"x": 1}})
    with pytest.raises(DocumentStoreError, match="content"):
        asyncio.run(in_async(store, "update_by_filter_async", files, {"content": "x"}))


async def test_retriever_of_opensearch_haystack_works_on_the_store(
    make_store: MakeStore, embedded: list[Document]
) -> None:
    store = make_store()
    store.write_documents(embedded)
    found = OpenSearchBM25Retriever(document_store=store).run("lines of a file", filters=None)["documents"]
    assert (await OpenSearchBM25Retriever(document_store=store).run_async("lines of a file"))["documents"] == found
    await store.close_async()
    assert found[0].id == "2"
    assert found[0].meta == DOCUMENTS[1].meta
    assert found[0].score > 0


def test_store_of_opensearch_haystack_reads_the_index(
    make_store: MakeStore, embedded: list[Document], server: Any, index_name: str
) -> None:
    make_store().write_documents(embedded)
    stock = OpenSearchDocumentStore(hosts=server.url, index=index_name, create_index=False)
    read = by_id(stock.filter_documents())
    stock.close()
    assert {key: read["1"].meta[key] for key in DOCUMENTS[0].meta} == DOCUMENTS[0].meta


def test_index_that_vanished_is_not_made_anew_without_its_layout(
    make_store: MakeStore, client: Any, index_name: str
) -> None:
    store = make_store()
    store.count_documents()
    client.indices.delete(index=index_name)
    with pytest.raises(IndexNotFoundError):
        store.write_documents([Document(content="x")])
    assert not client.indices.exists(index=index_name)


def test_missing_index_is_made_only_where_that_is_wished(make_store: MakeStore, client: Any, index_name: str) -> None:
    store = make_store(create_index=False)
    with pytest.raises(IndexNotFoundError):
        store.write_documents([Document(content="x")])
    assert not client.indices.exists(index=index_name)
    store.create_index()
    assert store.write_documents([Document(content="x")]) == 1
    with pytest.raises(IndexNotFoundError):
        make_store(model=None, index=f"{index_name}-nameless").count_documents()


def test_model_is_taken_from_the_stamp_where_none_is_named(make_store: MakeStore, embedded: list[Document]) -> None:
    make_store().write_documents(embedded)
    register_model(SMALL_MODEL)
    store = make_store(model=None)
    assert store.retrieve(Retrieval(search=SparseSearch("split a string")))[0].id == "1"


def test_nested_fields_are_found_in_the_documents(make_store: MakeStore) -> None:
    store = make_store(nested_fields="*")
    store.write_documents(
        [Document(id="1", content="x", meta={"authors": [{"name": "a", "age": 1}, {"name": "b", "age": 2}]})]
    )
    both = [
        {"field": "meta.authors.name", "operator": "==", "value": "a"},
        {"field": "meta.authors.age", "operator": "==", "value": 2},
    ]
    assert store.filter_documents({"operator": "AND", "conditions": both}) == []


def test_store_serves_one_event_loop_after_another(make_store: MakeStore, embedded: list[Document]) -> None:
    store = make_store()

    async def write_and_read() -> list[Document]:
        await store.write_documents_async(embedded, DuplicatePolicy.OVERWRITE)
        try:
            return await store.filter_documents_async()
        finally:
            await store.close_async()

    assert len(asyncio.run(write_and_read())) == 3
    assert len(asyncio.run(write_and_read())) == 3


@contextmanager
def embedder_of(prune: str | None) -> Iterator[NeuralSparseDocumentEmbedder]:
    embedder = NeuralSparseDocumentEmbedder(SMALL_MODEL, prune=prune, progress_bar=False)
    yield embedder
    embedder.close()


def public_methods() -> dict[str, Any]:
    members = inspect.getmembers(OpenSearchNeuralSparseDocumentStore, inspect.isfunction)
    return {name: method for name, method in members if not name.startswith("_")}


def test_every_public_method_has_an_asynchronous_twin_with_its_parameters() -> None:
    methods = public_methods()
    for name, method in methods.items():
        if name == "to_dict" or name.endswith("_async"):
            continue
        twin = methods[f"{name}_async"]
        assert inspect.iscoroutinefunction(twin), name
        assert inspect.signature(twin) == inspect.signature(method), name


READS: list[tuple[str, tuple[Any, ...]]] = [
    ("count_documents", ()),
    ("count_documents_by_filter", ({"field": "meta.year", "operator": ">", "value": 2000},)),
    ("filter_documents", ({"field": "meta.year", "operator": ">", "value": 2000},)),
    ("get_metadata_fields_info", ()),
    ("get_metadata_field_min_max", ("meta.year",)),
    ("get_metadata_field_unique_values", ("module",)),
    ("count_unique_metadata_by_filter", ({}, ["module", "year"])),
]


async def test_asynchronous_methods_answer_as_the_blocking_ones(
    make_store: MakeStore, embedded: list[Document]
) -> None:
    blocking, asynchronous = make_store(), make_store()
    assert await asynchronous.write_documents_async(embedded) == 3
    for name, arguments in READS:
        expected = getattr(blocking, name)(*arguments)
        assert await getattr(asynchronous, f"{name}_async")(*arguments) == expected, name
    later = {"field": "meta.year", "operator": ">", "value": 2010}
    assert await asynchronous.update_by_filter_async(later, {"module": "path"}, refresh=True) == 1
    assert await asynchronous.delete_by_filter_async(later, refresh=True) == 1
    await asynchronous.delete_documents_async(["1"])
    await asynchronous.write_documents_async([Document(id="9", content="x")], refresh=False)
    await asynchronous.refresh_async()
    assert blocking.count_documents() == 2
    await asynchronous.delete_all_documents_async()
    assert blocking.count_documents() == 0
    await asynchronous.close_async()


async def test_asynchronous_side_makes_no_blocking_client(
    make_store: MakeStore, embedded: list[Document], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = make_store(return_embedding=True)
    monkeypatch.delattr("opensearchpy.OpenSearch.__init__")
    await store.write_documents_async(embedded)
    (first, *_) = await store.retrieve_async(Retrieval(search=SparseSearch("split a string"), explain=True))
    assert first.id == "1"
    assert first.meta["_explanation"]["tokens"]
    assert first.sparse_embedding.indices
    assert {document.id for document in await store.filter_documents_async()} == {"1", "2", "3"}
    await store.close_async()


async def test_many_tasks_may_be_the_first_to_use_a_store(make_store: MakeStore, embedded: list[Document]) -> None:
    store = make_store()
    counts = await asyncio.gather(*(store.count_documents_async() for _ in range(20)))
    assert counts == [0] * 20
    await store.write_documents_async(embedded)
    found = await asyncio.gather(
        *(store.retrieve_async(Retrieval(search=SparseSearch("split a string"))) for _ in range(20))
    )
    assert [documents[0].id for documents in found] == ["1"] * 20
    await store.close_async()


def test_event_loops_of_two_threads_share_a_store(make_store: MakeStore, embedded: list[Document]) -> None:
    store = make_store()
    store.write_documents(embedded)

    async def ask() -> list[str]:
        found = [await store.retrieve_async(Retrieval(search=SparseSearch("split a string"))) for _ in range(5)]
        counts = [await store.count_documents_async() for _ in range(5)]
        return [documents[0].id for documents in found] + [str(count) for count in counts]

    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: asyncio.run(ask()), range(4)))
    assert answers == [["1"] * 5 + ["3"] * 5] * 4


async def test_fields_of_the_index_are_no_metadata(make_store: MakeStore, embedded: list[Document]) -> None:
    store = make_store()
    store.write_documents(embedded)
    assert set(store.get_metadata_fields_info()) == {"module", "year"}
    for name, arguments in (
        ("get_metadata_field_min_max", ("sparse_vector",)),
        ("get_metadata_field_unique_values", ("meta.sparse_vector_model",)),
        ("count_unique_metadata_by_filter", ({}, ["module", "sparse_vector"])),
    ):
        with pytest.raises(ValueError, match="not metadata"):
            getattr(store, name)(*arguments)
        with pytest.raises(ValueError, match="not metadata"):
            await getattr(store, f"{name}_async")(*arguments)
    with pytest.raises(DocumentStoreError, match="sparse_vector"):
        await store.update_by_filter_async({}, {"sparse_vector": {}})
    await store.close_async()


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda store: pickle.loads(pickle.dumps(store))])
def test_copy_of_an_open_store_is_a_closed_one_on_the_same_index(
    make_store: MakeStore, embedded: list[Document], copied: Any
) -> None:
    store = make_store()
    store.write_documents(embedded)
    twin = copied(store)
    store.close()
    assert twin.count_documents() == 3
    assert twin.to_dict() == store.to_dict()
    twin.close()


async def test_alias_is_read_and_written_like_its_index(
    make_store: MakeStore, embedded: list[Document], client: Any, index_name: str
) -> None:
    make_store().count_documents()
    client.indices.put_alias(index=index_name, name=f"{index_name}-alias")
    store = make_store(index=f"{index_name}-alias", create_index=False)
    assert await store.write_documents_async(embedded) == 3
    assert (await store.retrieve_async(Retrieval(search=SparseSearch("split a string"))))[0].id == "1"
    assert store.filter_documents({"field": "meta.year", "operator": "<", "value": 2000})[0].id == "1"
    assert set(store.get_metadata_fields_info()) == {"module", "year"}
    with pytest.raises(DocumentStoreError, match="alias"):
        store.delete_all_documents(recreate_index=True)
    await store.close_async()


async def test_alias_that_moved_to_an_index_of_another_model_is_noticed(
    make_store: MakeStore, embedded: list[Document], toy_model: Path, client: Any, index_name: str
) -> None:
    alias, other = f"{index_name}-alias", f"{index_name}-other"
    make_store().count_documents()
    client.indices.put_alias(index=index_name, name=alias)
    store = make_store(index=alias, create_index=False)
    store.write_documents(embedded[:1])
    await store.write_documents_async(embedded[1:])
    make_store(index=other, model=toy_model).count_documents()
    try:
        moves = [{"remove": {"index": index_name, "alias": alias}}, {"add": {"index": other, "alias": alias}}]
        client.indices.update_aliases(body={"actions": moves})
        with pytest.raises(ModelMismatchError, match=r"toy-model.*small-en"):
            store.write_documents(embedded, DuplicatePolicy.OVERWRITE)
        with pytest.raises(ModelMismatchError, match=r"toy-model.*small-en"):
            await store.write_documents_async(embedded, DuplicatePolicy.OVERWRITE)
        assert client.count(index=other)["count"] == 0
    finally:
        client.indices.delete(index=other)
    await store.close_async()


async def test_documents_become_searchable_as_asked(make_store: MakeStore) -> None:
    store = make_store(settings={"refresh_interval": "-1"})
    await store.write_documents_async([Document(id="1", content="x")], refresh=False)
    assert await store.count_documents_async() == 0
    await store.write_documents_async([Document(id="2", content="x")], refresh=True)
    assert await store.count_documents_async() == 2
    store.write_documents([Document(id="3", content="x")], refresh=False)
    store.refresh()
    assert store.count_documents() == 3
    await store.close_async()


async def test_pruned_index_takes_embeddings_that_were_pruned_alike(make_store: MakeStore) -> None:
    store = make_store(prune="max_ratio:0.2", return_embedding=True)
    with embedder_of("max_ratio:0.2") as pruning, embedder_of(None) as whole:
        assert store.write_documents(pruning.run(DOCUMENTS)["documents"]) == 3
        with pytest.raises(ModelMismatchError, match="prune"):
            await store.write_documents_async(whole.run(DOCUMENTS)["documents"], DuplicatePolicy.OVERWRITE)
    for document in store.filter_documents():
        assert min(document.sparse_embedding.values) >= 0.199 * max(document.sparse_embedding.values)
    await store.close_async()


async def test_index_that_is_searched_approximately(
    make_store: MakeStore, embedded: list[Document], server: Any
) -> None:
    store = make_store(field_type="sparse_vector", seismic={"approximate_threshold": 1}, return_embedding=True)
    if server.version.startswith("2."):
        with pytest.raises(UnsupportedServerError):
            store.count_documents()
        return
    assert await store.write_documents_async(embedded) == 3
    (first, *_) = await store.retrieve_async(
        Retrieval(search=SparseSearch("split a string", options=SearchOptions(seismic=SeismicSearch(k=50))))
    )
    assert first.id == "1"
    before = by_id(embedded)["1"].sparse_embedding
    assert sorted(first.sparse_embedding.indices) == sorted(before.indices)
    assert "sparse_vector" not in store.get_metadata_fields_info()
    await store.close_async()


def test_more_documents_than_a_search_gives_are_not_left_out_in_silence(
    make_store: MakeStore, caplog: pytest.LogCaptureFixture
) -> None:
    store = make_store()
    store.write_documents([Document(id=str(number)) for number in range(10_000)])
    assert len(store.filter_documents()) == 10_000
    assert "Narrow the filters" not in caplog.text
    store.write_documents([Document(id="one more")])
    assert len(store.filter_documents()) == 10_000
    assert "More than 10000 documents match" in caplog.text


async def test_amazon_signs_asynchronous_requests_by_the_connection_that_can(
    toy_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("boto3", reason="the aws extra is not installed")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    store = OpenSearchNeuralSparseDocumentStore(model=toy_model, hosts="https://localhost:1", http_auth=AWSAuth())
    client = await store._asynchronous.get().store.client()
    assert issubclass(client.transport.connection_class, AsyncHttpConnection)
    assert "hush" not in str(store.to_dict())
    await store.close_async()


def test_server_that_does_not_answer_is_named(toy_model: Path) -> None:
    store = OpenSearchNeuralSparseDocumentStore(model=toy_model, hosts="http://localhost:1", max_retries=0)
    with pytest.raises(ServerConnectionError, match="http://localhost:1"):
        store.count_documents()


def test_private_names_of_the_parent_are_there() -> None:
    relied_on = {
        "_client": "attribute",
        "_hosts": "attribute",
        "_kwargs": "attribute",
        "_use_ssl": "attribute",
        "_verify_certs": "attribute",
        "_timeout": "attribute",
        "_async_client": "attribute",
        "_index": "attribute",
        "_settings": "attribute",
        "_create_index": "attribute",
        "_return_embedding": "attribute",
        "_nested_fields": "attribute",
        "_resolved_nested_fields": "attribute",
        "_max_chunk_bytes": "attribute",
        "_http_auth": "attribute",
        "_ensure_initialized": "(self)",
        "_ensure_initialized_async": "(self)",
        "_resolve_http_auth": "(self)",
        "_get_default_mappings": "(self)",
        "_search_documents": "(self, request_body)",
        "_search_documents_async": "(self, request_body)",
        "_detect_nested_fields_from_documents": "(documents)",
        "_update_mapping_for_nested_fields": "(self, new_nested_fields)",
        "_update_mapping_for_nested_fields_async": "(self, new_nested_fields)",
        "_populate_nested_fields_from_mapping": "(self, mapping_properties)",
    }
    parent = OpenSearchDocumentStore(hosts="http://localhost:9200")
    searches = ("_bm25_retrieval", "_embedding_retrieval", "_metadata_search")
    awaited = ("_bm25_retrieval_async", "_embedding_retrieval_async", "_metadata_search_async")
    for name in searches + awaited:
        assert "filters" in inspect.signature(getattr(OpenSearchDocumentStore, name)).parameters, name
    for name, expected in relied_on.items():
        if expected == "attribute":
            assert name in vars(parent), name
        else:
            parameters = inspect.signature(getattr(OpenSearchDocumentStore, name)).parameters
            assert f"({', '.join(parameters)})" == expected, name


def test_no_other_private_name_of_the_parent_is_used() -> None:
    parent = set(vars(OpenSearchDocumentStore)) | set(vars(OpenSearchDocumentStore(hosts="http://localhost:9200")))
    private = {name for name in parent if name.startswith("_") and not name.startswith("__")}
    classes = (BoundDocumentStore, FilteredDocumentStore, InspectedDocumentStore, OpenSearchNeuralSparseDocumentStore)
    own = [value for cls in classes for value in vars(cls).items()]
    used = {name for name, _ in own} | {
        name for _, value in own if inspect.isfunction(value) for name in value.__code__.co_names
    }
    held = inspect.getsource(test_private_names_of_the_parent_are_there)
    assert [name for name in sorted(used & private) if f'"{name}"' not in held] == []


def test_saved_store_holds_what_was_given_and_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OS_PASSWORD", "hush")
    store = OpenSearchNeuralSparseDocumentStore(
        model=SMALL_MODEL,
        hosts="https://localhost:9200",
        metadata_fields={"year": {"type": "integer"}},
        http_auth=(Secret.from_env_var("OS_USER"), Secret.from_env_var("OS_PASSWORD")),
        pool_maxsize=20,
    )
    saved = store.to_dict()
    parameters = saved["init_parameters"]
    assert parameters["model"] == str(SMALL_MODEL)
    assert parameters["embedding_dim"] is None
    assert parameters["pool_maxsize"] == 20
    assert not {"mappings", "method"} & set(parameters)
    assert "hush" not in str(saved)
    before = copy.deepcopy(saved)
    assert OpenSearchNeuralSparseDocumentStore.from_dict(saved).to_dict() == before
    assert saved == before


@pytest.mark.parametrize("plain", [("user", "hush"), "user:hush", ["user", "hush"]])
def test_plain_credentials_are_not_dropped_in_silence(plain: Any) -> None:
    store = OpenSearchNeuralSparseDocumentStore(hosts="https://localhost:9200", http_auth=plain)
    with pytest.raises(ValueError, match="Secret") as raised:
        store.to_dict()
    assert "hush" not in str(raised.value)


def test_numbers_of_metadata_are_compared_as_themselves(make_store: MakeStore) -> None:
    store = make_store()
    prices = {"whole": 1, "part": 0.99, "more": 4.7}
    store.write_documents([Document(id=name, content="red", meta={"price": price}) for name, price in prices.items()])

    def found(operator: str, value: float) -> list[str]:
        condition = {"field": "meta.price", "operator": operator, "value": value}
        return sorted(document.id for document in store.filter_documents(condition))

    assert found(">=", 4.5) == ["more"]
    assert found("==", 1) == ["whole"]
    assert found("<", 0.5) == []
    store.delete_by_filter({"field": "meta.price", "operator": "<", "value": 0.5}, refresh=True)
    assert store.count_documents() == 3


def test_changes_by_a_filter_take_no_value_of_another_kind(make_store: MakeStore) -> None:
    store = make_store()
    store.write_documents([Document(id="1", content="red", meta={"code": "4", "number": 1})])
    every = {"field": "meta.code", "operator": "==", "value": "4"}
    with pytest.raises(DocumentStoreError, match="'code' is a number, but the field holds values of the kind text"):
        store.update_by_filter(every, {"code": 50})
    with pytest.raises(DocumentStoreError, match="'number' is 9007199254740993, which a field of type double"):
        store.update_by_filter(every, {"meta.number": 2**53 + 1})
    assert store.filter_documents()[0].meta == {"code": "4", "number": 1}


async def test_changes_by_a_filter_learn_of_a_new_key(make_store: MakeStore) -> None:
    store, other = make_store(), make_store()
    store.write_documents([Document(id="1", content="red", meta={"code": "4"})])
    every = {"field": "meta.code", "operator": "==", "value": "4"}
    assert other.count_documents() == await other.count_documents_async() == 1
    store.update_by_filter(every, {"new": "4", "at": "n/a"}, refresh=True)
    another_kind = "'new' is a number, but the field holds values of the kind text"
    with pytest.raises(DocumentStoreError, match=another_kind):
        other.update_by_filter(every, {"meta.new": 50})
    with pytest.raises(DocumentStoreError, match=another_kind):
        await other.update_by_filter_async(every, {"new": 50})
    other.update_by_filter(every, {"at": "2026-01-02T00:00:00Z"}, refresh=True)
    at = {"field": "meta.at", "operator": "==", "value": "2026-01-02T01:00:00+01:00"}
    assert store.count_documents_by_filter(at) == 1
    await other.close_async()

"""Creating and opening: what an index is bound to, and who may use it."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from opensearch_neural_sparse import (
    IndexNotBoundError,
    IndexNotFoundError,
    IndexSchema,
    IndexSchemaError,
    ModelBinding,
    ModelFilesError,
    ModelMismatchError,
    NeuralSparseStore,
    ServerRequestError,
    get_model,
    resolve_files,
)
from opensearch_neural_sparse.index.binding.model_binding import write_bindings
from tests.conftest import RunningServer
from tests.encoders import WordEncoder, word_vector
from tests.store.conftest import MakeStore
from tests.toy import IDF, write_doc_only, write_json


@pytest.fixture
def other_model(tmp_path: Path) -> Path:
    """A model with other query weights."""
    root = write_doc_only(tmp_path / "other-model")
    (root / "query_0_SparseStaticEmbedding" / "model.safetensors").unlink()
    write_json(root / "idf.json", IDF | {"mars": 9.0})
    return root


def test_constructor_connects_to_nothing() -> None:
    store = NeuralSparseStore("articles", url="http://localhost:1", model="no such model")
    assert store.index == "articles"
    store.close()


@pytest.mark.parametrize("arguments", [{}, {"client": object(), "url": "http://localhost:1"}])
def test_store_has_either_a_client_or_a_url(arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="either a client or the url"):
        NeuralSparseStore("articles", **arguments)


def test_create_stamps_the_index_with_the_model(store: NeuralSparseStore, encoder: WordEncoder) -> None:
    binding = ModelBinding.of(encoder.files, text_field="content", max_length=512)
    assert store.open().binding == binding
    assert (store.open().indices, store.open().shards) == ((store.index,), 1)
    mappings = store.client().indices.get_mapping(index=store.index)[store.index]["mappings"]
    assert mappings["_meta"]["opensearch_neural_sparse"]["fields"]["sparse_vector"] == binding.to_meta()


def test_create_leaves_the_number_of_shards_to_the_server(make_store: MakeStore, client: Any) -> None:
    store = make_store()
    store.create()
    settings = client.indices.get_settings(index=store.index)[store.index]["settings"]["index"]
    assert store.open().shards == int(settings["number_of_shards"])


def test_create_of_an_index_that_exists_is_an_error_unless_it_may(
    store: NeuralSparseStore, make_store: MakeStore
) -> None:
    store.write([{"id": "1", "text": "kept"}])
    again = make_store()
    with pytest.raises(ServerRequestError) as error:
        again.create()
    assert error.value.error_type == "resource_already_exists_exception"
    again.create(exist_ok=True)
    assert again.count() == 1


def test_create_over_an_index_of_another_model_is_refused(
    store: NeuralSparseStore, make_store: MakeStore, other_model: Path
) -> None:
    with pytest.raises(ModelMismatchError):
        make_store(model=other_model, document_encoder=None).create(exist_ok=True)


def test_create_without_a_model_is_refused(client: Any, index_name: str) -> None:
    with pytest.raises(IndexNotBoundError, match="Name the model"):
        NeuralSparseStore(index_name, client=client).create()
    assert not client.indices.exists(index=index_name)


def test_creation_that_fails_leaves_nothing_that_a_write_would_make(make_store: MakeStore, client: Any) -> None:
    store = make_store()
    with pytest.raises(ServerRequestError, match="unknown setting"):
        store.create(settings={"no_such_setting": 1})
    with pytest.raises(IndexNotFoundError):
        store.write(["text"])
    assert not client.indices.exists(index=store.index)


def test_index_of_another_model_is_refused_and_both_are_named(
    store: NeuralSparseStore, make_store: MakeStore, other_model: Path
) -> None:
    other = make_store(model=other_model, document_encoder=None)
    for operation in (other.open, lambda: other.search("mars"), lambda: other.write(["mars"]), other.count):
        with pytest.raises(ModelMismatchError) as error:
            operation()
        assert (error.value.bound, error.value.given) == ("toy-model", "other-model")
        assert error.value.index == store.index


def test_same_files_in_another_folder_are_the_same_model(
    store: NeuralSparseStore, make_store: MakeStore, tmp_path: Path
) -> None:
    copy = write_doc_only(tmp_path / "a-copy")
    opened = make_store(model=copy, query_encoder=None, document_encoder=None)
    opened.open()
    store.write([{"id": "1", "text": "mars"}])
    assert [hit.id for hit in opened.search("mars")] == ["1"]


def test_model_of_the_stamp_that_is_not_known_here_is_asked_for(
    store: NeuralSparseStore, make_store: MakeStore
) -> None:
    bare = make_store(query_encoder=None, document_encoder=None)
    store.write([{"id": "1", "text": "mars"}])
    assert [hit.id for hit in bare.search({"mars": 1.0})] == ["1"]
    assert [hit.id for hit in bare.match_search("mars")] == ["1"]
    with pytest.raises(ModelFilesError, match=r"'toy-model'.*model='\.\.\.'.*query side [0-9a-f]{12}, weights"):
        bare.search("mars")


def test_index_without_a_stamp_needs_a_model(client: Any, make_store: MakeStore) -> None:
    bare = make_store(query_encoder=None, document_encoder=None)
    client.indices.create(
        index=bare.index, body={"mappings": {"properties": {"sparse_vector": {"type": "rank_features"}}}}
    )
    with pytest.raises(IndexNotBoundError, match="Name the model"):
        bare.search({"mars": 1.0})
    named = make_store()
    named.write([{"id": "1", "text": "mars"}])
    assert named.open().binding is None
    assert [hit.id for hit in named.search("mars")] == ["1"]


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        ({}, "no sparse field 'sparse_vector'"),
        ({"sparse_vector": {"type": "text"}}, "found type 'text'"),
        ({"weights": {"type": "rank_features"}}, "IndexSchema\\(sparse_field"),
    ],
)
def test_index_of_another_layout_is_refused(
    client: Any, make_store: MakeStore, properties: dict[str, Any], message: str
) -> None:
    store = make_store()
    client.indices.create(index=store.index, body={"mappings": {"properties": properties}})
    with pytest.raises(IndexSchemaError, match=message):
        store.open()


def test_text_field_of_the_stamp_is_held_against_the_schema(store: NeuralSparseStore, make_store: MakeStore) -> None:
    with pytest.raises(IndexSchemaError, match="text_field='content'"):
        make_store(schema=IndexSchema(text_field="body")).open()


def test_alias_over_two_models_is_refused(
    store: NeuralSparseStore, client: Any, other_index: str, other_model: Path, encoder: WordEncoder
) -> None:
    files = resolve_files(get_model(other_model))
    NeuralSparseStore(other_index, client=client, document_encoder=WordEncoder(files)).create()
    alias = f"{other_index}-alias"
    for index in (store.index, other_index):
        client.indices.put_alias(index=index, name=alias)
    with pytest.raises(ModelMismatchError, match="different models"):
        NeuralSparseStore(alias, client=client, document_encoder=encoder).open()


def test_stamp_of_a_later_layout_is_refused(store: NeuralSparseStore, client: Any, make_store: MakeStore) -> None:
    stamp = write_bindings({"sparse_vector": store.open().binding})  # type: ignore[dict-item]
    stamp["opensearch_neural_sparse"]["fields"]["sparse_vector"]["schema"] = 99
    client.indices.put_mapping(index=store.index, body={"_meta": stamp})
    with pytest.raises(IndexSchemaError, match="layout 99"):
        make_store().open()


def test_missing_index_is_an_error_in_every_operation(make_store: MakeStore, client: Any) -> None:
    store = make_store()
    operations: list[Any] = [
        store.open,
        lambda: store.search("x"),
        lambda: store.match_search("x"),
        lambda: store.hybrid_search("x"),
        lambda: store.write(["x"]),
        lambda: store.get(["x"]),
        lambda: store.delete(["x"]),
        store.count,
        store.refresh,
        store.delete_index,
    ]
    for operation in operations:
        with pytest.raises(IndexNotFoundError, match=store.index):
            operation()
    assert not client.indices.exists(index=store.index)


def test_index_that_was_made_anew_is_looked_at_anew(
    store: NeuralSparseStore, make_store: MakeStore, other_model: Path
) -> None:
    store.delete_index()
    make_store(model=other_model, query_encoder=None, document_encoder=None).create()
    with pytest.raises(ModelMismatchError):
        store.count()


def test_close_leaves_alone_what_was_handed_in(store: NeuralSparseStore, client: Any, encoder: WordEncoder) -> None:
    with store:
        store.write(["word"])
    assert not encoder.closed
    assert client.ping()
    assert store.count() == 1


def test_store_of_a_url_closes_its_client_and_opens_again(
    server: RunningServer, store: NeuralSparseStore, encoder: WordEncoder
) -> None:
    own = NeuralSparseStore(store.index, url=server.url, document_encoder=encoder, client_options={"timeout": 60})
    with own:
        first = own.client()
        assert own.count() == 0
    assert own.count() == 0
    assert own.client() is not first
    own.close()


def test_threads_share_one_opening(
    make_store: MakeStore, store: NeuralSparseStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.write([{"id": "1", "text": "word"}])
    shared = make_store()
    reads: list[str] = []
    get = shared.client().indices.get

    def recorded(index: str, **options: Any) -> Any:
        reads.append(index)
        return get(index=index, **options)

    monkeypatch.setattr(shared.client().indices, "get", recorded)
    found: list[list[str]] = []
    threads = [threading.Thread(target=lambda: found.append([h.id for h in shared.search("word")])) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [["1"]] * 8
    assert reads == [store.index]


def test_server_is_asked_once_a_client(
    make_store: MakeStore, store: NeuralSparseStore, server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from opensearchpy import OpenSearch

    asked: list[str] = []
    with OpenSearch(server.url) as client:
        perform = client.transport.perform_request

        def recorded(method: str, url: str, **arguments: Any) -> Any:
            asked.append(url)
            return perform(method, url, **arguments)

        monkeypatch.setattr(client.transport, "perform_request", recorded)
        for _ in range(3):
            make_store(client=client).search(word_vector("word"))
        assert [url for url in asked if url in ("/", "/_cat/plugins")] == ["/", "/_cat/plugins"]


def test_server_that_tells_little_is_served_all_the_same(
    make_store: MakeStore, store: NeuralSparseStore, server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    from opensearchpy import OpenSearch
    from opensearchpy.exceptions import AuthorizationException

    def refuse(**_: Any) -> Any:
        raise AuthorizationException(403, "security_exception", {})

    with OpenSearch(server.url) as client:
        with monkeypatch.context() as patched:
            patched.setattr(client.cat, "plugins", refuse)
            quiet = make_store(client=client)
            assert quiet.server().plugins is None
            assert quiet.hybrid_search("word") == []
        with monkeypatch.context() as patched:
            patched.setattr(client, "info", refuse)
            silent = make_store(client=client)
            assert silent.search("word") == []
            assert not silent.server().tells_version
        assert make_store(client=client).server().plugins

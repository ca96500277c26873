from __future__ import annotations

import asyncio
import copy
import pickle
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("haystack_integrations.document_stores.opensearch", reason="the haystack extra is not installed")

from haystack import Document, Pipeline
from haystack.core.serialization import component_from_dict
from haystack.utils import ComponentDevice, Secret

from haystack_integrations.components.embedders.opensearch_neural_sparse import (
    NeuralSparseDocumentEmbedder,
    NeuralSparseTextEmbedder,
)
from opensearch_neural_sparse import load_document_encoder, load_query_encoder
from opensearch_neural_sparse.errors import ModelFilesError, NeuralSparseError, UnknownModelError
from tests.paths import SMALL_MODEL

TEXT = "split a string into words"


@pytest.fixture(scope="module")
def text_embedder() -> NeuralSparseTextEmbedder:
    return NeuralSparseTextEmbedder(SMALL_MODEL)


def as_tokens(embedding: Any, vocabulary: dict[str, int]) -> dict[str, float]:
    tokens = {index: token for token, index in vocabulary.items()}
    return {tokens[index]: value for index, value in zip(embedding.indices, embedding.values, strict=True)}


def test_query_is_embedded_by_the_query_route(text_embedder: NeuralSparseTextEmbedder) -> None:
    encoder = load_query_encoder(SMALL_MODEL)
    embedding = text_embedder.run(TEXT)["sparse_embedding"]
    assert as_tokens(embedding, encoder.tokenizer.vocabulary) == encoder.encode_query(TEXT)
    assert len(embedding.indices) == 5


def test_document_is_embedded_by_the_document_route(embedder: NeuralSparseDocumentEmbedder) -> None:
    encoder = load_document_encoder(SMALL_MODEL)
    (document,) = embedder.run([Document(content=TEXT)])["documents"]
    vector = encoder.encode_documents([TEXT])[0]
    assert as_tokens(document.sparse_embedding, encoder.tokenizer.vocabulary) == pytest.approx(vector.to_dict())
    assert len(document.sparse_embedding.indices) > 10


def test_documents_that_come_in_are_not_changed_and_keep_their_ids(embedder: NeuralSparseDocumentEmbedder) -> None:
    documents = [Document(content=TEXT, meta={"n": [1]}), Document(content="Open a file."), Document(content=None)]
    before = copy.deepcopy(documents)
    embedded = embedder.run(documents)["documents"]
    assert documents == before
    assert [document.id for document in embedded] == [document.id for document in documents]
    assert all(after is not source for after, source in zip(embedded, documents, strict=True))


def test_blank_texts_have_empty_embeddings(
    text_embedder: NeuralSparseTextEmbedder, embedder: NeuralSparseDocumentEmbedder
) -> None:
    assert text_embedder.run(" \n")["sparse_embedding"].indices == []
    documents = embedder.run([Document(content=""), Document(content=None)])["documents"]
    assert [document.sparse_embedding.values for document in documents] == [[], []]
    assert embedder.run([]) == {"documents": []}


def test_metadata_is_put_before_the_content(embedder: NeuralSparseDocumentEmbedder) -> None:
    with_title = NeuralSparseDocumentEmbedder(
        SMALL_MODEL, meta_fields_to_embed=["title", "missing"], embedding_separator=" : ", progress_bar=False
    )
    (titled,) = with_title.run([Document(content="text", meta={"title": "Files", "missing": None})])["documents"]
    (joined,) = embedder.run([Document(content="Files : text")])["documents"]
    assert titled.sparse_embedding == joined.sparse_embedding
    with_title.close()


@pytest.mark.parametrize("wrong", [["a text"], "text", [Document(content="x"), "text"]])
def test_document_embedder_refuses_texts(embedder: NeuralSparseDocumentEmbedder, wrong: Any) -> None:
    with pytest.raises(TypeError, match="NeuralSparseTextEmbedder"):
        embedder.run(wrong)


def test_text_embedder_refuses_documents(text_embedder: NeuralSparseTextEmbedder) -> None:
    with pytest.raises(TypeError, match="NeuralSparseDocumentEmbedder"):
        text_embedder.run([Document(content="x")])  # type: ignore[arg-type]


def test_constructor_loads_nothing_and_warm_up_says_what_is_missing() -> None:
    embedder = NeuralSparseTextEmbedder("opensearch-project/opensearch-neural-sparse-encoding-v2-distill")
    embedder.local_files_only = True
    with pytest.raises(ModelFilesError, match="not in the cache"):
        embedder.warm_up()


def test_closed_embedder_loads_its_model_again() -> None:
    for embedder, call in (
        (NeuralSparseTextEmbedder(SMALL_MODEL), lambda part: part.run(TEXT)["sparse_embedding"]),
        (
            NeuralSparseDocumentEmbedder(SMALL_MODEL, progress_bar=False),
            lambda part: part.run([Document(content=TEXT)])["documents"][0].sparse_embedding,
        ),
    ):
        first = call(embedder)
        embedder.close()
        embedder.close()
        assert call(embedder) == first
        embedder.close()


def test_prefix_is_put_before_the_text(
    text_embedder: NeuralSparseTextEmbedder, embedder: NeuralSparseDocumentEmbedder
) -> None:
    with_prefix = NeuralSparseTextEmbedder(SMALL_MODEL, prefix="read: ")
    assert with_prefix.run("a file") == text_embedder.run("read: a file")
    assert with_prefix.run(" ")["sparse_embedding"].indices == []
    documents = NeuralSparseDocumentEmbedder(SMALL_MODEL, prefix="read: ", progress_bar=False)
    (prefixed,) = documents.run([Document(content="a file")])["documents"]
    (whole,) = embedder.run([Document(content="read: a file")])["documents"]
    assert prefixed.sparse_embedding == whole.sparse_embedding
    documents.close()


def test_pruned_embeddings_keep_the_heaviest_tokens(
    text_embedder: NeuralSparseTextEmbedder, embedder: NeuralSparseDocumentEmbedder
) -> None:
    whole = text_embedder.run(TEXT)["sparse_embedding"]
    heaviest = NeuralSparseTextEmbedder(SMALL_MODEL, prune="top_k:2").run(TEXT)["sparse_embedding"]
    assert sorted(heaviest.values) == sorted(whole.values)[-2:]
    pruning = NeuralSparseDocumentEmbedder(SMALL_MODEL, prune={"type": "max_ratio", "ratio": 0.4}, progress_bar=False)
    (pruned,) = pruning.run([Document(content=TEXT)])["documents"]
    (full,) = embedder.run([Document(content=TEXT)])["documents"]
    assert set(pruned.sparse_embedding.values) == {
        value for value in full.sparse_embedding.values if value >= 0.4 * max(full.sparse_embedding.values)
    }
    assert pruned.sparse_embedding.binding.prune == {"type": "max_ratio", "ratio": 0.4}
    pruning.close()


def test_batches_give_the_same_embeddings_in_the_same_order(embedder: NeuralSparseDocumentEmbedder) -> None:
    in_batches = NeuralSparseDocumentEmbedder(SMALL_MODEL, batch_size=2, progress_bar=False)
    documents = [Document(content=f"{TEXT} {'again ' * count}") for count in range(5)]
    for one, other in zip(in_batches.run(documents)["documents"], embedder.run(documents)["documents"], strict=True):
        assert one.id == other.id
        assert one.sparse_embedding.indices == other.sparse_embedding.indices
        assert one.sparse_embedding.values == pytest.approx(other.sparse_embedding.values, rel=1e-4, abs=1e-6)
    in_batches.close()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"batch_size": 0}, "batch_size is 0; it must be 1"),
        ({"prune": "max_ratio:2"}, "ratio"),
        ({"prune": "most"}, "most"),
    ],
)
def test_wrong_parameters_are_refused_at_once(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        NeuralSparseDocumentEmbedder(SMALL_MODEL, **wrong)


@pytest.mark.parametrize("kind", [NeuralSparseTextEmbedder, NeuralSparseDocumentEmbedder])
def test_unknown_model_is_named_when_it_is_needed(kind: Any) -> None:
    with pytest.raises(UnknownModelError, match="doc-v9"):
        kind("doc-v9").warm_up()


@pytest.mark.parametrize(
    "copied", [copy.deepcopy, lambda part: pickle.loads(pickle.dumps(part))], ids=["copy", "pickle"]
)
def test_warm_embedders_can_be_copied_and_load_their_models_again(copied: Any) -> None:
    text = NeuralSparseTextEmbedder(SMALL_MODEL)
    documents = NeuralSparseDocumentEmbedder(SMALL_MODEL, progress_bar=False)
    question = text.run(TEXT)
    answer = documents.run([Document(content=TEXT)])
    text_twin, documents_twin = copied(text), copied(documents)
    assert text_twin.run(TEXT) == question
    text.close()
    documents.close()
    assert documents_twin.run([Document(content=TEXT)]) == answer
    assert documents_twin.to_dict() == documents.to_dict()
    documents_twin.close()


def test_bi_encoder_embeds_queries_by_its_transformer(snapshot: Callable[..., Path]) -> None:
    model = snapshot(mode="bi-encoder")
    queries = NeuralSparseTextEmbedder(model, engine="torch", device=ComponentDevice.from_str("cpu"))
    documents = NeuralSparseDocumentEmbedder(model, engine="torch", device="cpu", progress_bar=False)
    (document,) = documents.run([Document(content=TEXT)])["documents"]
    query = queries.run(TEXT)["sparse_embedding"]
    assert dict(zip(query.indices, query.values, strict=True)) == pytest.approx(
        dict(zip(document.sparse_embedding.indices, document.sparse_embedding.values, strict=True))
    )
    network = queries._side.get().encoder.engine
    queries.close()
    with pytest.raises(NeuralSparseError, match="closed"):
        network.encode_documents([TEXT])
    assert queries.run(TEXT)["sparse_embedding"] == query
    queries.close()
    documents.close()


def test_queries_of_a_doc_only_model_take_no_engine() -> None:
    with pytest.raises(TypeError, match="need no engine"):
        NeuralSparseTextEmbedder(SMALL_MODEL, engine="torch").warm_up()


def test_model_is_loaded_off_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[threading.Thread] = []

    def load(*args: Any, **options: Any) -> Any:
        threads.append(threading.current_thread())
        return load_query_encoder(*args, **options)

    package = "haystack_integrations.components.embedders.opensearch_neural_sparse"
    monkeypatch.setattr(f"{package}.text_embedder.load_query_encoder", load)
    asyncio.run(NeuralSparseTextEmbedder(SMALL_MODEL).warm_up_async())
    assert len(threads) == 1
    assert threads[0] is not threading.main_thread()


async def test_async_runs_give_the_same_embeddings(
    text_embedder: NeuralSparseTextEmbedder, embedder: NeuralSparseDocumentEmbedder
) -> None:
    await embedder.warm_up_async()
    assert await text_embedder.run_async(TEXT) == text_embedder.run(TEXT)
    documents = [Document(content=TEXT)]
    assert await embedder.run_async(documents) == embedder.run(documents)


def test_parameters_are_saved_as_they_were_given() -> None:
    pipeline = Pipeline()
    pipeline.add_component("text", NeuralSparseTextEmbedder("doc-v3-distill", revision="main", cache_dir="/cache"))
    pipeline.add_component(
        "document",
        NeuralSparseDocumentEmbedder(
            SMALL_MODEL,
            max_active_dims=200,
            engine="torch",
            device=ComponentDevice.from_str("cuda:0"),
            token=Secret.from_env_var("MY_TOKEN"),
        ),
    )
    saved = pipeline.dumps()
    loaded = Pipeline.loads(saved)
    assert loaded.dumps() == saved
    document = loaded.get_component("document")
    assert (document.model, document.device, document.max_active_dims) == (
        str(SMALL_MODEL),
        ComponentDevice.from_str("cuda:0"),
        200,
    )
    assert "MY_TOKEN" in saved
    assert loaded.get_component("text").device is None


def test_processes_that_encode_are_saved_where_they_are_given() -> None:
    one, several = (NeuralSparseDocumentEmbedder(SMALL_MODEL, workers=count) for count in (None, 2))
    assert not {"workers", "devices"} & one.to_dict()["init_parameters"].keys()
    assert several.to_dict()["init_parameters"] == {**one.to_dict()["init_parameters"], "workers": 2}
    saved = NeuralSparseDocumentEmbedder(SMALL_MODEL, devices=["cuda:0", "cuda:1"]).to_dict()
    on_devices = component_from_dict(NeuralSparseDocumentEmbedder, saved, "embedder")
    assert on_devices.devices == ["cuda:0", "cuda:1"]


def test_several_processes_embed_as_one_does_also_in_a_copy_of_a_pipeline(
    embedder: NeuralSparseDocumentEmbedder,
) -> None:
    documents = [Document(content=f"{TEXT} {number}", id=str(number)) for number in range(40)]
    pipeline = Pipeline()
    pipeline.add_component("embedder", NeuralSparseDocumentEmbedder(SMALL_MODEL, workers=2, progress_bar=False))
    pipeline.warm_up()
    twin = copy.deepcopy(pipeline)
    expected = embedder.run(documents)["documents"]
    for each in (pipeline, twin):
        found = each.run({"embedder": {"documents": documents}})["embedder"]["documents"]
        assert [document.id for document in found] == [document.id for document in documents]
        for document, other in zip(found, expected, strict=True):
            vector, known = (
                dict(zip(e.indices, e.values, strict=True)) for e in (document.sparse_embedding, other.sparse_embedding)
            )
            assert vector == pytest.approx(known, abs=1e-5)
            assert document.sparse_embedding.binding == other.sparse_embedding.binding
        each.get_component("embedder").close()


def test_token_itself_is_never_saved() -> None:
    embedder = NeuralSparseTextEmbedder("doc-v3-distill", token=Secret.from_token("hf_secret"))
    with pytest.raises(ValueError, match="token-based secret"):
        embedder.to_dict()
    assert "hf_secret" not in repr(embedder.__dict__)

"""Indices whose documents the server encodes, on servers that run models."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from opensearch_neural_sparse import (
    AsyncNeuralSparseStore,
    BulkWriteError,
    ChunkOptions,
    DocumentEncoder,
    FieldType,
    IndexSchema,
    IndexSchemaError,
    JournalMismatchError,
    Load,
    MissingVectorWarning,
    ModelMismatchError,
    NeuralSparseStore,
    Prune,
    ServerEncoding,
    ServerRequestError,
    SparseDocument,
    SparseVector,
    WriteOptions,
    load_document_encoder,
    resolve_files,
)
from opensearch_neural_sparse.models.registry import get_model
from opensearch_neural_sparse.server_models.deployed_model import DeployedModel
from opensearch_neural_sparse.server_models.identity import ModelIdentity
from tests.conftest import RunningServer
from tests.encoder_stub import EncoderStub, remote_model, running_stub
from tests.paths import SMALL_MODEL
from tests.toy import write_doc_only

MakeStore = Callable[..., NeuralSparseStore]
SETTINGS = {"number_of_shards": 1, "number_of_replicas": 0}
SUBJECTS = ("A red planet", "The old river", "Cardiac arrest", "A wooden boat", "The stock market", "A young doctor")
TEXTS = {
    f"{number}-{place}": f"{subject} {verb} {'slowly ' * number}near the {place}."
    for number, (subject, verb) in enumerate(
        zip(SUBJECTS, ("turns", "flows", "kills", "sinks", "falls", "waits"), strict=True)
    )
    for place in ("sea", "hospital", "city", "mountain", "school", "bank", "forest", "harbour", "bridge", "sun")
}
QUERIES = ("heart attack", "water", "money", "ship at sea", "planet near the sun", "who waits at the bridge?")


@pytest.fixture(scope="module")
def encoder() -> Iterator[DocumentEncoder]:
    encoder = load_document_encoder(SMALL_MODEL)
    yield encoder
    encoder.close()


@pytest.fixture
def make_store(model_server: RunningServer, model_client: Any, model_index: str) -> Iterator[MakeStore]:
    """Make stores of one index by the bundled model; the pipelines of their indices are removed at the end."""
    stores = list[NeuralSparseStore]()

    def make(index: str = model_index, *, model_id: str | None = None, **arguments: Any) -> NeuralSparseStore:
        if model_id is not None:
            arguments["server_encoding"] = ServerEncoding(model_id=model_id)
        stores.append(NeuralSparseStore(index, client=model_client, **({"model": SMALL_MODEL} | arguments)))
        return stores[-1]

    yield make
    for store in stores:
        store.close()
        model_client.indices.delete(index=store.index, ignore_unavailable=True)
        model_client.ingest.delete_pipeline(id=f"{store.index}-sparse-encoding", ignore=[404])


@pytest.fixture
def stub(encoder: DocumentEncoder) -> Iterator[EncoderStub]:
    with running_stub(encoder) as stub:
        yield stub


@pytest.fixture
def remote(model_client: Any, stub: EncoderStub) -> Iterator[str]:
    with remote_model(model_client, stub.url) as model_id:
        yield model_id


def documents(texts: dict[str, str] = TEXTS) -> list[SparseDocument]:
    return [SparseDocument(id=name, text=text) for name, text in texts.items()]


def largest_difference(one: Any, other: Any) -> float:
    assert set(one) == set(other)
    return max((abs(one[token] - other[token]) for token in one), default=0.0)


def test_texts_are_encoded_by_the_server_as_they_are_here(
    make_store: MakeStore, deployed: DeployedModel, encoder: DocumentEncoder, model_index: str
) -> None:
    make_store(model_id=deployed.model_id).create(settings=SETTINGS)
    store = make_store()  # knows of the server by the stamp alone
    assert store.write(documents()).written == len(TEXTS)
    mine = make_store(f"{model_index}-mine")
    mine.create(settings=SETTINGS)
    mine.write(documents())
    expected = encoder.encode_documents(list(TEXTS.values()))
    found = store.get(list(TEXTS))
    differences = [
        largest_difference(document.vector, vector) for document, vector in zip(found, expected, strict=True)
    ]
    assert max(differences) < 1e-5
    assert {document.model for document in found} == {mine.open().binding.marker}  # type: ignore[union-attr]
    for query in QUERIES:
        hits, own = store.search(query), mine.search(query)
        assert [hit.id for hit in hits] == [hit.id for hit in own]
        assert [hit.score for hit in hits] == pytest.approx([hit.score for hit in own], rel=1e-2)


def test_stamp_says_by_what_and_how_the_server_encodes(make_store: MakeStore, deployed: DeployedModel) -> None:
    store = make_store(model_id=deployed.model_id, prune=Prune.parse("top_k:20"))
    store.create(settings=SETTINGS)
    binding, own = store.open().binding, make_store("any", prune=Prune.parse("top_k:20"))
    assert binding is not None
    assert binding.server is not None
    assert binding.weights_sha256 == resolve_files(get_model(SMALL_MODEL)).weights_sha256
    assert binding.prune == {"type": "top_k", "ratio": 20.0}
    server = binding.server
    assert (server.model_id, server.pipeline) == (deployed.model_id, f"{store.index}-sparse-encoding")
    assert server.model_name is not None
    assert server.content_sha256 is not None
    assert len(server.probe or {}) == 10
    settings = store.client().indices.get_settings(index=store.index)[store.index]["settings"]["index"]
    assert settings["default_pipeline"] == server.pipeline
    del own


@pytest.mark.parametrize("rule", ["max_ratio:0.1", "abs_value:0.1", "top_k:5", "alpha_mass:0.6"])
def test_the_server_prunes_as_the_store_does(
    make_store: MakeStore, deployed: DeployedModel, encoder: DocumentEncoder, rule: str
) -> None:
    prune = Prune.parse(rule)
    assert prune is not None
    store = make_store(model_id=deployed.model_id, prune=prune)
    store.create(settings=SETTINGS)
    texts = dict(list(TEXTS.items())[::6])
    store.write(documents(texts))
    exact = WriteOptions(exact_weights=True)
    store.update_text({next(iter(texts)): "A new text of water"}, options=exact)  # by prediction: pruned here
    texts |= {next(iter(texts)): "A new text of water"}
    expected = [prune(vector) for vector in encoder.encode_documents(list(texts.values()))]
    for document, vector in zip(store.get(list(texts)), expected, strict=True):
        assert largest_difference(document.vector, vector) < 1e-5


def test_documents_that_have_vectors_go_beside_those_that_the_server_encodes(
    make_store: MakeStore, deployed: DeployedModel, encoder: DocumentEncoder
) -> None:
    make_store(model_id=deployed.model_id).create(settings=SETTINGS)
    store, client_side = make_store(), make_store(document_encoder=encoder)
    half = list(TEXTS.items())
    vectors = encoder.encode_documents([text for _, text in half[:20]])
    given = [
        SparseDocument(id=name, text=text, vector=SparseVector({token: weight * 2 for token, weight in vector.items()}))
        for (name, text), vector in zip(half[:20], vectors, strict=True)
    ]
    with pytest.warns(MissingVectorWarning) as warned:
        report = store.write([*given, *documents(dict(half[20:40])), {"id": "blank", "text": " "}, {"id": "none"}])
    assert report.without_vector == {"sparse_vector": ("blank", "none")}
    assert len(warned) == 1
    assert client_side.write(documents(dict(half[40:]))).complete
    found = {document.id: document for document in store.get([*TEXTS, "blank", "none"])}
    for (name, _), vector in zip(half[:20], vectors, strict=True):
        assert largest_difference(found[name].vector, {token: 2 * weight for token, weight in vector.items()}) < 0.02
    for name, text in half[20:]:
        (vector,) = encoder.encode_documents([text])
        assert largest_difference(found[name].vector, vector) < 0.01  # nine bits of those encoded here
        assert found[name].model == found[half[-1][0]].model is not None
    assert found["blank"].model is found["blank"].vector is found["none"].vector is None


def test_a_caller_decides_on_encoding_and_pipelines(make_store: MakeStore, deployed: DeployedModel) -> None:
    store = make_store(model_id=deployed.model_id)
    store.create(settings=SETTINGS)
    with pytest.warns(MissingVectorWarning, match="1 have no vector"):
        store.write([{"id": "1", "text": "red"}], options=WriteOptions(encode=False))
    assert store.get(["1"])[0].vector is None
    store.write([{"id": "2", "text": "red"}], options=WriteOptions(pipeline=None))
    assert store.get(["2"])[0].vector
    with pytest.raises(BulkWriteError, match=r"pipeline with id \[nowhere\] does not exist"):
        store.write([{"id": "3", "text": "red"}], options=WriteOptions(pipeline="nowhere"))


def test_texts_and_metadata_change_with_their_vectors(
    make_store: MakeStore, deployed: DeployedModel, encoder: DocumentEncoder
) -> None:
    store = make_store(model_id=deployed.model_id)
    store.create(settings=SETTINGS)
    store.write([{"id": "1", "text": "red planet", "metadata": {"year": 1}}, {"id": "2", "text": "blue sea"}])
    before = store.get(["2"])
    with pytest.warns(MissingVectorWarning):
        store.update_text({"1": "a green tree", "2": ""})
    store.update_metadata({"1": {"year": 2}})
    first, second = store.get(["1", "2"])
    (vector,) = encoder.encode_documents(["a green tree"])
    assert (first.text, first.metadata, first.model) == ("a green tree", {"year": 2}, before[0].model)
    assert largest_difference(first.vector, vector) < 0.01
    assert (second.text, second.vector, second.model) == ("", None, None)
    with pytest.raises(BulkWriteError, match="document_missing_exception"):
        store.update_text({"nowhere": "new"})


def test_an_awaited_store_writes_alike(
    make_store: MakeStore, model_server: RunningServer, deployed: DeployedModel
) -> None:
    async def write(index: str) -> list[SparseDocument]:
        encoding = ServerEncoding(model_id=deployed.model_id)
        async with AsyncNeuralSparseStore(
            index, url=model_server.url, model=SMALL_MODEL, server_encoding=encoding
        ) as store:
            await store.create(settings=SETTINGS)
            await store.write([{"id": "1", "text": "red planet"}, {"id": "2", "text": "blue sea"}])
            await store.update_text({"2": "green tree"})
            return await store.get(["1", "2"])

    store = make_store()
    awaited = asyncio.run(write(store.index))
    store.write([{"id": "3", "text": "red planet"}, {"id": "4", "text": "green tree"}])
    assert [document.vector for document in store.get(["3"])] == [awaited[0].vector]
    assert largest_difference(store.get(["4"])[0].vector, awaited[1].vector) < 0.01


def test_an_approximate_field_gets_token_ids(
    make_store: MakeStore, model_server: RunningServer, deployed: DeployedModel, encoder: DocumentEncoder
) -> None:
    if model_server.version.startswith("2."):
        store = make_store(model_id=deployed.model_id, schema=IndexSchema(field_type=FieldType.SPARSE_VECTOR))
        with pytest.raises(Exception, match=r"sparse_vector needs|requires|OpenSearch 3"):
            store.create()
        return
    schema = IndexSchema(field_type=FieldType.SPARSE_VECTOR)
    store = make_store(model_id=deployed.model_id, schema=schema)
    store.create(settings=SETTINGS)
    (vector,) = encoder.encode_documents(["blue sea"])
    store.write([{"id": "1", "text": "red planet"}, {"id": "2", "text": "blue sea", "vector": vector}])
    store.update_text({"1": "blue sea"})
    store.write([{"id": "3", "text": "blue sea"}])
    for document in store.get(["1", "2", "3"]):
        assert largest_difference(document.vector, vector) < 0.01
    assert len(store.search("water")) == 3


def test_another_model_in_the_server_is_refused(
    make_store: MakeStore, model_client: Any, deployed: DeployedModel, stub: EncoderStub, tmp_path: Path
) -> None:
    toy = write_doc_only(tmp_path / "toy")
    with pytest.raises(ModelMismatchError, match="it was registered as 'small-en'"):
        make_store(model=toy, model_id=deployed.model_id).create()
    stub.factor = 1.5
    with (
        remote_model(model_client, stub.url) as other,
        pytest.raises(ModelMismatchError, match=r"unlike the store's model, its probe gives '.*' the weight"),
    ):
        make_store(model_id=other).create()
    named = ModelIdentity(model="other-model", query_sha256="a" * 64, weights_sha256="b" * 64)
    with (
        remote_model(model_client, stub.url, description=named.describe()) as other,
        pytest.raises(ModelMismatchError, match="it was registered as 'other-model'"),
    ):
        make_store(model_id=other).create()


def test_the_description_of_a_model_names_its_weights(
    make_store: MakeStore, model_client: Any, stub: EncoderStub
) -> None:
    files = resolve_files(get_model(SMALL_MODEL))
    named = ModelIdentity(model="small-en", query_sha256=files.query_sha256, weights_sha256="b" * 64)
    with remote_model(model_client, stub.url, description=named.describe()) as model_id:
        store = make_store(model_id=model_id)
        store.create(settings=SETTINGS)
        binding = store.open().binding
    assert binding is not None
    assert binding.weights_sha256 == "b" * 64


def test_a_model_that_is_missing_is_a_clear_error(make_store: MakeStore) -> None:
    with pytest.raises(ServerRequestError, match=r"Failed to find model.*nowhere.*Is it registered and deployed\?"):
        make_store(model_id="nowhere").create()


def test_another_model_behind_the_id_is_noticed_before_the_next_write(
    make_store: MakeStore, remote: str, stub: EncoderStub
) -> None:
    store = make_store(model_id=remote)
    store.create(settings=SETTINGS)
    store.write([{"id": "1", "text": "red planet"}])
    stub.factor = 1.1
    with pytest.raises(ModelMismatchError, match=r"is of another model than when .*: its probe gives '.*' the weight"):
        make_store().write([{"id": "2", "text": "blue sea"}])
    with pytest.raises(ModelMismatchError, match="another model"):
        make_store().update_text({"1": "blue sea"})
    assert make_store().delete(["1"]) == 1  # what encodes nothing is not held up


def test_an_index_is_opened_by_the_server_model_that_it_was_made_with(
    make_store: MakeStore, deployed: DeployedModel
) -> None:
    store = make_store(model_id=deployed.model_id)
    store.create(settings=SETTINGS)
    store.create(exist_ok=True)
    with pytest.raises(ServerRequestError, match="exist_ok=True opens it instead"):
        store.create()
    with pytest.raises(ModelMismatchError, match="are encoded by the server's model"):
        make_store(model_id="another").open()
    mine = make_store(f"{store.index}-mine")
    mine.create(settings=SETTINGS)
    with pytest.raises(ModelMismatchError, match="are encoded by clients"):
        make_store(mine.index, model_id=deployed.model_id).create(exist_ok=True)


def test_pipelines_of_others_are_not_replaced(
    make_store: MakeStore, model_client: Any, deployed: DeployedModel
) -> None:
    store = make_store(model_id=deployed.model_id)
    name = f"{store.index}-sparse-encoding"
    model_client.ingest.put_pipeline(id=name, body={"description": "ours", "processors": []})
    with pytest.raises(IndexSchemaError, match="exists and is another one: it has no processor"):
        store.create(settings=SETTINGS)
    assert model_client.ingest.get_pipeline(id=name)[name]["description"] == "ours"
    assert not model_client.indices.exists(index=store.index)
    model_client.ingest.delete_pipeline(id=name)
    with pytest.raises(IndexSchemaError, match=r"The setting index.default_pipeline is 'ours'"):
        store.create(settings={**SETTINGS, "default_pipeline": "ours"})


def test_a_pipeline_that_is_gone_or_changed_is_noticed(
    make_store: MakeStore, model_client: Any, deployed: DeployedModel
) -> None:
    store = make_store(model_id=deployed.model_id)
    store.create(settings=SETTINGS)
    name = f"{store.index}-sparse-encoding"
    store.write([{"id": "1", "text": "red planet"}])
    model_client.ingest.put_pipeline(id=name, body={"description": "none", "processors": []})
    with pytest.warns(MissingVectorWarning, match=r"1 have no vector .*: '2'.* has it changed since\?"):
        store.write([{"id": "2", "text": "blue sea"}])
    with pytest.raises(IndexSchemaError, match="cannot be used: it has no processor"):
        make_store().write([{"id": "3", "text": "blue sea"}])
    model_client.ingest.delete_pipeline(id=name)
    with pytest.raises(BulkWriteError, match=r"pipeline with id \[.*\] does not exist"):
        store.write([{"id": "3", "text": "blue sea"}])
    with pytest.raises(IndexSchemaError, match="cannot be used: it does not exist"):
        make_store().write([{"id": "3", "text": "blue sea"}])
    make_store(model_id=deployed.model_id).create(exist_ok=True)
    assert make_store().write([{"id": "3", "text": "blue sea"}]).complete
    assert make_store().get(["3"])[0].vector


def test_documents_of_an_encoder_that_fails_are_reported_and_no_others(
    make_store: MakeStore, remote: str, stub: EncoderStub
) -> None:
    store = make_store(model_id=remote)
    store.create(settings=SETTINGS)
    stub.failing = "doctor"
    options = WriteOptions(batch_size=20, initial_backoff=0.01)
    with pytest.raises(BulkWriteError, match="Error from remote service") as raised:
        store.write(documents(), options=options)
    report = raised.value.report
    failed = {failure.id for failure in report.failed}
    assert {name for name, text in TEXTS.items() if "doctor" in text} <= failed
    assert {failure.status for failure in report.failed} == {500}
    assert report.written == len(TEXTS) - len(failed) > 0
    found = store.get(list(TEXTS))
    assert {document.id for document in found} == set(TEXTS) - failed
    assert all(document.vector for document in found)
    stub.failing = None
    assert store.write([row for row in documents() if row.id in failed], options=options).complete


def test_an_encoder_that_is_busy_for_a_while_is_asked_again(
    make_store: MakeStore, remote: str, stub: EncoderStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = make_store(model_id=remote)
    store.create(settings=SETTINGS)
    store.write([{"id": "0", "text": "red"}])
    busy, answer = iter([429, 429]), stub.answer

    def answer_later(texts: list[str]) -> tuple[int, Any]:
        status = next(busy, None)
        return answer(texts) if status is None else (status, {"error": "busy"})

    monkeypatch.setattr(stub, "answer", answer_later)
    options = WriteOptions(initial_backoff=0.01)
    assert store.write([{"id": "1", "text": "blue sea"}], options=options).complete
    busy = iter([429])
    assert store.update_text({"1": "green tree"}, options=options).complete


def test_a_template_in_a_text_is_refused_alone(make_store: MakeStore, remote: str, stub: EncoderStub) -> None:
    store = make_store(model_id=remote)
    store.create(settings=SETTINGS)
    with pytest.raises(BulkWriteError, match=r"which a connector of the server replaces") as raised:
        store.write(
            [{"id": "1", "text": "red"}, {"id": "2", "text": "see ${parameters.input}"}, {"id": "3", "text": "${HOME}"}]
        )
    assert [failure.id for failure in raised.value.report.failed] == ["2"]
    assert len(store.get(["1", "2", "3"])) == 2
    store.update_text({"1": "see ${parameters.input}"})
    assert store.get(["1"])[0].text == "see ${parameters.input}"
    assert "see $ {parameters.input}" in stub.texts


def test_a_load_goes_on_after_the_encoder_failed(
    make_store: MakeStore, remote: str, stub: EncoderStub, tmp_path: Path
) -> None:
    store = make_store(model_id=remote)
    store.create(settings=SETTINGS)
    load, options = Load(documents(), journal=tmp_path / "journal"), WriteOptions(batch_size=10, initial_backoff=0.01)
    stub.failing = "doctor"
    first = store.ingest(load, options=options)
    assert first.written < len(TEXTS)
    stub.failing = None
    stub.texts.clear()
    second = store.ingest(load, options=options)
    assert first.written + second.written == len(TEXTS)
    assert sum(text in TEXTS.values() for text in stub.texts) == second.written
    assert store.count() == len(TEXTS)
    assert all(document.vector for document in store.scan())


def test_a_journal_belongs_to_the_model_in_the_server(
    make_store: MakeStore, deployed: DeployedModel, remote: str, tmp_path: Path
) -> None:
    load = Load(documents(dict(list(TEXTS.items())[:5])), journal=tmp_path / "journal")
    store = make_store(model_id=deployed.model_id)
    store.create(settings=SETTINGS)
    assert store.ingest(load).written == 5
    assert store.ingest(load).written == 0
    store.delete_index()
    other = make_store(model_id=remote)
    other.create(settings=SETTINGS)
    with pytest.raises(JournalMismatchError):
        other.ingest(load)


def test_a_further_field_is_encoded_here(
    make_store: MakeStore, deployed: DeployedModel, encoder: DocumentEncoder
) -> None:
    store = make_store(model_id=deployed.model_id)
    store.create(settings=SETTINGS)
    store.write([{"id": "1", "text": "red planet"}])
    assert store.add_field("further", model=SMALL_MODEL) == 1
    store.write([{"id": "2", "text": "blue sea"}])
    for document in store.get(["1", "2"]):
        further = document.more_vectors["further"].vector
        assert largest_difference(document.vector, further) < 0.01


def test_metadata_passes_the_pipeline_unchanged_or_not_at_all(
    make_store: MakeStore, model_server: RunningServer, deployed: DeployedModel, encoder: DocumentEncoder
) -> None:
    store = make_store(model_id=deployed.model_id)
    store.create(settings=SETTINGS)
    lists = {"shape": [[1, 2], [3, 4]], "rows": [{"line": [1, 2, 3]}]}
    kept = {"n": None, "text": "ü", "number": 1.5, "list": [3, 1, 2], "deep": {"a": {"b": [1]}}, "rows": [{"c": 1}]}
    rows = [
        {"id": "kept", "text": "red", "metadata": kept},
        {"id": "lists", "text": "red", "metadata": lists},
        {"id": "lost", "text": "red", "metadata": {"e": {"f.g": 1, "f": {"h": 2}}}},
    ]
    with pytest.raises(BulkWriteError) as raised:
        store.write(rows)
    failed = {failure.id: failure.reason for failure in raised.value.report.failed}
    assert "metadata key 'f.g' would be lost" in failed.pop("lost")
    if model_server.version.startswith("2."):
        assert "a list in a list" in failed.pop("lists")
    assert failed == {}
    assert make_store(document_encoder=encoder).write(rows).complete
    metadata = {document.id: document.metadata for document in store.get(["kept", "lists", "lost"])}
    assert metadata == {row["id"]: row["metadata"] for row in rows}
    store.write([{"id": "dots", "text": "red", "metadata": {"x.y": 1}}])
    assert store.get(["dots"])[0].metadata == {"x": {"y": 1}}  # the same field, written otherwise


def test_a_copy_for_a_model_here_is_not_encoded_by_the_server(
    make_store: MakeStore, model_client: Any, deployed: DeployedModel
) -> None:
    store = make_store(model_id=deployed.model_id)
    store.create(settings=SETTINGS)
    store.write(documents(dict(list(TEXTS.items())[:5])))
    copy = make_store(f"{store.index}-copy")
    assert store.reindex_with_model(copy.index, model=SMALL_MODEL).documents == 5
    binding = copy.open().binding
    assert binding is not None
    assert binding.server is None
    assert (
        "default_pipeline" not in model_client.indices.get_settings(index=copy.index)[copy.index]["settings"]["index"]
    )
    copy.write([{"id": "new", "text": "red planet"}])
    assert "new" in [hit.id for hit in copy.search("red planet")]


def test_chunks_are_for_clients(make_store: MakeStore, deployed: DeployedModel) -> None:
    store = make_store(model_id=deployed.model_id, schema=IndexSchema(chunking=ChunkOptions(tokens=100)))
    with pytest.raises(IndexSchemaError, match=r"ServerEncoding\(chunking=.*; or leave server_encoding out"):
        store.create()


def test_a_refused_creation_or_binding_leaves_no_pipeline(
    make_store: MakeStore, model_client: Any, deployed: DeployedModel
) -> None:
    store = make_store()
    pipeline = f"{store.index}-sparse-encoding"
    with pytest.raises(ServerRequestError, match="number_of_shards"):
        make_store(model_id=deployed.model_id).create(settings={"number_of_shards": -1})
    assert model_client.ingest.get_pipeline(id=pipeline, ignore=[404]) == {}
    store.create(settings=SETTINGS)
    store.write([{"id": "1", "text": "red", "vector": {"red": 1.0, "water": 5.0}}])
    with pytest.raises(ModelMismatchError, match="agrees with its stored weights"):
        make_store(model_id=deployed.model_id).bind_model(verify=1, replace=True)
    with pytest.raises(ModelMismatchError, match="the stamps differ in server"):
        make_store(model_id=deployed.model_id).bind_model()
    assert model_client.ingest.get_pipeline(id=pipeline, ignore=[404]) == {}
    assert make_store(model_id=deployed.model_id).bind_model(replace=True).server is not None
    assert pipeline in model_client.ingest.get_pipeline(id=pipeline)
    with pytest.raises(ServerRequestError, match="number_of_shards"):
        make_store(model_id=deployed.model_id).create_template(
            f"{store.index}-template", [f"{store.index}-*"], settings={"number_of_shards": -1}
        )
    assert model_client.ingest.get_pipeline(id=f"{store.index}-template-sparse-encoding", ignore=[404]) == {}


def test_an_awaited_store_binds_an_index_to_the_server(
    make_store: MakeStore, model_server: RunningServer, model_client: Any, deployed: DeployedModel
) -> None:
    store = make_store()
    store.create(settings=SETTINGS)
    store.write(documents(dict(list(TEXTS.items())[:5])))

    async def bind() -> tuple[str | None, list[SparseDocument]]:
        encoding = ServerEncoding(model_id=deployed.model_id)
        async with AsyncNeuralSparseStore(
            store.index, url=model_server.url, model=SMALL_MODEL, server_encoding=encoding
        ) as awaited:
            with pytest.raises(ModelMismatchError, match="the stamps differ in server"):
                await awaited.bind_model()
            binding = await awaited.bind_model(verify=5, replace=True)
            assert binding == await awaited.bind_model()
            await awaited.write([{"id": "new", "text": "red planet"}])
            return binding.server and binding.server.pipeline, await awaited.get(["new"])

    pipeline, (new,) = asyncio.run(bind())
    settings = model_client.indices.get_settings(index=store.index)[store.index]["settings"]["index"]
    assert settings["default_pipeline"] == pipeline == f"{store.index}-sparse-encoding"
    model_client.index(index=store.index, id="raw", body={"content": "red planet"}, refresh=True)
    assert new.vector == make_store().get(["raw"])[0].vector

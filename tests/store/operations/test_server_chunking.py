"""Indices of passages that the server cuts and encodes, on servers that run models."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import pytest

from opensearch_neural_sparse import (
    AsyncNeuralSparseStore,
    BulkWriteError,
    ChunkOptions,
    DocumentEncoder,
    IndexSchema,
    IndexSchemaError,
    Load,
    MissingVectorWarning,
    ModelMismatchError,
    NeuralSparseStore,
    PassageLimitWarning,
    Prune,
    SearchOptions,
    ServerChunking,
    ServerEncoding,
    ServerQuery,
    ServerRequestError,
    WriteOptions,
    load_document_encoder,
    load_query_encoder,
)
from opensearch_neural_sparse.server_models.deployed_model import DeployedModel
from tests.conftest import RunningServer
from tests.paths import SMALL_MODEL

MakeStore = Callable[..., NeuralSparseStore]
SETTINGS = {"number_of_shards": 1, "number_of_replicas": 0}
SUBJECTS = (
    "The red planet turns around the sun once in two years.",
    "An old river carries water and sand slowly to the sea.",
    "The heart pumps blood through the body of an animal.",
    "A bank lends money to people who want to buy a house.",
    "A wooden boat with a white sail waits in the harbour.",
    "The young doctor works at night in a large hospital.",
    "Snow falls in the mountains and melts again in spring.",
    "A teacher reads a long story to the children at school.",
)
TEXTS = {
    str(n): " ".join(SUBJECTS[(n * 3 + place * (n % 5 + 1)) % len(SUBJECTS)] for place in range(3 + n % 4))
    for n in range(24)
}
QUERIES = ("heart attack", "water", "loans of money", "ship", "planet near the sun", "who works in a hospital?")
WORDS = ServerChunking(token_limit=14, overlap_rate=0.25)


@pytest.fixture(scope="module")
def encoder() -> Iterator[DocumentEncoder]:
    encoder = load_document_encoder(SMALL_MODEL)
    yield encoder
    encoder.close()


@pytest.fixture
def make_store(model_client: Any, model_index: str) -> Iterator[MakeStore]:
    """Make stores of one index by the bundled model; the pipelines of their indices are removed at the end."""
    stores = list[NeuralSparseStore]()

    def make(index: str = model_index, **arguments: Any) -> NeuralSparseStore:
        stores.append(NeuralSparseStore(index, client=model_client, **({"model": SMALL_MODEL} | arguments)))
        return stores[-1]

    yield make
    for store in stores:
        store.close()
        model_client.indices.delete(index=store.index, ignore_unavailable=True)
        model_client.ingest.delete_pipeline(id=f"{store.index}-sparse-encoding", ignore=[404])


@pytest.fixture
def make_cut(make_store: MakeStore, deployed: DeployedModel) -> MakeStore:
    """Create an index of passages that the server cuts, and return a store that knows of it by the stamp alone."""

    def make(index: str | None = None, *, chunking: Any = WORDS, settings: Any = None, **arguments: Any) -> Any:
        encoding = ServerEncoding(model_id=deployed.model_id, chunking=chunking)
        named = () if index is None else (index,)
        store = make_store(*named, server_encoding=encoding, **arguments)
        store.create(settings=SETTINGS | (settings or {}))
        return make_store(*named)

    return make


def rows(texts: dict[str, str] = TEXTS) -> list[dict[str, Any]]:
    return [{"id": name, "text": text, "metadata": {"even": int(name) % 2 == 0}} for name, text in texts.items()]


def passages_by_server(client: Any, index: str, texts: list[str]) -> list[list[str]]:
    documents = [{"_index": index, "_source": {"content": text}} for text in texts]
    answer = client.ingest.simulate(id=f"{index}-sparse-encoding", body={"docs": documents})
    return [row["doc"]["_source"]["passages"] for row in answer["docs"]]


def largest_difference(one: Any, other: Any) -> float:
    assert set(one) == set(other)
    return max((abs(one[token] - other[token]) for token in one), default=0.0)


@pytest.mark.parametrize(
    "chunking", [WORDS, "delimiter:.", {"token_limit": 20, "tokenizer": "whitespace"}], ids=["words", "dots", "blanks"]
)
def test_passages_are_those_of_the_server_with_the_vectors_of_this_process(
    make_cut: MakeStore, model_client: Any, encoder: DocumentEncoder, chunking: Any
) -> None:
    store = make_cut(chunking=chunking)
    assert store.write(rows()).written == len(TEXTS)
    expected = passages_by_server(model_client, store.index, list(TEXTS.values()))
    assert min(map(len, expected)) > 1
    differences = []
    for document, passages in zip(store.get(list(TEXTS)), expected, strict=True):
        assert document.text is not None
        assert document.chunks is not None
        assert document.metadata.keys() == {"even"}
        assert [document.text[chunk.start : chunk.end] for chunk in document.chunks] == passages
        assert (document.chunks[0].start, document.chunks[-1].end) == (0, len(document.text))
        vectors = encoder.encode_documents(passages)
        differences += [
            largest_difference(chunk.vector, own) for chunk, own in zip(document.chunks, vectors, strict=True)
        ]
    assert max(differences) < 5e-6


def test_documents_rank_by_their_best_passages(
    make_cut: MakeStore, make_store: MakeStore, model_client: Any, encoder: DocumentEncoder
) -> None:
    store = make_cut()
    store.write(rows())
    cut = dict(zip(TEXTS, passages_by_server(model_client, store.index, list(TEXTS.values())), strict=True))
    vectors = {name: encoder.encode_documents(passages) for name, passages in cut.items()}
    query_encoder = load_query_encoder(SMALL_MODEL)
    for query in QUERIES:
        weights = query_encoder.encode_query(query)
        scores = {
            name: [sum(weight * vector.get(token, 0.0) for token, weight in weights.items()) for vector in chunks]
            for name, chunks in vectors.items()
        }
        hits = store.search(query, size=len(TEXTS), explain=True)
        assert {hit.id for hit in hits} == {name for name, each in scores.items() if max(each) > 0}
        for hit in hits:
            best = max(scores[hit.id])
            assert hit.score == pytest.approx(best, rel=1e-2)  # the server keeps nine bits of a weight
            assert hit.chunk is not None
            assert scores[hit.id][hit.chunk.number] == pytest.approx(best, rel=1e-2)
            assert hit.chunk.text == cut[hit.id][hit.chunk.number]
            assert hit.text == TEXTS[hit.id]
            assert sum(match.score for match in hit.matches or ()) == pytest.approx(hit.score, rel=1e-3)
        exact = [max(scores[hit.id]) for hit in hits]
        assert all(later <= earlier * 1.01 for earlier, later in pairwise(exact))


def test_passages_are_found_by_filters_words_and_both(make_cut: MakeStore, deployed: DeployedModel) -> None:
    store = make_cut()
    store.write(rows())
    even = store.search("blood", filter={"term": {"even": True}}, size=30)
    assert {int(hit.id) % 2 for hit in even} == {0}
    hybrid = store.hybrid_search("blood of the heart", explain=True)
    assert hybrid[0].chunk is not None
    assert "heart" in str(hybrid[0].chunk.text)
    assert "<mark" in hybrid[0].to_html()
    by_server = SearchOptions(server_query=ServerQuery(model_id=deployed.query_model_id))
    assert [hit.id for hit in store.search("blood", options=by_server)] == [hit.id for hit in store.search("blood")]
    assert store.count({"term": {"even": True}}) == 12


def test_stamp_says_that_the_server_cuts_and_how(make_cut: MakeStore, make_store: MakeStore, deployed: Any) -> None:
    store = make_cut()
    binding = store.open().binding
    assert binding is not None
    assert binding.server is not None
    assert binding.server.chunking == WORDS
    assert store.open().schema.server_chunking == WORDS
    stamp = binding.to_meta()["server"]["chunking"]
    assert stamp == {
        "algorithm": "fixed_token_length",
        "token_limit": 14,
        "tokenizer": "standard",
        "overlap_rate": 0.25,
    }
    same = ServerEncoding(model_id=deployed.model_id)
    assert make_store(server_encoding=same).open().binding == binding
    other = ServerEncoding(model_id=deployed.model_id, chunking="delimiter")
    with pytest.raises(ModelMismatchError, match=r"its texts are cut by \{.*'token_limit': 14.*, not by \{'algor"):
        make_store(server_encoding=other).open()


def test_an_index_without_passages_is_not_opened_as_one(make_store: MakeStore, deployed: DeployedModel) -> None:
    make_store(server_encoding=ServerEncoding(model_id=deployed.model_id)).create(settings=SETTINGS)
    with pytest.raises(ModelMismatchError, match="its texts are not cut, not by"):
        make_store(server_encoding=ServerEncoding(model_id=deployed.model_id, chunking=WORDS)).open()


def test_the_server_prunes_each_passage(make_cut: MakeStore, encoder: DocumentEncoder) -> None:
    rule = Prune.parse("max_ratio:0.2")
    assert rule is not None
    store = make_cut(prune=rule)
    store.write(rows())
    store.update_text({"0": TEXTS["1"]}, options=WriteOptions(exact_weights=True))
    for document in store.get(list(TEXTS)[:8]):
        passages = [str(document.text)[chunk.start : chunk.end] for chunk in document.chunks or ()]
        for chunk, vector in zip(document.chunks or (), encoder.encode_documents(passages), strict=True):
            assert largest_difference(chunk.vector, rule(vector)) < 5e-6


def test_a_changed_text_has_the_passages_of_a_new_one(make_cut: MakeStore, model_client: Any) -> None:
    store = make_cut()
    store.write(rows())
    store.update_text({"0": TEXTS["7"], "1": TEXTS["8"]}, options=WriteOptions(exact_weights=True))
    store.update_metadata({"0": {"even": False}}, replace=True)
    changed, written = store.get(["0", "1"]), store.get(["7", "8"])
    for one, other in zip(changed, written, strict=True):
        assert (one.text, one.model) == (other.text, other.model)
        assert [(chunk.start, chunk.end) for chunk in one.chunks or ()] == [
            (chunk.start, chunk.end) for chunk in other.chunks or ()
        ]
        for chunk, own in zip(one.chunks or (), other.chunks or (), strict=True):
            assert largest_difference(chunk.vector, own.vector) < 5e-6
    assert changed[0].metadata == {"even": False}
    assert "passages" not in model_client.get(index=store.index, id="0")["_source"]  # they were those of the old text
    with pytest.warns(MissingVectorWarning):
        store.update_text({"2": " "})
    assert store.get(["2"])[0].chunks is None


def test_texts_without_a_word_are_named(make_cut: MakeStore) -> None:
    store = make_cut()
    texts = {**{str(n): "A red planet." for n in range(20)}, "marks": "!!! ... ???", "digits": "12 345"}
    with pytest.warns(MissingVectorWarning, match="The server found no word in their texts") as warned:
        store.write([{"id": name, "text": text} for name, text in texts.items()])
    assert [warning.message.missing for warning in warned] == [{"chunks": ("marks",)}]  # type: ignore[union-attr]
    with pytest.warns(MissingVectorWarning, match="1 have no vector in 'chunks'"):
        report = store.write([{"id": "blank", "text": " \n"}])
    assert report.without_vector == {"chunks": ("blank",)}
    assert store.get(["digits"])[0].chunks


@pytest.mark.parametrize(
    "chunking",
    [
        {"token_limit": 10, "max_chunk_limit": 2},
        {"token_limit": 10, "overlap_rate": 0.5, "max_chunk_limit": 2},
        {"algorithm": "delimiter", "delimiter": ".", "max_chunk_limit": 2},
    ],
    ids=["words", "overlap", "dots"],
)
def test_texts_of_more_passages_than_the_limit_are_named(make_cut: MakeStore, chunking: dict[str, Any]) -> None:
    store = make_cut(chunking=chunking)
    two = "one two three four five six seven. eight nine ten."
    texts = {"two": two, "three": f"{two} {two} eleven.", "many": f"{two} " * 9, "short": "one"}
    with pytest.warns(PassageLimitWarning, match=r"more passages than max_chunk_limit, 2: 'three', 'many'") as warned:
        store.write([{"id": name, "text": text} for name, text in texts.items()])
    assert [warning.message.documents for warning in warned] == [("three", "many")]  # type: ignore[union-attr]
    for document in store.get(["three", "many"]):
        assert len(document.chunks or ()) == 2
        assert (document.chunks or ())[-1].end == len(texts[str(document.id)])  # nothing of the text is left out


def test_more_words_than_the_server_counts_are_a_failure_of_the_document(make_cut: MakeStore) -> None:
    store = make_cut(chunking="fixed_token_length:5000")
    long = "word " * 10_001
    with pytest.raises(BulkWriteError, match=r"index.analyze.max_token_count") as refused:
        store.write([{"id": "1", "text": long}, {"id": "2", "text": "A red planet."}])
    assert (refused.value.report.written, [row.id for row in refused.value.report.failed]) == (1, ["1"])
    with pytest.raises(ServerRequestError, match=r"index.analyze.max_token_count"):
        store.update_text({"2": long})
    store.client().indices.close(index=store.index)
    store.client().indices.put_settings(index=store.index, body={"index.analyze.max_token_count": 20_000})
    store.client().indices.open(index=store.index)
    store.client().cluster.health(index=store.index, wait_for_status="yellow")
    store.write([{"id": "1", "text": long}])
    store.update_text({"2": long})
    assert [len(document.chunks or ()) for document in store.get(["1", "2"])] == [3, 3]


def test_documents_that_have_chunks_go_beside_those_that_the_server_cuts(
    make_cut: MakeStore, make_store: MakeStore, model_index: str
) -> None:
    here = make_store(f"{model_index}-here", schema=IndexSchema(chunking=ChunkOptions(tokens=16, overlap=0)))
    here.create(settings=SETTINGS)
    here.write(rows(), options=WriteOptions(exact_weights=True))
    store = make_cut()
    exact = WriteOptions(exact_weights=True)
    assert store.write(here.scan(), options=exact).complete
    store.write([{"id": "new", "text": TEXTS["3"]}])
    before, after = here.get(list(TEXTS)), store.get(list(TEXTS))
    assert [document.chunks for document in after] == [document.chunks for document in before]
    assert {document.model for document in after} == {store.get(["new"])[0].model}
    copied, own = store.search("heart", size=3), here.search("heart", size=3)
    scored = {hit.id: hit.score for hit in own}
    assert all(hit.score == scored.get(hit.id, hit.score) for hit in copied)
    back = make_store(f"{model_index}-back", schema=IndexSchema(chunking=ChunkOptions(tokens=16, overlap=0)))
    back.create(settings=SETTINGS)
    assert back.write(store.scan(), options=exact).complete
    assert [each.chunks for each in back.get(["new"])] == [each.chunks for each in store.get(["new"])]


def test_both_kinds_of_chunks_are_searched_by_one_name(
    make_cut: MakeStore, make_store: MakeStore, model_index: str
) -> None:
    here = make_store(f"{model_index}-here", schema=IndexSchema(chunking=ChunkOptions(tokens=16, overlap=0)))
    here.create(settings=SETTINGS)
    here.write([{"id": "here", "text": TEXTS["3"]}])
    by_server = make_cut()
    by_server.write([{"id": "server", "text": TEXTS["3"]}])
    both = make_store(f"{here.index},{by_server.index}")
    hits = both.search("a doctor in a hospital")
    assert {hit.id for hit in hits} == {"here", "server"}
    assert all(hit.chunk is not None and hit.chunk.text for hit in hits)


def test_texts_are_not_encoded_here_beside_the_server(
    make_cut: MakeStore, make_store: MakeStore, encoder: DocumentEncoder
) -> None:
    store = make_cut()
    with pytest.raises(IndexSchemaError, match="the server cuts its texts into passages"):
        make_store(document_encoder=encoder).write(rows())
    with pytest.raises(IndexSchemaError, match="the server cuts its texts into passages"):
        store.reindex_with_model(f"{store.index}-copy", model=SMALL_MODEL)
    with pytest.raises(IndexSchemaError, match="without chunks"):
        store.add_field("second", model=SMALL_MODEL)
    schema = IndexSchema(server_chunking=WORDS)
    with pytest.raises(IndexSchemaError, match="Creation without server_encoding"):
        make_store(f"{store.index}-other", schema=schema).create()


def test_an_awaited_store_and_a_load_write_alike(
    make_cut: MakeStore, model_server: RunningServer, tmp_path: Any
) -> None:
    store = make_cut()

    async def write(index: str) -> None:
        async with AsyncNeuralSparseStore(index, url=model_server.url, model=SMALL_MODEL) as awaited:
            await awaited.write([{"id": "awaited", "text": TEXTS["3"]}, {"id": "changed", "text": "red"}])
            await awaited.update_text({"changed": TEXTS["3"]}, options=WriteOptions(exact_weights=True))

    asyncio.run(write(store.index))
    load = Load([{"id": "loaded", "text": TEXTS["3"]}], journal=tmp_path / "journal")
    assert store.ingest(load).written == 1
    again = Load([{"id": "loaded", "text": TEXTS["3"]}], journal=tmp_path / "journal")
    assert store.ingest(again).unchanged == 1
    awaited, changed, loaded = store.get(["awaited", "changed", "loaded"])
    assert awaited.chunks == loaded.chunks
    assert [(chunk.start, chunk.end) for chunk in changed.chunks or ()] == [
        (chunk.start, chunk.end) for chunk in awaited.chunks or ()
    ]


def test_what_the_server_cannot_do_is_refused_before_the_index_is_made(
    make_store: MakeStore, model_client: Any, model_server: RunningServer, deployed: DeployedModel
) -> None:
    wrong = ServerEncoding(model_id=deployed.model_id, chunking={"tokenizer": "bert-uncased"})
    store = make_store(server_encoding=wrong)
    with pytest.raises(ServerRequestError, match=r"Tokenizer \[bert-uncased\] is not supported"):
        store.create(settings=SETTINGS)
    by_characters = ServerEncoding(model_id=deployed.model_id, chunking="fixed_char_length:60")
    store = make_store(server_encoding=by_characters)
    if model_server.version.startswith("2."):
        with pytest.raises(ServerRequestError, match=r"Chunking algorithm \[fixed_char_length\] is not supported"):
            store.create(settings=SETTINGS)
        assert not model_client.indices.exists(index=store.index)
        return
    store.create(settings=SETTINGS)
    store.write(rows())
    expected = passages_by_server(model_client, store.index, list(TEXTS.values()))
    for document, passages in zip(store.get(list(TEXTS)), expected, strict=True):
        assert [str(document.text)[chunk.start : chunk.end] for chunk in document.chunks or ()] == passages


def test_a_pipeline_that_cuts_otherwise_is_noticed_before_the_next_write(
    make_cut: MakeStore, make_store: MakeStore, model_client: Any
) -> None:
    store = make_cut()
    name = f"{store.index}-sparse-encoding"
    body = model_client.ingest.get_pipeline(id=name)[name]
    body["processors"][0]["text_chunking"]["algorithm"]["fixed_token_length"]["token_limit"] = 50
    model_client.ingest.put_pipeline(id=name, body=body)
    with pytest.raises(IndexSchemaError, match="its algorithm is"):
        make_store().write(rows())
    del body["processors"][0]
    model_client.ingest.put_pipeline(id=name, body=body)
    with pytest.raises(IndexSchemaError, match="no processor 'text_chunking' that fills field 'passages'"):
        make_store().write(rows())


def test_an_index_of_a_pipeline_of_others_is_bound_and_read(
    make_store: MakeStore, model_client: Any, deployed: DeployedModel, model_index: str
) -> None:
    """The layout and the pipeline of OpenSearch's documentation on text chunking, made without this package."""
    cutting = {"text_chunking": {"algorithm": {"delimiter": {"delimiter": "."}}, "field_map": {"body": "body_chunk"}}}
    encoding = {"sparse_encoding": {"model_id": deployed.model_id, "field_map": {"body_chunk": "body_embedding"}}}
    pipeline = f"{model_index}-sparse-encoding"
    model_client.ingest.put_pipeline(id=pipeline, body={"processors": [cutting, encoding]})
    nested = {"type": "nested", "properties": {"sparse_encoding": {"type": "rank_features"}}}
    mappings = {"properties": {"body": {"type": "text"}, "body_embedding": nested}}
    settings = SETTINGS | {"default_pipeline": pipeline}
    model_client.indices.create(index=model_index, body={"settings": settings, "mappings": mappings})
    model_client.index(index=model_index, id="1", body={"body": TEXTS["3"]}, refresh=True)
    schema = IndexSchema(text_field="body", chunk_field="body_embedding", passage_field="body_chunk")
    encoded = ServerEncoding(model_id=deployed.model_id, chunking="delimiter:.")
    with pytest.raises(IndexSchemaError, match=r"exists and is another one: its algorithm"):
        make_store(schema=schema, server_encoding=encoded).bind_model(verify=1)
    own = ServerEncoding(model_id=deployed.model_id, chunking="delimiter:.", pipeline=f"{model_index}-own")
    store = make_store(schema=schema, server_encoding=own)
    try:
        store.bind_model(verify=1)
        (hit,) = make_store(schema=schema).search("hospital")
        assert hit.chunk is not None
        assert hit.chunk.text == str(hit.text)[hit.chunk.start : hit.chunk.end]
    finally:
        model_client.indices.delete(index=model_index)
        model_client.ingest.delete_pipeline(id=f"{model_index}-own", ignore=[404])

"""Long documents on real servers: one document with a vector for each of its chunks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from opensearch_neural_sparse import (
    AsyncNeuralSparseStore,
    BulkWriteError,
    ChunkOptions,
    DenseLeg,
    DocumentChunk,
    Fusion,
    HybridOptions,
    IndexSchema,
    IndexSchemaError,
    ModelMismatchError,
    NeuralSparseStore,
    Normalization,
    Prune,
    PruneType,
    SearchOptions,
    SparseDocument,
    SparseLeg,
    SparseTokenizer,
    SparseVector,
    TwoPhase,
    UnsupportedServerError,
    load_document_encoder,
)
from opensearch_neural_sparse.server_info import parse_version
from tests.conftest import RunningServer
from tests.encode.texts import ODD_TEXTS
from tests.encoders import WordEncoder, word_vector
from tests.paths import SMALL_MODEL
from tests.store.conftest import MakeIndex, MakeStore

CHUNKING = ChunkOptions(tokens=4, overlap=0)
SCHEMA = IndexSchema(chunking=CHUNKING)
TEXTS = {
    "1": "one two three four mars mars red planet five six seven eight",
    "2": "mars one two three",
    "3": "nine ten",
    "4": "",
}
LANGUAGES = {"1": "en", "2": "fr", "3": "en", "4": "en"}
DOCUMENTS = [{"id": name, "text": text, "metadata": {"lang": LANGUAGES[name]}} for name, text in TEXTS.items()]
Fill = Callable[..., NeuralSparseStore]


@pytest.fixture(params=[1, 3], ids=["1-shard", "3-shards"])
def shards(request: pytest.FixtureRequest) -> dict[str, Any]:
    return {"number_of_shards": request.param}


@pytest.fixture(scope="module")
def index_of(make_index: MakeIndex) -> Callable[[int], str]:
    """Return the index of so many shards that the tests here share."""
    return cache(lambda number: make_index(DOCUMENTS, shards=number, schema=SCHEMA))


@pytest.fixture
def filled(make_store: MakeStore, index_of: Callable[[int], str], shards: dict[str, Any]) -> NeuralSparseStore:
    """A store to be searched only."""
    return make_store(index=index_of(shards["number_of_shards"]), schema=SCHEMA)


@pytest.fixture
def own(make_store: MakeStore, shards: dict[str, Any]) -> NeuralSparseStore:
    """A store of the same documents, to be written to."""
    store = make_store(schema=SCHEMA)
    store.create(settings=shards)
    store.write(DOCUMENTS)
    return store


def score(query: str, text: str) -> float:
    return word_vector(query).dot(word_vector(text))


def test_a_hit_is_a_document_with_its_best_chunk(filled: NeuralSparseStore) -> None:
    hits = filled.search("red mars")
    assert [hit.id for hit in hits] == ["1", "2"]
    best, other = hits[0].chunk, hits[1].chunk
    assert best is not None
    assert other is not None
    assert (best.number, best.text) == (1, "mars mars red planet")
    assert TEXTS["1"][best.start : best.end] == best.text
    assert (other.number, other.text) == (0, TEXTS["2"])
    for hit, chunk in zip(hits, (best, other), strict=True):
        assert hit.score == chunk.score == pytest.approx(score("red mars", str(chunk.text)), rel=4e-3)
        assert hit.text == TEXTS[hit.id]
        assert "chunks" not in hit.source
        assert set(hit.metadata) == {"lang"}


def test_filters_are_those_of_documents_and_matches_those_of_the_best_chunk(filled: NeuralSparseStore) -> None:
    (hit,) = filled.search("mars one red", filter={"term": {"lang": "en"}}, explain=True)
    assert hit.id == "1"
    assert [match.token for match in hit.matches or ()] in (["red", "mars"], ["mars", "red"])
    assert sum(match.score for match in hit.matches or ()) == pytest.approx(hit.score, rel=1e-6)


def test_a_store_learns_from_the_stamp_how_to_cut(own: NeuralSparseStore, make_store: MakeStore) -> None:
    later = make_store()
    later.write([{"id": "5", "text": "a b c d planet"}])
    (document,) = later.get(["5"])
    assert [(chunk.start, chunk.end) for chunk in document.chunks or ()] == [(0, 7), (8, 14)]
    other = make_store(schema=replace(SCHEMA, chunking=ChunkOptions(tokens=5, overlap=0)))
    with pytest.raises(ModelMismatchError, match="chunking"):
        other.write(["a text"])
    assert other.search("planet")[0].chunk is not None


def test_writing_again_leaves_no_chunk_of_before(own: NeuralSparseStore) -> None:
    own.write([{"id": "1", "text": "short"}])
    assert [hit.id for hit in own.search("mars")] == ["2"]
    (document,) = own.get(["1"])
    assert [(chunk.start, chunk.end) for chunk in document.chunks or ()] == [(0, 5)]
    assert own.delete(["2"]) == 1
    assert own.search("mars") == []
    assert own.count() == 3


def test_another_text_has_other_chunks_and_other_metadata_the_same(own: NeuralSparseStore) -> None:
    own.update_metadata({"1": {"lang": "de"}})
    (hit,) = own.search("red mars", filter={"term": {"lang": "de"}})
    assert hit.chunk is not None
    own.update_text({"1": "short"})
    (document,) = own.get(["1"])
    assert [(chunk.start, chunk.end) for chunk in document.chunks or ()] == [(0, 5)]
    assert [hit.id for hit in own.search("mars")] == ["2"]


def test_an_index_encoded_anew_has_chunks(
    own: NeuralSparseStore, make_store: MakeStore, client: Any, encoder: WordEncoder, other_index: str
) -> None:
    own.reindex_with_model(other_index, document_encoder=encoder, on_missing_text="keep")
    copy = NeuralSparseStore(other_index, client=client, query_encoder=encoder, document_encoder=encoder)
    assert [hit.chunk for hit in copy.search("red mars")] == [hit.chunk for hit in own.search("red mars")]


def test_an_index_of_chunks_that_others_made_is_held_against_the_model(
    make_store: MakeStore, client: Any, encoder: WordEncoder
) -> None:
    store = make_store(schema=SCHEMA)
    fields = {"sparse_vector": {"type": "rank_features"}, "start": {"type": "integer"}, "end": {"type": "integer"}}
    client.indices.create(
        index=store.index, body={"mappings": {"properties": {"chunks": {"type": "nested", "properties": fields}}}}
    )
    chunk = {"start": 4, "end": 8, "sparse_vector": dict(word_vector("mars"))}
    client.index(index=store.index, body={"content": "red mars", "chunks": [chunk]}, params={"refresh": "true"})
    assert store.bind_model(verify=1).chunking == {"tokens": 4, "overlap": 0}
    assert encoder.calls == [["mars"]]
    assert store.search("mars")[0].chunk is not None


def test_no_token_of_a_long_text_is_cut_off_by_the_model(client: Any, index_name: str) -> None:
    text = " ".join(text[:600] for text in ODD_TEXTS) + " rain" * 600
    schema = IndexSchema(chunking=ChunkOptions(tokens=254, overlap=20))
    encoder = load_document_encoder(SMALL_MODEL)
    with NeuralSparseStore(index_name, client=client, document_encoder=encoder, schema=schema) as store:
        store.create(settings={"number_of_shards": 1})
        store.write([{"id": "1", "text": text}])
        (document,) = store.get(["1"])
    spans = SparseTokenizer.from_file(SMALL_MODEL / "document_0_MLMTransformer" / "tokenizer.json").token_spans(text)
    chunks = document.chunks or ()
    assert len(chunks) > 2
    assert encoder.truncations.tokens == 0
    assert all(any(chunk.start <= start and end <= chunk.end for chunk in chunks) for start, end in spans)


def test_documents_move_to_another_index_with_their_chunks(
    own: NeuralSparseStore, make_store: MakeStore, other_index: str, client: Any, encoder: WordEncoder
) -> None:
    target = NeuralSparseStore(
        other_index, client=client, query_encoder=encoder, document_encoder=encoder, schema=SCHEMA
    )
    target.create()
    encoder.calls.clear()
    target.write(own.scan())
    assert encoder.calls in ([], [[]])
    assert list(target.scan()) == list(own.scan())
    assert [hit.chunk for hit in target.search("red mars")] == [hit.chunk for hit in own.search("red mars")]


@pytest.mark.parametrize("fusion", list(Fusion))
def test_hybrid_search_tells_the_best_chunk(
    filled: NeuralSparseStore, server: RunningServer, shards: dict[str, Any], fusion: Fusion
) -> None:
    if fusion is Fusion.SERVER and parse_version(server.version) < (3, 0, 0):
        with pytest.raises(UnsupportedServerError):
            filled.hybrid_search("red mars", options=HybridOptions(fusion=fusion))
        return
    found = filled.hybrid_search("red mars ten", options=HybridOptions(fusion=fusion), explain=True)
    alone = {hit.id: hit for hit in filled.search("red mars ten", explain=True)}
    assert {hit.id: hit.chunk and hit.chunk.number for hit in found} == {"1": 1, "2": 0, "3": 0}
    for hit in found:
        assert set(hit.legs or {}) == {"bm25", "sparse"}
        assert (hit.chunk, hit.matches) == (alone[hit.id].chunk, alone[hit.id].matches)


def test_hybrid_search_with_two_legs_over_chunks(filled: NeuralSparseStore) -> None:
    legs = (SparseLeg(), SparseLeg(name="other", vector={"nine": 1.0}))
    hits = filled.hybrid_search("mars", options=HybridOptions(legs=legs), filter={"term": {"lang": "en"}})
    assert {hit.id: hit.chunk and hit.chunk.text for hit in hits} == {"1": "mars mars red planet", "3": "nine ten"}


def test_words_alone_find_a_document_without_a_chunk(filled: NeuralSparseStore) -> None:
    (hit,) = filled.match_search("ten")
    assert hit.chunk is None
    hybrid = filled.hybrid_search("ten", vector={"mars": 1.0})
    assert {found.id: found.chunk is None for found in hybrid} == {"3": True, "1": False, "2": False}


def test_normalised_scores_come_with_chunks_or_not_at_all(filled: NeuralSparseStore, server: RunningServer) -> None:
    options = HybridOptions(normalization=Normalization.MIN_MAX)
    if parse_version(server.version) < (3, 0, 0):
        with pytest.raises(UnsupportedServerError, match="best chunks"):
            filled.hybrid_search("mars", options=options)
    else:
        assert all(hit.chunk is not None for hit in filled.hybrid_search("mars", options=options))


def test_many_searches_and_pages_give_chunks(filled: NeuralSparseStore) -> None:
    first, second = filled.search_many(["planet", "ten"])
    assert [hit.chunk and hit.chunk.number for hit in (*first, *second)] == [1, 0]
    (later,) = filled.search("red mars", size=1, offset=1)
    assert later.chunk is not None


def test_two_phases_are_refused(filled: NeuralSparseStore) -> None:
    with pytest.raises(ValueError, match="two phases"):
        filled.search({"mars": 5.0, "one": 0.1}, options=SearchOptions(two_phase=TwoPhase()))


def test_each_chunk_is_pruned(make_store: MakeStore, shards: dict[str, Any]) -> None:
    store = make_store(schema=SCHEMA, prune=Prune(type=PruneType.TOP_K, ratio=1))
    store.create(settings=shards)
    store.write([{"id": "1", "text": TEXTS["1"]}])
    (document,) = store.get(["1"])
    assert [len(chunk.vector) for chunk in document.chunks or ()] == [1, 1, 1]


def test_chunks_and_vectors_that_are_given_are_taken(make_store: MakeStore, shards: dict[str, Any]) -> None:
    store = make_store(schema=SCHEMA)
    store.create(settings=shards)
    store.write(
        [
            {"id": "1", "text": "ab cd", "chunks": [{"start": 3, "end": 5, "vector": {"x": 1.0}}]},
            {"id": "2", "text": "ab cd", "vector": {"x": 0.5}},
            SparseDocument(id="3", chunks=[DocumentChunk(start=0, end=0, vector={"x": 0.25})]),
        ]
    )
    assert [hit.chunk and hit.chunk.text for hit in store.search({"x": 1.0})] == ["cd", "ab cd", None]


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"text": "ab", "chunks": [{"start": 0, "end": 3, "vector": {"x": 1.0}}]}, "ends at 3"),
        ({"text": "ab", "chunks": [{"start": 1, "end": 0, "vector": {"x": 1.0}}]}, "goes from 1 to 0"),
        ({"text": "ab", "chunks": [{"start": 0, "vector": {"x": 1.0}}]}, "is a DocumentChunk or a mapping"),
        ({"text": "ab", "chunks": [], "vector": {"x": 1.0}}, "both"),
        ({"chunks": [{"start": 0, "end": 1, "vector": {"x": 1.0}}] * 10_001}, "nested"),
    ],
)
def test_chunks_that_cannot_be_are_errors_of_their_document(
    own: NeuralSparseStore, document: dict[str, Any], reason: str
) -> None:
    with pytest.raises(BulkWriteError) as raised:
        own.write([{"id": "good", "text": "good"}, {"id": "bad", **document}])
    ((failure,), written) = raised.value.report.failed, raised.value.report.written
    assert (failure.id, written) == ("bad", 1)
    assert reason in failure.reason


def test_chunks_do_not_fit_an_index_of_one_vector(store: NeuralSparseStore) -> None:
    with pytest.raises(BulkWriteError, match="one vector a document"):
        store.write([{"id": "1", "text": "ab", "chunks": []}])


def test_chunks_longer_than_the_model_takes_are_refused_at_once(make_store: MakeStore) -> None:
    with pytest.raises(ValueError, match="510 tokens or fewer"):
        make_store(schema=IndexSchema(chunking=ChunkOptions(tokens=511))).create()


def test_an_index_without_chunks_is_not_taken_for_one(store: NeuralSparseStore, make_store: MakeStore) -> None:
    with pytest.raises(IndexSchemaError, match=r"chunks\.sparse_vector"):
        make_store(schema=SCHEMA).open()


def test_a_long_query_fits(filled: NeuralSparseStore) -> None:
    query = {f"t{number}": 1.0 for number in range(1100)} | {"mars": 5.0}
    hits = filled.search(query, filter=[{"term": {"lang": "en"}}])
    assert [hit.id for hit in hits] == ["1"]
    assert hits.tokens_left_out > 0


def test_dense_vectors_lie_beside_chunks(make_store: MakeStore, shards: dict[str, Any]) -> None:
    store = make_store(schema=replace(SCHEMA, embedding_dimension=2))
    store.create(settings=shards)
    store.write([{"id": "1", "text": TEXTS["1"], "embedding": [1.0, 0.0]}, {"id": "2", "embedding": [0.0, 1.0]}])
    legs = (SparseLeg(), DenseLeg(vector=[0.0, 1.0]))
    hits = store.hybrid_search("mars", options=HybridOptions(legs=legs), with_embedding=True)
    assert {hit.id: (hit.chunk and hit.chunk.number, list(hit.embedding or ())) for hit in hits} == {
        "1": (1, [1.0, 0.0]),
        "2": (None, [0.0, 1.0]),
    }


def test_a_new_text_is_cut_anew_and_no_chunk_of_the_old_one_stays(own: NeuralSparseStore) -> None:
    own.update_text({"1": "red sea", "2": ""})
    first, second = own.get(["1", "2"])
    assert [(chunk.start, chunk.end) for chunk in first.chunks or ()] == [(0, 7)]
    assert (second.chunks, second.metadata) == (None, {"lang": "fr"})
    assert own.search("mars") == []
    assert [hit.id for hit in own.search("sea")] == ["1"]
    own.update_metadata({"1": {"lang": "de"}}, replace=True)
    assert [hit.id for hit in own.search("sea", filter={"term": {"lang": "de"}})] == ["1"]


def point(client: Any, alias: str, index: str, away_from: str | None = None) -> None:
    actions = [{"add": {"index": index, "alias": alias}}]
    if away_from is not None:
        actions.append({"remove": {"index": away_from, "alias": alias}})
    client.indices.update_aliases(body={"actions": actions})


def test_an_alias_may_move_to_an_index_of_chunks_and_back(
    own: NeuralSparseStore, other_index: str, encoder: WordEncoder, client: Any
) -> None:
    plain, alias = (
        NeuralSparseStore(name, client=client, query_encoder=encoder, document_encoder=encoder)
        for name in (other_index, f"{other_index}-alias")
    )
    plain.create()
    plain.write(["mars"])
    moves = [other_index, own.index, other_index]
    for index, before in zip(moves, [None, *moves], strict=False):
        point(client, alias.index, index, away_from=before)
        assert {hit.index for hit in alias.search("mars")} == {index}
        assert {hit.index for hit in alias.hybrid_search("mars")} == {index}


def test_documents_are_read_by_the_layout_that_the_alias_leads_to(
    own: NeuralSparseStore, other_index: str, encoder: WordEncoder, client: Any
) -> None:
    NeuralSparseStore(other_index, client=client, document_encoder=encoder).create()
    name = f"{other_index}-alias"
    point(client, name, other_index)
    reader, scanner = (NeuralSparseStore(name, client=client, document_encoder=encoder) for _ in range(2))
    assert (reader.get(["1"]), list(scanner.scan())) == ([], [])
    point(client, name, own.index, away_from=other_index)
    assert reader.get(["1"]) == own.get(["1"])
    assert list(scanner.scan()) == list(own.scan())


async def test_an_awaited_store_follows_the_alias_too(
    own: NeuralSparseStore, other_index: str, encoder: WordEncoder, client: Any, server: RunningServer
) -> None:
    plain = NeuralSparseStore(other_index, client=client, document_encoder=encoder)
    plain.create()
    plain.write([{"id": "1", "text": "mars"}])
    name = f"{other_index}-alias"
    async with AsyncNeuralSparseStore(name, url=server.url, document_encoder=encoder, query_encoder=encoder) as alias:
        point(client, name, other_index)
        assert {hit.index for hit in await alias.search("mars")} == {other_index}
        point(client, name, own.index, away_from=other_index)
        assert {hit.index for hit in await alias.search("mars")} == {own.index}
        point(client, name, other_index, away_from=own.index)
        assert await alias.get(["1"]) == plain.get(["1"])
        point(client, name, own.index, away_from=other_index)
        assert [document async for document in alias.scan()] == list(own.scan())


@pytest.fixture
def mixed(filled: NeuralSparseStore, other_index: str, encoder: WordEncoder, client: Any) -> NeuralSparseStore:
    """A store over an index with chunks and one without, of one model."""
    plain = NeuralSparseStore(other_index, client=client, document_encoder=encoder)
    plain.create()
    plain.write([{"id": "5", "text": "mars"}, {"id": "6", "text": "nine", "metadata": {"lang": "en"}}])
    name = f"{filled.index},{other_index}"
    return NeuralSparseStore(name, client=client, document_encoder=encoder, query_encoder=encoder)


def test_one_name_over_indices_with_and_without_chunks_finds_what_lies_in_both(mixed: NeuralSparseStore) -> None:
    hits = mixed.search("mars", explain=True)
    assert hits.fusion == "client rrf of 2 layouts"
    assert {hit.id: hit.chunk is None for hit in hits} == {"1": False, "5": True, "2": False}
    assert "5" in {hit.id for hit in hits[:2]}
    assert hits[0].score == hits[1].score > hits[2].score
    assert all(hit.matches for hit in hits)
    assert {hit.id for hit in mixed.search({"mars": 1.0})} == {"1", "2", "5"}
    assert {hit.id for hit in mixed.search("mars nine", filter={"term": {"lang": "en"}})} == {"1", "3", "6"}
    assert {hit.id for hit in mixed.hybrid_search("nine")} == {"3", "6"}
    assert {hit.id for hit in mixed.match_search("nine")} == {"3", "6"}
    assert not any("sparse_vector" in hit.source or "chunks" in hit.source for hit in mixed.match_search("mars"))
    assert mixed.count() == 6


def test_documents_of_indices_with_and_without_chunks_are_read_each_by_its_layout(mixed: NeuralSparseStore) -> None:
    read = {document.id: document for document in mixed.scan()}
    assert [name for name, document in read.items() if document.chunks] == ["1", "2", "3"]
    assert [name for name, document in read.items() if document.vector] == ["5", "6"]


def test_what_one_layout_alone_can_do_is_refused_over_both(mixed: NeuralSparseStore) -> None:
    for operation in (
        lambda: mixed.write(["text"]),
        lambda: mixed.custom_search({"query": "$sparse"}, query="mars"),
    ):
        with pytest.raises(
            IndexSchemaError,
            match=r"not of one layout: rank_features with(out)? chunks in .*; rank_features with(out)? chunks in ",
        ):
            operation()


def test_query_is_encoded_and_embedded_once_for_both_layouts(
    make_store: MakeStore, other_index: str, encoder: WordEncoder, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    chunked = make_store(schema=replace(SCHEMA, embedding_dimension=2))
    plain = NeuralSparseStore(
        other_index, client=client, document_encoder=encoder, schema=IndexSchema(embedding_dimension=2)
    )
    for store, name in ((chunked, "1"), (plain, "5")):
        store.create()
        store.write([{"id": name, "text": "mars", "embedding": [1.0, 0.5]}])
    calls: list[str] = []

    def embed(text: str) -> list[float]:
        calls.append(f"embed {text}")
        return [1.0, 0.5]

    def encode(text: str) -> SparseVector:
        calls.append(f"encode {text}")
        return word_vector(text)

    monkeypatch.setattr(encoder, "encode_query", encode)
    both = NeuralSparseStore(
        f"{chunked.index},{other_index}", client=client, document_encoder=encoder, query_encoder=encoder
    )
    assert {hit.id for hit in both.search("mars")} == {"1", "5"}
    assert calls == ["encode mars"]
    options = HybridOptions(legs=(SparseLeg(), DenseLeg(embedder=embed)))
    assert {hit.id for hit in both.hybrid_search("mars", options=options)} == {"1", "5"}
    assert sorted(calls[1:]) == ["embed mars", "encode mars"]

"""BM25 by the language of the text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from opensearch_neural_sparse import (
    AsyncNeuralSparseStore,
    Bm25Leg,
    ChunkOptions,
    HybridOptions,
    IndexSchema,
    ModelFiles,
    NeuralSparseStore,
    ServerRequestError,
    SparseLeg,
    get_model,
)
from tests.conftest import RunningServer
from tests.encoders import WordEncoder
from tests.paths import ROOT, SMALL_MODEL
from tests.store.conftest import MakeStore

GERMAN = {"id": "de", "text": "Die Häuser am Fluss"}
ARABIC = {"id": "ar", "text": "قرأت الكتب في المكتبة"}
ENGLISH = [{"id": "rivers", "text": "Rivers carry water"}, {"id": "the", "text": "The one and the other"}]
TABLE = re.compile(r"^\| (\w+) \| `(\w+)` \|", re.MULTILINE)


@pytest.fixture(params=[1, 3], ids=["1-shard", "3-shards"])
def settings(request: pytest.FixtureRequest) -> dict[str, Any]:
    return {"number_of_shards": request.param}


def filled(make_store: MakeStore, schema: IndexSchema, settings: dict[str, Any]) -> NeuralSparseStore:
    store = make_store(schema=schema)
    store.create(settings=settings)
    store.write([GERMAN, ARABIC])
    return store


@pytest.mark.parametrize(
    ("analyzer", "query", "found"), [("german", "Haus", ["de"]), ("arabic", "كتاب كتب", ["ar"]), (None, "Haus", [])]
)
def test_words_are_found_by_the_grammar_of_their_language(
    make_store: MakeStore, settings: dict[str, Any], analyzer: str | None, query: str, found: list[str]
) -> None:
    store = filled(make_store, IndexSchema(text_analyzer=analyzer), settings)
    assert [hit.id for hit in store.match_search(query)] == found


def test_a_text_can_be_searched_by_several_languages(make_store: MakeStore, settings: dict[str, Any]) -> None:
    store = filled(make_store, IndexSchema(text_subfields={"de": "german", "ar": "arabic"}), settings)
    legs = (Bm25Leg(name="de", field="content.de"), Bm25Leg(name="ar", field="content.ar"), SparseLeg())
    for query, found in (("Haus", "de"), ("كتب", "ar")):
        (hit,) = store.hybrid_search(query, options=HybridOptions(legs=legs), explain=True)
        assert (hit.id, set(hit.legs or {})) == (found, {found})
    assert store.match_search("Haus") == []


def test_an_analyzer_of_ones_own_comes_with_the_settings(make_store: MakeStore, settings: dict[str, Any]) -> None:
    own = {"type": "custom", "tokenizer": "standard", "filter": ["lowercase", "asciifolding"]}
    settings |= {"analysis": {"analyzer": {"own": own}}}
    store = filled(make_store, IndexSchema(text_analyzer="own"), settings)
    assert [hit.id for hit in store.match_search("HAUSER")] == ["de"]


def test_an_analyzer_that_the_server_lacks_is_named(make_store: MakeStore) -> None:
    with pytest.raises(ServerRequestError, match="klingon"):
        make_store(schema=IndexSchema(text_analyzer="klingon")).create()


def test_analyzers_in_the_guide_are_there_for_every_language_of_the_model(client: Any) -> None:
    table = dict(TABLE.findall((ROOT / "docs" / "guide.md").read_text(encoding="utf-8")))
    assert set(table) == set(get_model("multilingual-v1").languages)
    for analyzer in table.values():
        assert client.indices.analyze(body={"analyzer": analyzer, "text": "word"})["tokens"]


@pytest.fixture
def make_english(make_store: MakeStore, files: ModelFiles) -> MakeStore:
    """Make stores whose model is an English one, as far as its facts tell."""

    def make(*, languages: Sequence[str] = ("en",), **arguments: Any) -> NeuralSparseStore:
        encoder = WordEncoder(replace(files, spec=replace(files.spec, languages=tuple(languages))))
        return make_store(**({"query_encoder": encoder, "document_encoder": encoder} | arguments))

    return make


def analyzer_of(client: Any, index: str) -> str | None:
    (found,) = client.indices.get_mapping(index=index).values()
    analyzer: str | None = found["mappings"]["properties"]["content"].get("analyzer")
    return analyzer


@pytest.mark.parametrize(
    ("languages", "given", "analyzer", "found"),
    [
        (("en",), None, "english", ["rivers"]),
        (("en",), "standard", "standard", []),
        (("de",), None, "german", []),
        (("de",), "english", "english", ["rivers"]),
        (("en", "de"), None, None, []),
        (("en", "de"), "english", "english", ["rivers"]),
        ((), None, None, []),
    ],
)
def test_an_index_analyses_text_by_the_models_language_unless_another_is_named(
    make_english: MakeStore,
    client: Any,
    index_name: str,
    languages: Sequence[str],
    given: str | None,
    analyzer: str | None,
    found: list[str],
) -> None:
    store = make_english(languages=languages, schema=IndexSchema(text_analyzer=given))
    store.create()
    store.write(ENGLISH)
    assert analyzer_of(client, index_name) == analyzer
    assert [hit.id for hit in store.match_search("river")] == found


async def test_an_awaited_store_analyses_text_by_the_models_language(
    make_english: MakeStore, server: RunningServer, client: Any, index_name: str
) -> None:
    async with AsyncNeuralSparseStore(index_name, url=server.url) as store:
        store.share_encoders(make_english())
        await store.create()
        await store.write(ENGLISH)
        assert [hit.id for hit in await store.match_search("carried river")] == ["rivers"]
    assert analyzer_of(client, index_name) == "english"


def test_an_index_of_a_template_analyses_text_by_the_models_language(
    make_english: MakeStore, client: Any, index_name: str
) -> None:
    make_english().create_template(index_name, [f"{index_name}*"])
    try:
        client.indices.create(index=index_name)
    finally:
        client.indices.delete_index_template(name=index_name)
    assert analyzer_of(client, index_name) == "english"


def test_an_index_of_chunks_analyses_text_by_the_models_language(
    make_english: MakeStore, client: Any, index_name: str
) -> None:
    make_english(schema=IndexSchema(chunking=ChunkOptions(tokens=16, overlap=0))).create()
    assert analyzer_of(client, index_name) == "english"


def test_the_default_analyzer_of_the_settings_is_left_to_work(
    make_english: MakeStore, client: Any, index_name: str, settings: dict[str, Any]
) -> None:
    store = make_english()
    store.create(settings=settings | {"analysis": {"analyzer": {"default": {"type": "german"}}}})
    store.write([GERMAN])
    assert analyzer_of(client, index_name) is None
    assert [hit.id for hit in store.match_search("Haus")] == ["de"]


def test_an_index_keeps_its_analyzer_whoever_opens_or_copies_it(
    make_english: MakeStore, make_store: MakeStore, client: Any, index_name: str, other_index: str
) -> None:
    make_store().create()  # by a model of unknown language
    store = make_english(schema=IndexSchema(text_analyzer="english"))
    store.create(exist_ok=True)
    store.write(ENGLISH)
    assert analyzer_of(client, index_name) is None
    assert store.match_search("river") == []
    store.reindex_with_model(other_index, model=SMALL_MODEL)
    assert analyzer_of(client, other_index) is None


@pytest.mark.parametrize("fusion", ["server", "client"])
def test_a_query_of_stop_words_alone_is_found_by_tokens_and_not_by_words(make_english: MakeStore, fusion: str) -> None:
    store = make_english()
    store.create(settings={"number_of_shards": 1})
    store.write(ENGLISH)
    assert store.match_search("the") == []
    (hit,) = store.hybrid_search("the", options=HybridOptions(fusion=fusion), explain=True)
    assert (hit.id, set(hit.legs or {})) == ("the", {"sparse"})


def test_a_long_query_is_cut_to_what_the_server_takes_whatever_cuts_it_into_words(make_english: MakeStore) -> None:
    store = make_english()
    store.create(settings={"number_of_shards": 1})
    store.write(ENGLISH)
    words = " ".join(f"the rivers{number}" for number in range(900))
    hits = store.match_search(f"river {words}")
    assert ([hit.id for hit in hits], hits.words_left_out) == (["rivers"], 801)
    assert next(hit.id for hit in store.hybrid_search(f"river {words}")) == "rivers"

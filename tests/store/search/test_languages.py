"""BM25 over texts of several languages in one index."""

from __future__ import annotations

from typing import Any

import pytest

from opensearch_neural_sparse import (
    AsyncNeuralSparseStore,
    Bm25Leg,
    HybridOptions,
    IndexSchema,
    IndexSchemaError,
    MatchSearch,
    NeuralSparseStore,
    ServerRequestError,
    SparseLeg,
)
from tests.conftest import RunningServer
from tests.paths import SMALL_MODEL
from tests.store.conftest import MakeStore

ROWS = [
    {"id": "de", "text": "Die Häuser am Fluss", "metadata": {"language": "de"}},
    {"id": "ar", "text": "قرأت الكتب في المكتبة", "metadata": {"language": "ar"}},
    {"id": "en", "text": "Rivers carry water", "metadata": {"language": "en"}},
    {"id": "zh", "text": "黑豹隊的防守", "metadata": {"language": "zh"}},
    {"id": "sw", "text": "Nyumba kando ya mto", "metadata": {"language": "sw"}},
]
LANGUAGES = ("ar", "de", "en", "ja", "ko", "zh")
FOUND = [("Haus", "de"), ("كتاب كتب", "ar"), ("river", "en"), ("黑豹", "zh"), ("mto", "sw")]


@pytest.fixture
def store(make_store: MakeStore) -> NeuralSparseStore:
    made = make_store(schema=IndexSchema(languages=LANGUAGES))
    made.create(settings={"number_of_shards": 1})
    made.write(ROWS)
    return made


def ids(hits: Any) -> list[str]:
    return [hit.id for hit in hits]


@pytest.mark.parametrize(("query", "found"), FOUND)
def test_a_search_by_words_takes_the_best_of_the_indexs_languages(
    store: NeuralSparseStore, query: str, found: str
) -> None:
    assert ids(store.match_search(query)) == [found]
    (hit,) = store.hybrid_search(query, options=HybridOptions(legs=[Bm25Leg(), SparseLeg()]), explain=True, size=1)
    assert hit.id == found
    assert "bm25" in (hit.legs or {})


def test_a_german_query_finds_other_forms_of_a_word_that_standard_misses(make_store: MakeStore) -> None:
    store = make_store()
    store.create()
    store.write(ROWS)
    assert ids(store.match_search("Haus")) == []


def test_a_query_of_one_language_is_searched_for_in_that_language_alone(store: NeuralSparseStore) -> None:
    assert ids(store.match_search("Haus", language="de")) == ["de"]
    assert ids(store.match_search("Haus", language="en")) == []
    assert ids(store.run(MatchSearch("Haus", language="de"))) == ["de"]
    legs = (Bm25Leg(language="de", name="german"), Bm25Leg(language="en", name="english"))
    (hit,) = store.hybrid_search("Haus", options=HybridOptions(legs=legs), explain=True)
    assert (hit.id, set(hit.legs or {})) == ("de", {"german"})


def test_a_filter_leaves_texts_in_other_languages_out(store: NeuralSparseStore) -> None:
    store.write([{"id": "also", "text": "Haus of Fashion", "metadata": {"language": "en"}}])
    german = {"term": {"language": "de"}}
    assert set(ids(store.match_search("Haus", language="de"))) == {"de", "also"}
    assert ids(store.match_search("Haus", language="de", filter=german)) == ["de"]


@pytest.mark.parametrize("given", [IndexSchema(), IndexSchema(languages=["fr"])], ids=["nothing", "others"])
def test_an_index_keeps_its_languages_whoever_opens_or_copies_it(
    store: NeuralSparseStore, make_store: MakeStore, other_index: str, given: IndexSchema
) -> None:
    again = make_store(schema=given)
    again.create(exist_ok=True)
    assert set(again.open().schema.languages) == set(LANGUAGES)
    assert ids(again.match_search("Haus")) == ["de"]
    again.reindex_with_model(other_index, model=SMALL_MODEL)
    with NeuralSparseStore(other_index, client=again.client(), model=SMALL_MODEL) as copy:
        assert copy.open().schema.language_analyzers == again.open().schema.language_analyzers
        assert ids(copy.match_search("Haus")) == ["de"]


def test_subfields_of_a_users_own_are_searched_where_they_are_named_alone(make_store: MakeStore) -> None:
    store = make_store(schema=IndexSchema(text_subfields={"de": "german"}, languages=["en"]))
    store.create()
    store.write(ROWS)
    assert dict(store.open().schema.languages) == {"en": "english"}  # type: ignore[call-overload]
    assert ids(store.match_search("river")) == ["en"]
    assert ids(store.match_search("Haus")) == []
    assert ids(store.match_search("Haus", language="de")) == ["de"]


async def test_an_awaited_store_searches_by_language(
    store: NeuralSparseStore, server: RunningServer, index_name: str
) -> None:
    async with AsyncNeuralSparseStore(index_name, url=server.url, model=SMALL_MODEL) as awaited:
        awaited.share_encoders(store)
        assert ids(await awaited.match_search("Haus")) == ["de"]
        assert ids(await awaited.match_search("Haus", language="en")) == []


@pytest.mark.parametrize("language", ["fr", "DE"])
def test_a_language_that_the_index_lacks_is_refused(store: NeuralSparseStore, language: str) -> None:
    message = f"'content.{language}'.*Its languages are .*'de'.*IndexSchema"
    with pytest.raises(IndexSchemaError, match=message):
        store.match_search("Haus", language=language)
    with pytest.raises(IndexSchemaError, match=message):
        store.hybrid_search("Haus", options=HybridOptions(legs=[Bm25Leg(language=language), SparseLeg()]))


def test_an_index_of_no_languages_says_so(make_store: MakeStore) -> None:
    store = make_store()
    store.create()
    with pytest.raises(IndexSchemaError, match="It has no text by language"):
        store.match_search("Haus", language="de")


def test_an_analyzer_of_a_plugin_that_the_server_lacks_is_refused_with_the_way_out(make_store: MakeStore) -> None:
    store = make_store(schema=IndexSchema(languages={"ja": "kuromoji"}))
    with pytest.raises(ServerRequestError, match=r"\[kuromoji\].*analysis-kuromoji.*'cjk'"):
        store.create()


@pytest.mark.parametrize("fusion", ["server", "client"])
def test_a_long_query_is_cut_to_what_the_server_takes_in_all_fields(store: NeuralSparseStore, fusion: str) -> None:
    words = "river " + " ".join(f"rivers{number}" for number in range(900))
    hits = store.match_search(words)
    assert ids(hits) == ["en"]
    assert hits.words_left_out == 901 - 1000 // (1 + len(set(store.schema.language_analyzers.values())))
    assert store.hybrid_search(words, options=HybridOptions(fusion=fusion))[0].id == "en"

"""BM25 by the language of the text."""

from __future__ import annotations

import re
from typing import Any

import pytest

from opensearch_neural_sparse import (
    Bm25Leg,
    HybridOptions,
    IndexSchema,
    NeuralSparseStore,
    ServerRequestError,
    SparseLeg,
    get_model,
)
from tests.paths import ROOT
from tests.store.conftest import MakeStore

GERMAN = {"id": "de", "text": "Die Häuser am Fluss"}
ARABIC = {"id": "ar", "text": "قرأت الكتب في المكتبة"}
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

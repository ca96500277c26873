"""What the page shows, as plain values, without a browser."""

from __future__ import annotations

import re
from typing import Any

import pytest

from examples.web.answers import answer, facets
from examples.web.searches import analyze, search
from opensearch_neural_sparse import AsyncNeuralSparseStore, SparseDocument, load_query_encoder
from tests.conftest import RunningServer
from tests.examples.web.conftest import METADATA
from tests.paths import SMALL_MODEL

pytestmark = pytest.mark.newest_server


@pytest.mark.parametrize("sign", ["", "\U0001f600 "])
async def test_words_are_marked_in_the_text_and_told_as_the_question_has_them(
    server: RunningServer, index_name: str, sign: str
) -> None:
    async with AsyncNeuralSparseStore(index_name, url=server.url, model=SMALL_MODEL) as store:
        await store.create(settings={"number_of_shards": 1})
        texts = ("Locate two places on the maps.", "A river.")
        await store.write([SparseDocument(text=text, metadata=METADATA) for text in texts])
        found = await _ask(store, f"{sign}the location's map")
    (hit,) = found["bm25"]["hits"]
    gave = {match["token"]: match["score"] for match in hit["matches"]}
    assert set(gave) == {"location's", "map"}
    first, second = (f"{gave[word]:.4f}" for word in ("location's", "map"))
    marked = f'<mark title="location&#x27;s: {first}">Locate</mark>', f'<mark title="map: {second}">maps</mark>'
    assert hit["html"] == f"{marked[0]} two places on the {marked[1]}."
    assert sum(match["score"] for match in hit["matches"]) == pytest.approx(hit["score"], rel=1e-6)


async def test_of_a_text_that_is_a_list_all_values_that_matched_are_shown(
    server: RunningServer, client: Any, index_name: str
) -> None:
    async with AsyncNeuralSparseStore(index_name, url=server.url, model=SMALL_MODEL) as store:
        await store.create(settings={"number_of_shards": 1})
        body = {"id": "1", "content": ["A map.", "Two maps."], "sparse_vector": {"map": 1.0}} | METADATA
        client.index(index=index_name, id="1", body=body, params={"refresh": "true"})
        found = await _ask(store, "map")
    assert re.sub("<[^>]*>", "", found["bm25"]["hits"][0]["html"]) == "A map.\nTwo maps."
    assert re.sub("<[^>]*>", "", found["sparse"]["hits"][0]["html"]) == "A map.\nTwo maps."


def test_facets_are_the_commonest_values_of_each_field_that_has_some() -> None:
    buckets = [{"key": "try", "doc_count": 7}, {"key": "with", "doc_count": 2}]
    counted = {"topic": {"buckets": buckets}, "kind": {"buckets": []}}
    assert facets(counted) == {"topic": [{"value": "try", "count": 7}, {"value": "with", "count": 2}]}
    assert facets({}) == {}


async def _ask(store: AsyncNeuralSparseStore, question: str) -> dict[str, Any]:
    found = await search(store, question, {})
    tokenizer = load_query_encoder(SMALL_MODEL).tokenizer
    return answer(found, await analyze(store, question, found["bm25"].hits), tokenizer)["ways"]

"""What the page shows, as plain values, without a browser."""

from __future__ import annotations

import pytest

from examples.web.answers import ask
from opensearch_neural_sparse import AsyncNeuralSparseStore, load_query_encoder
from tests.conftest import RunningServer
from tests.paths import SMALL_MODEL


@pytest.mark.parametrize("sign", ["", "\U0001f600 "])
async def test_words_are_marked_in_the_text_and_told_as_the_question_has_them(
    server: RunningServer, index_name: str, sign: str
) -> None:
    encoder = load_query_encoder(SMALL_MODEL)
    async with AsyncNeuralSparseStore(index_name, url=server.url, model=SMALL_MODEL) as store:
        await store.create(settings={"number_of_shards": 1})
        await store.write(["Locate two places on the maps.", "A river."])
        found = await ask(store, encoder.tokenizer, f"{sign}the location's map")
    (hit,) = found["bm25"]["hits"]
    gave = {match["token"]: match["score"] for match in hit["matches"]}
    assert set(gave) == {"location's", "map"}
    first, second = (f"{gave[word]:.4f}" for word in ("location's", "map"))
    marked = f'<mark title="location&#x27;s: {first}">Locate</mark>', f'<mark title="map: {second}">maps</mark>'
    assert hit["html"] == f"{marked[0]} two places on the {marked[1]}."
    assert sum(match["score"] for match in hit["matches"]) == pytest.approx(hit["score"], rel=1e-6)

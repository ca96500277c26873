"""One question, searched in three ways, and by a second model: the requests of the page."""

from collections.abc import Awaitable, Mapping
from time import perf_counter
from typing import Any, NamedTuple

from examples.web.explanations import Words, marked_words, words_of
from opensearch_neural_sparse import AsyncNeuralSparseStore, HybridOptions, SearchHits

DEPTH = 50
"""Hits of each way: the page leafs through them, and fuses them with other weights, without another request."""
FACETS = ("topic", "kind")
"""Metadata whose values are counted, and by which hits are filtered."""
VALUES = 8
"""Most values of a facet."""
BM25 = {
    "query": {"bool": {"must": [{"match": {"content": "$text"}}], "filter": ["$filters"]}},
    "size": DEPTH,
    "explain": True,
    "highlight": {
        "encoder": "html",
        "fields": {"content": {"number_of_fragments": 0, "pre_tags": ["<mark>"], "post_tags": ["</mark>"]}},
    },
}
"""The search of `match_search`; the server escapes the text, marks the words that matched, and explains the score."""
HYBRID = HybridOptions(
    pagination_depth=DEPTH,
    aggregations={field: {"terms": {"field": field, "size": VALUES}} for field in FACETS},
)


class Found(NamedTuple):
    """The hits of one way of searching.

    Attributes:
        hits: Best first.
        milliseconds: What the search took, from here.
    """

    hits: SearchHits
    milliseconds: float


async def search(
    store: AsyncNeuralSparseStore,
    question: str,
    chosen: Mapping[str, str],
    network: AsyncNeuralSparseStore | None = None,
) -> dict[str, Found]:
    """Search by BM25, by sparse vectors and by both; one after another, so that each time is that of one search.

    Args:
        store: The index.
        question: A text.
        chosen: Field -> the value that hits have there.
        network: The same index by the field of a second model, where it has one.
    """
    await store.open()
    clauses = [{"term": {field: value}} for field, value in chosen.items()]
    found = {
        "bm25": await _timed(store.custom_search(BM25, query=question, filter=clauses)),
        "sparse": await _timed(store.search(question, size=DEPTH, explain=True, filter=clauses)),
        "hybrid": await _timed(store.hybrid_search(question, size=DEPTH, explain=True, filter=clauses, options=HYBRID)),
    }
    if network is not None:
        await network.open()
        found["network"] = await _timed(network.search(question, size=DEPTH, explain=True, filter=clauses))
    return found


async def analyze(store: AsyncNeuralSparseStore, question: str, found: SearchHits) -> Words:
    """Return the stems of a question's words, and of the words that were marked in its hits."""
    text = "\n".join([question, *marked_words(found)])
    client = await store.client()
    analyzed: dict[str, Any] = await client.indices.analyze(
        index=store.index, body={"field": store.schema.text_field, "text": text}
    )
    return words_of(text, analyzed["tokens"])


async def _timed(search: Awaitable[SearchHits]) -> Found:
    began = perf_counter()
    return Found(await search, (perf_counter() - began) * 1000)

"""One question, asked in three ways: what the page shows, as plain values."""

import re
from collections.abc import Awaitable, Mapping
from dataclasses import asdict, dataclass
from html import escape, unescape
from time import perf_counter
from typing import Any

from opensearch_neural_sparse import AsyncNeuralSparseStore, SearchHit, SearchHits, SparseTokenizer

SIZE = 10
BM25 = {
    "query": {"match": {"content": "$text"}},
    "size": SIZE,
    "explain": True,
    "highlight": {
        "encoder": "html",
        "fields": {"content": {"number_of_fragments": 0, "pre_tags": ["<mark>"], "post_tags": ["</mark>"]}},
    },
}
"""The search of `match_search`; the server escapes the text, marks the words that matched, and explains the score."""
_WORD = re.compile(r"weight\(content:(.+) in \d+\)")
_MARK = re.compile("<mark>(.*?)</mark>")


async def ask(store: AsyncNeuralSparseStore, tokenizer: SparseTokenizer, question: str) -> dict[str, Any]:
    """Search by BM25, by sparse vectors and by both; one after another, so that each time is that of one search."""
    await store.open()
    bm25, bm25_ms = await _timed(store.custom_search(BM25, query=question))
    sparse, sparse_ms = await _timed(store.search(question, size=SIZE, explain=True))
    hybrid, hybrid_ms = await _timed(store.hybrid_search(question, size=SIZE, explain=True))
    words = await _words_of(store, question, bm25)
    return {
        "bm25": _answer(bm25, bm25_ms, _of_words(bm25, words)),
        "sparse": _answer(sparse, sparse_ms, _of_tokens(sparse, tokenizer)),
        "hybrid": _answer(hybrid, hybrid_ms, _of_tokens(hybrid, tokenizer)),
    }


@dataclass(frozen=True)
class Words:
    """Words by what the index makes of them, such as `locat` of `locations`.

    Attributes:
        stems: A word of the question, or one that was marked in a text -> its stem.
        asked: A stem -> the question's word.
    """

    stems: Mapping[str, str]
    asked: Mapping[str, str]


async def _words_of(store: AsyncNeuralSparseStore, question: str, found: SearchHits) -> Words:
    marked = {unescape(word): None for html in _highlights(found) for word in _MARK.findall(html)}
    text = "\n".join([question, *marked])
    client = await store.client()
    answer = await client.indices.analyze(index=store.index, body={"field": store.schema.text_field, "text": text})
    signs = text.encode("utf-16-le")  # the server counts as Java does
    stems: dict[str, str] = {}
    asked: dict[str, str] = {}
    for token in answer["tokens"]:
        word = signs[2 * token["start_offset"] : 2 * token["end_offset"]].decode("utf-16-le")
        stems[word] = token["token"]
        asked.setdefault(token["token"], word)
    return Words(stems, asked)


async def _timed(search: Awaitable[SearchHits]) -> tuple[SearchHits, float]:
    began = perf_counter()
    return await search, (perf_counter() - began) * 1000


def _answer(found: SearchHits, milliseconds: float, rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "ms": milliseconds,
        "server_ms": found.took_ms,
        "hits": [{"id": hit.id, "score": hit.score} | row for hit, row in zip(found, rows, strict=True)],
    }


def _highlights(found: SearchHits) -> list[str]:
    hits = found.response["hits"]["hits"] if found.response else []
    return ["\n".join(hit["highlight"]["content"]) for hit in hits]  # of a text that is a list, each value that matched


def _of_words(found: SearchHits, words: Words) -> list[dict[str, Any]]:
    explained = [hit["_explanation"] for hit in found.response["hits"]["hits"]] if found.response else []
    matches = [_heaviest_first(_explained_words(explanation, words)) for explanation in explained]
    return [
        {"html": _with_scores(html, some, words), "matches": some, "legs": {}}
        for html, some in zip(_highlights(found), matches, strict=True)
    ]


def _with_scores(html: str, matches: list[dict[str, Any]], words: Words) -> str:
    """Return a text whose marks tell in a title which word of the question they are, and what it gave."""
    gave = {match["token"]: match["score"] for match in matches}

    def titled(mark: re.Match[str]) -> str:
        word = words.asked.get(words.stems.get(unescape(mark[1]), ""), "")
        return f'<mark title="{escape(word)}: {gave[word]:.4f}">{mark[1]}</mark>' if word in gave else mark[0]

    return _MARK.sub(titled, html)


def _explained_words(explanation: Mapping[str, Any], words: Words) -> list[dict[str, Any]]:
    """Return what each word gave, as Lucene explains it: its rarity, times how much of it is in the text."""
    if not (stem := _WORD.match(explanation["description"])):
        return [match for detail in explanation["details"] for match in _explained_words(detail, words)]
    score = explanation["value"]
    parts = explanation["details"][0]["details"]
    frequency = next(part["value"] for part in parts if part["description"].startswith("tf"))
    weights = {"query_weight": score / frequency, "document_weight": frequency, "score": score}
    return [{"token": words.asked.get(stem[1], stem[1]), "learned": False, **weights}]


def _heaviest_first(matches: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(matches, key=lambda match: -match["score"])


def _of_tokens(found: SearchHits, tokenizer: SparseTokenizer) -> list[dict[str, Any]]:
    return [_explained(hit, tokenizer) for hit in found]


def _explained(hit: SearchHit, tokenizer: SparseTokenizer) -> dict[str, Any]:
    written = {token for token, _, _ in tokenizer.token_places(hit.text or "")}
    return {
        "html": hit.to_html(tokenizer),
        "matches": [asdict(match) | {"learned": match.token not in written} for match in hit.matches or ()],
        "legs": {name: asdict(leg) for name, leg in (hit.legs or {}).items()},
    }

"""Which words of a question BM25 found in a text, and what each gave: Lucene's explanation, read."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape, unescape
from typing import Any

from opensearch_neural_sparse import SearchHits

_WORD = re.compile(r"weight\(content:(.+) in \d+\)")
_MARK = re.compile("<mark>(.*?)</mark>")


@dataclass(frozen=True)
class Words:
    """Words by what the index makes of them, such as `locat` of `locations`.

    Attributes:
        stems: A word of the question, or one that was marked in a text -> its stem.
        asked: A stem -> the question's word.
    """

    stems: Mapping[str, str]
    asked: Mapping[str, str]


def marked_words(found: SearchHits) -> list[str]:
    """Return the words that the server marked in texts, each once."""
    return list({unescape(word): None for html in _highlights(found) for word in _MARK.findall(html)})


def words_of(text: str, tokens: list[Mapping[str, Any]]) -> Words:
    """Return the words of a text by their stems, of what `_analyze` makes of it."""
    signs = text.encode("utf-16-le")  # the server counts as Java does
    stems: dict[str, str] = {}
    asked: dict[str, str] = {}
    for token in tokens:
        word = signs[2 * token["start_offset"] : 2 * token["end_offset"]].decode("utf-16-le")
        stems[word] = token["token"]
        asked.setdefault(token["token"], word)
    return Words(stems, asked)


def explained_words(found: SearchHits, words: Words) -> list[dict[str, Any]]:
    """Return for each hit its text with marks, and what each word gave to the score."""
    explained = [hit["_explanation"] for hit in found.response["hits"]["hits"]] if found.response else []
    matches = [_heaviest_first(_word_scores(explanation, words)) for explanation in explained]
    return [
        {"html": _with_scores(html, some, words), "matches": some, "legs": {}}
        for html, some in zip(_highlights(found), matches, strict=True)
    ]


def _highlights(found: SearchHits) -> list[str]:
    hits = found.response["hits"]["hits"] if found.response else []
    return ["\n".join(hit["highlight"]["content"]) for hit in hits]  # of a text that is a list, each value that matched


def _with_scores(html: str, matches: list[dict[str, Any]], words: Words) -> str:
    """Return a text whose marks tell in a title which word of the question they are, and what it gave."""
    gave = {match["token"]: match["score"] for match in matches}

    def titled(mark: re.Match[str]) -> str:
        word = words.asked.get(words.stems.get(unescape(mark[1]), ""), "")
        return f'<mark title="{escape(word)}: {gave[word]:.4f}">{mark[1]}</mark>' if word in gave else mark[0]

    return _MARK.sub(titled, html)


def _word_scores(explanation: Mapping[str, Any], words: Words) -> list[dict[str, Any]]:
    """Return what each word gave, as Lucene explains it: its rarity, times how much of it is in the text."""
    if not (stem := _WORD.match(explanation["description"])):
        return [match for detail in explanation["details"] for match in _word_scores(detail, words)]
    score = explanation["value"]
    parts = explanation["details"][0]["details"]
    frequency = next(part["value"] for part in parts if part["description"].startswith("tf"))
    weights = {"query_weight": score / frequency, "document_weight": frequency, "score": score}
    return [{"token": words.asked.get(stem[1], stem[1]), "learned": False, **weights}]


def _heaviest_first(matches: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(matches, key=lambda match: -match["score"])

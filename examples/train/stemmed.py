"""A teacher that takes all forms of an English word for one: BM25 over stems.

A student of it writes further forms of a document's words into the document.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from opensearch_neural_sparse.evaluate.experiments.lexical_baseline import K1, B

if TYPE_CHECKING:
    from numpy.typing import NDArray

WORD = re.compile(r"[^\W_]+(?:['\u2019.][^\W_]+)*")
POSSESSIVE = re.compile(r"['\u2019]s$")
STOPWORDS = {
    *("a", "an", "and", "are", "as", "at", "be", "but", "by", "for", "if", "in", "into", "is", "it", "no", "not"),
    *("of", "on", "or", "such", "that", "the", "their", "then", "there", "these", "they", "this", "to", "was", "will"),
    "with",
}
"""Those of Lucene's English analyzer."""


class StemmedTeacher:
    """BM25 over stems, as OpenSearch's `english` analyzer makes them; idf is counted in the scored documents."""

    def __init__(self) -> None:
        self._stems: dict[str, str] = {}

    def score(self, queries: Sequence[str], documents: Sequence[str]) -> NDArray[np.float32]:
        """Return a row for each query and a column for each document."""
        postings = _weigh([Counter(self.stems(text)) for text in documents])
        scores = np.zeros((len(queries), len(documents)), dtype=np.float32)
        for row, query in zip(scores, queries, strict=True):
            for stem in self.stems(query):
                if stem in postings:
                    places, weights = postings[stem]
                    row[places] += weights
        return scores

    def stems(self, text: str) -> list[str]:
        """Return the stems of the words of a text that are no stopwords."""
        words = (POSSESSIVE.sub("", word) for word in WORD.findall(text.lower()))
        return [self._stem(word) for word in words if word not in STOPWORDS]

    def _stem(self, word: str) -> str:
        if word not in self._stems:
            self._stems[word] = self._stemmer.stemWord(word)
        return self._stems[word]

    @cached_property
    def _stemmer(self) -> Any:
        try:
            import snowballstemmer
        except ImportError:
            raise SystemExit("The stemmed teacher needs a stemmer: pip install snowballstemmer") from None
        return snowballstemmer.stemmer("porter")


def _weigh(counted: Sequence[Counter[str]]) -> dict[str, tuple[list[int], NDArray[np.float32]]]:
    """Return stem -> its documents, and what it adds to their scores."""
    lengths = np.array([counts.total() for counts in counted], dtype=np.float32)
    slowness = K1 * (1 - B + B * lengths / max(float(lengths.mean()), 1.0))
    found: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    for place, counts in enumerate(counted):
        for stem, count in counts.items():
            found[stem].append((place, count))
    postings = {}
    for stem, entries in found.items():
        places, counts = zip(*entries, strict=True)
        tf = np.array(counts, dtype=np.float32)
        idf = math.log1p((len(counted) - len(places) + 0.5) / (len(places) + 0.5))
        postings[stem] = (list(places), idf * tf * (K1 + 1) / (tf + slowness[list(places)]))
    return postings

"""Synthetic sparse vectors that can be made by the million: topics over a vocabulary as uneven as a language's.

Counts and weights are about those that the bundled model gives abstracts: 120 tokens a document, weights that fall from
1.2 to nearly nothing, a most frequent token in two documents of five. Queries have 6 to 12 tokens, weighted by how rare
they are. A document takes two thirds of its tokens from one of 2,000 topics, so that it has neighbours, as in text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np

TOKENS, DRAWN, QUERY_TOKENS = 120, 200, (6, 12)
TOPICS, TOPIC_TOKENS, TOPIC_SHARE = 2000, 300, 0.67
CHUNK = 1000
LIGHTEST, HEAVIEST = 1, 300  # hundredths

Entries = tuple[Sequence[int], Sequence[int]]
"""Ranks of tokens, the most frequent first, and their weights in hundredths."""


class SyntheticVectors:
    """Vectors over a vocabulary of `size` tokens, the same for the same numbers.

    Args:
        size: Number of tokens.
        seed: What else tells one set of topics from another.
    """

    def __init__(self, size: int, seed: int = 0) -> None:
        chance = np.random.default_rng([seed, 0])
        shares = 1 / (np.arange(size) + 30.0)
        self.seed = seed
        self.shares = shares / shares.sum()
        self._all = np.cumsum(self.shares)
        arrivals = chance.standard_exponential((TOPICS, size), dtype=np.float32) / self.shares.astype(np.float32)
        self._topics = np.argpartition(arrivals, TOPIC_TOKENS, axis=1)[:, :TOPIC_TOKENS].copy()
        chance.permuted(self._topics, axis=1, out=self._topics)
        self._within = np.cumsum(1 / (np.arange(TOPIC_TOKENS) + 15.0))
        self._within /= self._within[-1]

    def documents(self, count: int, *, stream: int = 1) -> Iterator[Entries]:
        """Yield `count` documents; another stream has other documents of the same topics."""
        for chunk in range(0, count, CHUNK):
            yield from islice(self._chunk(stream, chunk // CHUNK), count - chunk)

    def queries(self, count: int) -> Iterator[dict[int, float]]:
        """Yield rank -> weight of queries: tokens of documents that are in no index, the heavy ones rather."""
        chance = np.random.default_rng([self.seed, 1])
        idf = np.clip(-np.log(1 - (1 - self.shares) ** TOKENS), 0.5, 9.0)
        for ranks, hundredths in self.documents(count, stream=2):
            weights = np.array(hundredths) ** 2.0
            asked = min(int(chance.integers(*QUERY_TOKENS, endpoint=True)), len(ranks))
            chosen = chance.choice(np.array(ranks), size=asked, replace=False, p=weights / weights.sum())
            yield {int(rank): round(float(idf[rank]), 3) for rank in chosen}

    def _chunk(self, stream: int, number: int) -> Iterator[Entries]:
        chance = np.random.default_rng([self.seed, 2, stream, number])
        topic = self._topics[chance.integers(TOPICS, size=CHUNK)]
        own = np.searchsorted(self._within, chance.random((CHUNK, DRAWN)))
        ranks = np.take_along_axis(topic, own, axis=1)
        general = np.searchsorted(self._all, chance.random((CHUNK, DRAWN)))
        ranks = np.where(chance.random((CHUNK, DRAWN)) < TOPIC_SHARE, ranks, general)
        lengths = np.clip(chance.normal(TOKENS, TOKENS / 5, size=CHUNK), 20, DRAWN).astype(int)
        profile = np.clip(115 * (1 - np.arange(DRAWN) / 130.0), 8, None)
        weights = profile * chance.lognormal(0.0, 0.3, size=(CHUNK, DRAWN))
        hundredths = np.clip(weights, LIGHTEST, HEAVIEST).astype(int).tolist()
        for row, row_weights, length in zip(ranks.tolist(), hundredths, lengths.tolist(), strict=True):
            tokens = list(dict.fromkeys(row))[:length]
            yield tokens, row_weights[: len(tokens)]

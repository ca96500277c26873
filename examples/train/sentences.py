"""Pairs out of texts: a sentence of a text is a query that the rest of the text answers.

    python -m examples.train.sentences PAIRS... OUTPUT [--sentences 2]

Each text of the pairs loses one sentence. What is left is the answer of that sentence, of the text's own queries, and
of further sentences that are still in it: some queries of a text share words with it, some only what it is about.
"""

from __future__ import annotations

import argparse
import json
import random
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from examples.train.pairs import Pair, read_pairs

SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z0-9])")
WORDS = range(6, 41)
"""Words of a sentence that is long enough to tell something, and short enough to be a query."""
LEAST_SENTENCES = 4
"""Texts of fewer stay as they are."""


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser("python -m examples.train.sentences", description=__doc__)
    parser.add_argument("pairs", nargs="+", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--sentences", type=int, default=2, help="queries of a text that are sentences")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    made = with_sentences(read_pairs(options.pairs, seed=options.seed), options.sentences, seed=options.seed)
    options.output.write_text("".join(json.dumps(pair._asdict()) + "\n" for pair in made), encoding="utf-8")


def with_sentences(pairs: Sequence[Pair], count: int, *, seed: int) -> Iterator[Pair]:
    """Yield the pairs, their long texts less a sentence, and `count` sentences of each long text as further queries."""
    chance = random.Random(seed)
    asked: defaultdict[str, list[str]] = defaultdict(list)
    for pair in pairs:
        asked[pair.positive].append(pair.query)
    for text, queries in asked.items():
        sentences = SENTENCE_END.split(text)
        telling = [sentence for sentence in sentences if len(sentence.split()) in WORDS]
        drawn = chance.sample(telling, min(count, len(telling))) if len(sentences) >= LEAST_SENTENCES else []
        rest = " ".join(sentence for sentence in sentences if sentence not in drawn[:1])
        yield from (Pair(query, rest) for query in (*queries, *drawn))


if __name__ == "__main__":
    main()

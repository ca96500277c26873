"""Questions, each with a text that answers it."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple


class Pair(NamedTuple):
    query: str
    positive: str


def read_pairs(paths: Sequence[Path], *, seed: int) -> list[Pair]:
    """Read JSON lines with `query` and `positive`, gzipped or not; every pair once, shuffled."""
    pairs = list(dict.fromkeys(pair for path in paths for pair in _lines(path)))
    if not pairs:
        raise SystemExit(f"{', '.join(map(str, paths))}: no pair of a 'query' and a 'positive'.")
    random.Random(seed).shuffle(pairs)
    return pairs


def _lines(path: Path) -> Iterator[Pair]:
    open_text = gzip.open if path.suffix == ".gz" else open
    with open_text(path, "rt", encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            row = json.loads(line)
            try:
                pair = Pair(row["query"].strip(), row["positive"].strip())
            except (KeyError, TypeError, AttributeError):
                raise SystemExit(f"{path}, line {number}: wants 'query' and 'positive', both texts.") from None
            if all(pair):
                yield pair

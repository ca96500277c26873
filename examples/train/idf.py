"""How much each token of a query weighs: its rarity in a corpus."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from opensearch_neural_sparse.encode.tokenizer import SparseTokenizer


def count_idf(tokenizer: SparseTokenizer, documents: Sequence[str]) -> list[float]:
    """Return ln(1 + (N - n + .5) / (n + .5)) of each token id, where n of N documents have it; 0 of special tokens."""
    found = Counter(index for ids in tokenizer.batch_query_ids(documents) for index in set(ids))
    total = len(documents)
    return [
        0.0 if index in tokenizer.special_ids else math.log1p((total - found[index] + 0.5) / (found[index] + 0.5))
        for index in range(len(tokenizer.tokens))
    ]


def write_idf(path: Path, tokenizer: SparseTokenizer, weights: Sequence[float]) -> None:
    """Write `idf.json`: token -> weight."""
    table = {token: weights[index] for token, index in tokenizer.vocabulary.items()}
    path.write_text(json.dumps(table, ensure_ascii=False), encoding="utf-8")

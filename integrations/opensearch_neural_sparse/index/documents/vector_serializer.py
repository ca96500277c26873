"""Batch serialisation of vectors as JSON with shortest weights, from cached text.

A table has the text of each weight that `rank_features` distinguishes, so no number is formatted, and tokens are copied
as they are. That takes half the time of a serializer, which needs a dict of new numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from opensearch_neural_sparse.encode.sparse_vector import SparseVector
from opensearch_neural_sparse.index.documents.feature_weights import shortest_texts

_SPACE = 0x20
"""First character after the control characters."""


def join_vectors(vectors: Sequence[SparseVector]) -> list[bytes | None]:
    """Serialise each vector as JSON; None if a token needs JSON escapes or is no valid Unicode.

    Args:
        vectors: Vectors that are not empty.
    """
    try:
        texts = [text.encode() for text in _join(vectors)]
    except UnicodeEncodeError:
        return [None] * len(vectors)
    if _is_plain(b"".join(texts), tokens=sum(map(len, vectors))):
        return [*texts]
    return [text if _is_plain(text, tokens=len(vector)) else None for text, vector in zip(texts, vectors, strict=True)]


def _join(vectors: Sequence[SparseVector]) -> Iterator[str]:
    weights = shortest_texts(b"".join(vector.weights for vector in vectors))
    start = 0
    for vector in vectors:
        end = start + len(vector)
        parts = [""] * (2 * len(vector))
        parts[::2], parts[1::2] = vector.tokens, weights[start:end]
        parts[0], parts[-1] = '{"' + parts[0], parts[-1][:-2] + "}"
        yield "".join(parts)
        start = end


def _is_plain(text: bytes, *, tokens: int) -> bool:
    """Return whether JSON with this number of tokens has no escaped character."""
    import numpy as np

    codes = np.frombuffer(text, np.uint8)
    escaped = b"\\" in text or np.count_nonzero(codes < _SPACE)
    return not escaped and np.count_nonzero(codes == ord('"')) == 2 * tokens

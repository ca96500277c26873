"""Search hits as short lines of text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opensearch_neural_sparse.search.results.hits import SearchHit, SearchHits

MOST_HITS = 50
"""Hits that are shown; a line says how many are not."""
_LONGEST_TEXT = 80


def hit_line(hit: SearchHit) -> str:
    """Return id, score and shortened text of a hit in one line."""
    text = "" if hit.text is None else f", text={_shortened(hit.text)}"
    return f"{type(hit).__name__}(id={hit.id!r}, score={shown_score(hit.score)}{text})"


def hit_lines(hits: SearchHits) -> str:
    """Return a summary of hits, and a line for each: rank, score, id and shortened text."""
    rows = [
        f"{rank:>3}  {shown_score(hit.score)}  {hit.id!r}" + ("" if hit.text is None else f"  {_shortened(hit.text)}")
        for rank, hit in enumerate(hits[:MOST_HITS], start=1)
    ]
    return "\n".join([f"<{type(hits).__name__}: {summary(hits)}>", *rows, *more_hits(hits)])


def shown_score(score: float) -> str:
    """Return a score with four decimals; a fraction, too, has some."""
    return f"{float(score):.4f}"


def summary(hits: SearchHits) -> str:
    """Return how many hits there are of how many documents, the time, and who fused legs."""
    total = f"{hits.total:,}" if hits.total_is_exact else f"{hits.total:,} or more"
    fused = [] if hits.fusion is None else [f"fused by {hits.fusion}"]
    failed = ["some shards failed"] if hits.partial else []
    return ", ".join([f"{len(hits):,} of {total} documents", f"{hits.took_ms} ms", *fused, *failed])


def more_hits(hits: Sequence[SearchHit]) -> list[str]:
    """Return a line that says how many hits are not shown; none where all are."""
    return [f"... and {len(hits) - MOST_HITS:,} more"] if len(hits) > MOST_HITS else []


def _shortened(text: str) -> str:
    """Return the beginning of a text in quotes, with line breaks and other characters of control escaped."""
    line = " ".join(text[: 4 * _LONGEST_TEXT].split())
    is_whole = len(line) <= _LONGEST_TEXT and len(text) <= 4 * _LONGEST_TEXT
    return repr(line if is_whole else f"{line[:_LONGEST_TEXT].rstrip()}...")

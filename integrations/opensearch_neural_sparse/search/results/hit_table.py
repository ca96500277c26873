"""Search hits as a table of HTML, for notebooks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from html import escape
from math import isfinite
from typing import TYPE_CHECKING

from opensearch_neural_sparse.search.results.highlight import first_match, highlight
from opensearch_neural_sparse.search.results.hit_lines import MOST_HITS, more_hits, summary

if TYPE_CHECKING:
    from opensearch_neural_sparse.search.results.hits import SearchHit, SearchHits

LONGEST_TEXT = 300
"""Characters of a text that are shown."""
_SEARCHED_TEXT = 5_000
"""Characters of a longer text in which the first matching token is looked for."""
_BEFORE_MATCH = 60
_NOTHING = "\N{EN DASH}"
_MARK = "background-color:#ffe58f;color:#000"
"""Dark on light in every theme; all other colours are the page's own."""
_NO_FORMULAS = "tex2jax_ignore mathjax_ignore"
"""Classes that keep notebooks from setting texts between dollars as formulas."""
_LEFT, _RIGHT = "text-align:left;vertical-align:top", "text-align:right;vertical-align:top"
_TEXT = f"{_LEFT};overflow-wrap:anywhere"


@dataclass(frozen=True, kw_only=True)
class _Column:
    heading: str
    cell: Callable[[SearchHit], str]
    """HTML of a hit's cell."""
    style: str = _RIGHT
    names_row: bool = False

    @property
    def head(self) -> str:
        return f'<th scope="col" style="{self.style}">{_escaped(self.heading)}</th>'

    def show(self, hit: SearchHit) -> str:
        tag, scope = ("th", ' scope="row"') if self.names_row else ("td", "")
        return f'<{tag}{scope} dir="auto" style="{self.style}">{self.cell(hit)}</{tag}>'


def hits_table(hits: SearchHits) -> str:
    """Return hits as a table: rank, id, scores, legs, and shortened texts with matching tokens marked."""
    return _table(hits[:MOST_HITS], [summary(hits), *more_hits(hits)], ranked=True)


def hit_table(hit: SearchHit) -> str:
    """Return a hit as a table of one row."""
    return _table([hit], ["1 document"], ranked=False)


def _table(hits: Sequence[SearchHit], caption: Sequence[str], *, ranked: bool) -> str:
    columns = [_Column(heading="Id", cell=lambda hit: _escaped(hit.id), style=_TEXT, names_row=True)]
    columns += [*_scores(hits), *_legs(hits), _Column(heading="Text", cell=_text, style=_TEXT)]
    rows = ["".join(column.show(hit) for column in columns) for hit in hits]
    heads = "".join(column.head for column in columns)
    if ranked:
        heads = f'<th scope="col" style="{_RIGHT}">Rank</th>{heads}'
        rows = [f'<td style="{_RIGHT}">{rank}</td>{row}' for rank, row in enumerate(rows, start=1)]
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    title = f'<caption style="text-align:left">{_escaped(" ".join(caption))}</caption>'
    return (
        f'<div class="{_NO_FORMULAS}" style="overflow-x:auto"><table>{title}'
        f"<thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _scores(hits: Sequence[SearchHit]) -> list[_Column]:
    score = _Column(heading="Score", cell=lambda hit: _number(hit.score))
    if all(hit.search_score is None for hit in hits):
        return [score]
    return [score, _Column(heading="Search score", cell=lambda hit: _number(hit.search_score))]


def _legs(hits: Sequence[SearchHit]) -> list[_Column]:
    names = dict.fromkeys(name for hit in hits for name in hit.legs or ())
    return [_Column(heading=name, cell=partial(_leg, name=name)) for name in names]


def _leg(hit: SearchHit, name: str) -> str:
    if (leg := (hit.legs or {}).get(name)) is None:
        return _NOTHING
    return f"{'no rank' if leg.rank is None else f'rank {leg.rank}'}, {_number(leg.score)}"


def _text(hit: SearchHit) -> str:
    if hit.text is None:
        return _NOTHING
    scores = {match.token: match.score for match in hit.matches or ()}
    start, end = (hit.chunk.start, hit.chunk.end) if hit.chunk is not None else (0, len(hit.text))
    passage = hit.text[start:end]
    first, last = _excerpt(passage, first_match(passage[:_SEARCHED_TEXT], scores))
    before = "... " if start + first > 0 else ""
    after = " ..." if start + last < len(hit.text) else ""
    return f"{before}{highlight(_printable(passage[first:last]), scores, style=_MARK)}{after}"


def _excerpt(text: str, match: int | None) -> tuple[int, int]:
    """Return start and end of the part of a text that is shown, which has the first match, and ends between words."""
    start = 0
    if len(text) > LONGEST_TEXT and match is not None and match > LONGEST_TEXT - _BEFORE_MATCH:
        earliest = match - _BEFORE_MATCH
        start = max(earliest, text.find(" ", earliest, match) + 1)
    end = start + LONGEST_TEXT
    if end >= len(text):
        return start, len(text)
    space = text.rfind(" ", end - _BEFORE_MATCH, end)
    return start, end if space < 0 else space


def _number(score: float | None) -> str:
    return f"{score:.4f}" if score is not None and isfinite(score) else _NOTHING


def _escaped(text: str) -> str:
    return escape(_printable(text))


def _printable(text: str) -> str:
    """Return a text without lone surrogates, which no page can be sent with."""
    return text.encode("utf-8", "replace").decode("utf-8")

"""Draw `images/rooms.svg`, `images/a_search.svg` and `images/a_write.svg`, the pictures of ARCHITECTURE.md.

The rooms are those of the import rules in pyproject.toml. Run it by `python -m docs.draw_architecture`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
CORE = "opensearch_neural_sparse"
FILL, EDGE, INK = "#e8eef7", "#4c72b0", "#222222"
HALF, LETTER, LINE = 6, 7.0, 28
WIDTH_OF_ROOMS, LANE, WIDTH_OF_LANES = 336, 150, 760

Message = tuple[str, str, str]
SEARCH = (
    ("retriever", "store facade", "driver", "operations/search", "search/requests"),
    (
        ("retriever", "store facade", "run(SparseSearch(...))"),
        ("store facade", "driver", "run(run_search(context, search))"),
        ("driver", "operations/search", "next step"),
        ("operations/search", "driver", "Compute(build): encode the query, search/query, MultiSearch"),
        ("operations/search", "driver", "Request(MultiSearch.send)"),
        ("driver", "driver", "client.search / client.msearch"),
        ("driver", "operations/search", "response"),
        ("operations/search", "search/requests", "MultiSearch.read: SearchHits"),
        ("operations/search", "driver", "Compute(rerank_hits), where the search has a reranking"),
        ("operations/search", "retriever", "hits, or once more where the index has changed"),
    ),
)
WRITE = (
    ("embedder or texts", "store facade", "operations/documents", "store/bulk"),
    (
        ("embedder or texts", "store facade", "write(SparseDocument, ...)"),
        ("store facade", "operations/documents", "write_documents: open_to_write, prepare_actions"),
        ("operations/documents", "store/bulk", "BulkWrite(actions): split_batches, BulkScheduler"),
        ("store/bulk", "store/bulk", "IndexGuard: is it the same index?"),
        ("store/bulk", "store/bulk", "send_with_retries: client.bulk, read_items"),
        ("store/bulk", "store facade", "BulkReport"),
    ),
)


def rooms() -> list[list[str]]:
    """Return the layers of the import rules, top to bottom, below the two layers for frameworks."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    (core,) = (rule for rule in settings["contracts"] if rule.get("containers") == [CORE])
    return [["Haystack layer", "LangChain layer"], *(re.split(r" [:|] ", layer) for layer in core["layers"])]


def draw_rooms(layers: Sequence[Sequence[str]]) -> str:
    """Return the picture of layers: a band for each, its rooms side by side."""
    parts, top = [], 0
    for number, layer in enumerate(layers):
        lines = list(_lines(layer))
        height = LINE * len(lines) + HALF
        shade = "white" if number % 2 else "#f6f6f6"
        parts.append(f'<rect x="0" y="{top}" width="{WIDTH_OF_ROOMS}" height="{height}" fill="{shade}"/>')
        for line, names in enumerate(lines):
            left = (WIDTH_OF_ROOMS - sum(map(_width, names)) - HALF * (len(names) - 1)) / 2
            for name in names:
                parts += _box(left + _width(name) / 2, top + HALF + line * LINE, name)
                left += _width(name) + HALF
        top += height
    return _picture(WIDTH_OF_ROOMS, top, parts)


def draw_messages(lanes: Sequence[str], messages: Sequence[Message]) -> str:
    """Return the picture of a sequence: a lane for each part, an arrow for each message, top to bottom."""
    places = {name: LANE * (number + 0.5) for number, name in enumerate(lanes)}
    height = 52 + 34 * len(messages)
    parts = [f'<path d="M{x:g} 30V{height}" stroke="#bbbbbb"/>' for x in places.values()]
    for name, x in places.items():
        parts += _box(x, HALF, name)
    for number, (sender, receiver, text) in enumerate(messages):
        parts += _arrow(places[sender], places[receiver], 70 + 34 * number, text)
    return _picture(WIDTH_OF_LANES, height, parts)


def _lines(names: Sequence[str]) -> Iterator[list[str]]:
    line: list[str] = []
    for name in names:
        if line and sum(map(_width, [*line, name])) + HALF * len(line) > WIDTH_OF_ROOMS - 2 * HALF:
            yield line
            line = []
        line = [*line, name]
    yield line


def _width(name: str) -> float:
    return LETTER * len(name) + 2 * HALF


def _box(middle: float, top: float, name: str) -> list[str]:
    width, colours = _width(name), f'fill="{FILL}" stroke="{EDGE}"'
    return [
        f'<rect x="{middle - width / 2:g}" y="{top:g}" width="{width:g}" height="22" rx="3" {colours}/>',
        f'<text x="{middle:g}" y="{top + 15:g}" text-anchor="middle">{escape(name)}</text>',
    ]


def _arrow(start: float, end: float, y: int, text: str) -> list[str]:
    point = HALF if start < end else -HALF
    way = f"M{start:g} {y - 8}h14v8h-8" if start == end else f"M{start:g} {y}H{end - point:g}"
    tip = f"M{end - point:g} {y - 4}L{end:g} {y}L{end - point:g} {y + 4}Z"
    left, above = (start + 20, 4) if start == end else (min(start, end) + 8, -5)
    halo = 'stroke="white" stroke-width="4" paint-order="stroke"'
    return [
        f'<path d="{way}" fill="none" stroke="{EDGE}"/>',
        f'<path d="{tip}" fill="{EDGE}"/>',
        f'<text x="{left:g}" y="{y + above}" {halo}>{escape(text)}</text>',
    ]


def _picture(width: int, height: int, parts: Sequence[str]) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" viewBox="0 0 {width} {height}"'
    style = f'font-family="sans-serif" font-size="12" fill="{INK}"'
    return "\n".join([f"{head} {style}>", '<rect width="100%" height="100%" fill="white"/>', *parts, "</svg>", ""])


def pictures() -> dict[Path, str]:
    """Return the pictures by their files."""
    return {
        IMAGES / "rooms.svg": draw_rooms(rooms()),
        IMAGES / "a_search.svg": draw_messages(*SEARCH),
        IMAGES / "a_write.svg": draw_messages(*WRITE),
    }


if __name__ == "__main__":
    for path, picture in pictures().items():
        path.write_text(picture, encoding="utf-8")

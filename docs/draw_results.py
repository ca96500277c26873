"""Draw `images/results.svg`: what one question finds in the demo's language reference, by each way of searching.

    python -m docs.draw_results

It indexes what `make demo` indexes, on the OpenSearch of OPENSEARCH_URL or one that it starts and stops, writes what it
found to `images/results.json`, and draws that.
"""

from __future__ import annotations

import json
import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from docs.draw_vectors import ADDED, MODEL, OWN
from examples.demo.indexing import cache_file, index
from examples.demo.progress import running_server
from examples.demo.reference import language_reference
from opensearch_neural_sparse import (
    CachedDocumentEncoder,
    NeuralSparseStore,
    SearchHit,
    load_document_encoder,
    load_query_encoder,
)

IMAGES = Path(__file__).resolve().parent / "images"
RESULTS, PICTURE = IMAGES / "results.json", IMAGES / "results.svg"
QUESTION, SHOWN = "how do I handle an error", 3
HEADINGS = {"BM25": "BM25: the words", "sparse": "Sparse: the model's tokens", "hybrid": "Hybrid: both, fused by ranks"}
COLUMN, MARGIN, TOP, CARD, BAR, LABEL = 296, 16, 112, 132, 14, 72
INK, QUIET, MARK = "#1f2328", "#59636e", "#b3541e"


def found(url: str, name: str) -> dict[str, Any]:
    """Index the passages under a name, search them in each way, and delete the index."""
    documents = language_reference()
    with (
        CachedDocumentEncoder(load_document_encoder(MODEL, engine="onnx"), cache_file()) as encoder,
        NeuralSparseStore(name, url=url, model=MODEL, document_encoder=encoder) as store,
    ):
        try:
            index(store, encoder, documents)
            hits = {
                "BM25": store.match_search(QUESTION, size=SHOWN),
                "sparse": store.search(QUESTION, size=SHOWN, explain=True),
                "hybrid": store.hybrid_search(QUESTION, size=SHOWN, explain=True),
            }
        finally:
            store.delete_index()
    return {
        "question": QUESTION,
        "python": ".".join(map(str, sys.version_info[:2])),
        "documents": len(documents),
        "hits": {way: [_told(hit) for hit in some] for way, some in hits.items()},
    }


def _told(hit: SearchHit) -> dict[str, Any]:
    marked = "" if hit.matches is None else hit.to_html(load_query_encoder(MODEL).tokenizer)
    return {
        "name": hit.id,
        "opening": " ".join((hit.text or "").split("\n\n")[1].split()),
        "tokens": [
            {"token": match.token, "score": round(match.score, 2), "in_text": f'title="{match.token}: ' in marked}
            for match in hit.matches or ()
        ],
        "ranks": {leg: made.rank for leg, made in (hit.legs or {}).items()},
    }


def draw(results: dict[str, Any]) -> str:
    """Return the picture: a column a way of searching, a card a hit."""
    width, height = 2 * MARGIN + 3 * COLUMN, TOP + SHOWN * CARD + 44
    rows = [f'<rect x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="8" fill="white" stroke="#d1d9e0"/>']
    rows.append(_text(MARGIN, 38, f"“{results['question']}”", size=20, weight="bold"))
    corpus = f"{results['documents']:,} passages of Python {results['python']}'s language reference"
    rows.append(_text(MARGIN, 62, f"asked of {corpus}, which make demo indexes", fill=QUIET))
    for column, (way, hits) in enumerate(results["hits"].items()):
        x = MARGIN + column * COLUMN
        rows.append(_text(x, TOP - 16, HEADINGS[way], size=15, weight="bold"))
        for rank, hit in enumerate(hits):
            rows += _card(x, TOP + rank * CARD, hit, results["question"])
    rows += _legend(MARGIN + COLUMN, height - 20)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif"'
    return "\n".join([f'{head} font-size="13">', *rows, "</svg>", ""])


def _card(x: int, y: int, hit: dict[str, Any], question: str) -> Iterator[str]:
    words = {token["token"] for token in hit["tokens"]} or {*question.split()}
    yield f'<line x1="{x}" y1="{y}" x2="{x + COLUMN - 24}" y2="{y}" stroke="#d1d9e0"/>'
    yield _text(x, y + 22, hit["name"], weight="bold")
    lines = textwrap.wrap(hit["opening"], 36, max_lines=2, placeholder=" …")
    for number, line in enumerate(lines):
        yield f'<text x="{x}" y="{y + 42 + 17 * number}" fill="{INK}">{_marked(line, words)}</text>'
    below = y + 46 + 17 * len(lines)
    if hit["ranks"]:
        ranks = " and ".join(f"{leg.replace('bm25', 'BM25')} rank {rank}" for leg, rank in hit["ranks"].items())
        yield _text(x, below + 11, ranks, fill=QUIET)
    else:
        for number, token in enumerate(hit["tokens"]):
            yield from _bar(x, below + number * (BAR + 2), token)


def _bar(x: int, y: int, token: dict[str, Any]) -> Iterator[str]:
    length, fill = 16 * token["score"], OWN if token["in_text"] else ADDED
    yield f'<text x="{x + LABEL - 8}" y="{y + 11}" text-anchor="end" fill="{INK}">{escape(token["token"])}</text>'
    yield f'<rect x="{x + LABEL}" y="{y}" width="{length:.1f}" height="{BAR}" fill="{fill}"/>'
    yield _text(x + LABEL + int(length) + 6, y + 11, f"{token['score']:.1f}", fill=QUIET)


def _legend(x: int, y: int) -> Iterator[str]:
    for fill, meaning in ((OWN, "in the passage"), (ADDED, "written in by the model")):
        yield f'<rect x="{x}" y="{y - 11}" width="14" height="{BAR}" fill="{fill}"/>'
        yield _text(x + 20, y, meaning, fill=QUIET)
        x += 140


def _marked(line: str, words: set[str]) -> str:
    parts = re.split(r"(\w+)", line)
    mark = f'<tspan font-weight="bold" fill="{MARK}">{{}}</tspan>'
    return "".join(mark.format(part) if part.lower() in words else escape(part) for part in parts)


def _text(x: int, y: int, text: str, *, size: int = 13, weight: str = "normal", fill: str = INK) -> str:
    return f'<text x="{x}" y="{y}" font-size="{size}" font-weight="{weight}" fill="{fill}">{escape(text)}</text>'


def main() -> None:
    """Search, keep what was found, and draw it."""
    with running_server(keep=False) as server:
        results = found(server.url, "picture-of-results")
    RESULTS.write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    PICTURE.write_text(draw(results), encoding="utf-8")


if __name__ == "__main__":
    main()

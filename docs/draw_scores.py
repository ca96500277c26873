"""Draw `images/scores.svg`: how the scores of some documents come about, token by token.

Run it by `python -m docs.draw_scores`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

from docs.draw_vectors import ADDED, MODEL, OWN
from opensearch_neural_sparse import SparseVector, load_document_encoder, load_query_encoder

PICTURE = Path(__file__).resolve().parent / "images" / "scores.svg"
QUERY = "lunar astronauts"
DOCUMENTS = (
    "In 1969 two astronauts of Apollo 11 walked on the Moon.",
    "The Moon pulls at the oceans, so their level rises and falls twice a day.",
    "The rover Perseverance looks for traces of life on Mars.",
    "Rivers carry water and sand to the sea.",
)
WIDTH, LEFT, TOP, ROW, BAR, LETTER = 680, 10, 74, 62, 560, 7.0


def draw(documents: Mapping[str, SparseVector], query: SparseVector) -> str:
    """Return the picture: a row for each document, best first, its bar made up of the products of shared tokens."""
    ranking = sorted(documents, key=lambda text: -query.dot(documents[text]))
    scale = BAR / query.dot(documents[ranking[0]])
    rows = [
        _text(LEFT, 20, f"Query: “{QUERY}”", "bold"),
        _text(LEFT, 42, " + ".join(f"{token} {weight:.2f}" for token, weight in query.top(len(query)))),
    ]
    for number, text in enumerate(ranking):
        rows += _row(TOP + number * ROW, text, query, documents[text], scale)
    height = TOP + len(ranking) * ROW + 30
    rows += _legend(height - 22)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" viewBox="0 0 {WIDTH} {height}"'
    style = 'font-family="sans-serif" font-size="13"'
    return "\n".join([f"{head} {style}>", '<rect width="100%" height="100%" fill="white"/>', *rows, "</svg>", ""])


def _row(y: int, text: str, query: SparseVector, document: SparseVector, scale: float) -> list[str]:
    rows, x = [_text(LEFT, y, text)], float(LEFT)
    words = text.lower().strip(".").split()
    for token in sorted(query.keys() & document.keys(), key=lambda token: -query[token] * document[token]):
        width = query[token] * document[token] * scale
        colour, ink = (OWN, "white") if token in words else (ADDED, "black")
        label = escape(f"{token} {query[token]:.2f} · {document[token]:.2f}")
        rows.append(f'<rect x="{x:.1f}" y="{y + 8}" width="{width:.1f}" height="24" fill="{colour}" stroke="white"/>')
        fits = LETTER * len(label) + 8 < width
        place, x = (x + 8, x + width) if fits else (x + width + 8, x + width + 8 + LETTER * len(label))
        rows.append(f'<text x="{place:.1f}" y="{y + 25}" fill="{ink if fits else "black"}">{label}</text>')
    score = query.dot(document)
    rows.append(_text(x + 8, y + 25, f"{score:.2f}" if score else "no token shared: not found", "bold"))
    return rows


def _legend(y: int) -> list[str]:
    rows = []
    for x, (fill, meaning) in zip((LEFT, 200), ((OWN, "in the text"), (ADDED, "added by the model")), strict=True):
        rows.append(f'<rect x="{x}" y="{y}" width="14" height="14" fill="{fill}"/>')
        rows.append(_text(x + 22, y + 12, meaning))
    return rows


def _text(x: float, y: int, text: str, weight: str = "normal") -> str:
    return f'<text x="{x:.1f}" y="{y}" font-weight="{weight}">{escape(text)}</text>'


def encoded(texts: Sequence[str] = DOCUMENTS) -> dict[str, SparseVector]:
    """Return the vectors of texts, as the bundled model makes them."""
    return dict(zip(texts, load_document_encoder(MODEL, engine="onnx").encode_documents(texts), strict=True))


if __name__ == "__main__":
    PICTURE.write_text(draw(encoded(), load_query_encoder(MODEL).encode_query(QUERY)), encoding="utf-8")

"""Draw `images/vectors.svg`: a document and a query as the model in `examples/models/small-en` encodes them.

Run it by `python docs/draw_vectors.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from xml.sax.saxutils import escape

from opensearch_neural_sparse import SparseVector, load_document_encoder, load_query_encoder

ROOT = Path(__file__).resolve().parent.parent
MODEL = ROOT / "examples" / "models" / "small-en"
PICTURE = ROOT / "docs" / "images" / "vectors.svg"
DOCUMENT, QUERY = "The heart pumps blood through the body.", "cardiac function"
SHOWN, ROW, BAR, LABEL, WIDTH = 12, 20, 150, 110, 360
OWN, ADDED, SHARED = "#4c72b0", "#a9bcd8", "#dd8452"


def draw(document: SparseVector, query: SparseVector) -> str:
    """Return the picture: the heaviest tokens of both sides, and the sum over those that they share."""
    words = set(DOCUMENT.lower().strip(".").split())
    score = " + ".join(f"{query[token]:.2f} · {document[token]:.2f}" for token in query if token in document)

    def own(token: str) -> str:
        return OWN if token in words else ADDED

    below = 100 + SHOWN * ROW
    height = below + 140 + len(query) * ROW
    rows = [
        *_panel(0, "Document: a transformer", DOCUMENT, document, own, query),
        *_panel(below, "Query: a tokenizer and a table", QUERY, query, lambda _: OWN, document),
        _text(0, height - 50, f"score = {score} ≈ {query.dot(document):.2f}", "bold"),
        *_legend(height - 30),
    ]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" viewBox="0 0 {WIDTH} {height}"'
    style = 'font-family="sans-serif" font-size="13"'
    return "\n".join([f"{head} {style}>", '<rect width="100%" height="100%" fill="white"/>', *rows, "</svg>", ""])


def _panel(
    top: int, title: str, text: str, vector: SparseVector, colour: Callable[[str], str], other: SparseVector
) -> list[str]:
    heaviest = max(weight for _, weight in vector.top(1))
    rows = [_text(0, top + 20, title, "bold"), _text(0, top + 42, f"“{text}”")]
    for number, (token, weight) in enumerate(vector.top(SHOWN)):
        y, fill = top + 70 + number * ROW, SHARED if token in other else colour(token)
        rows.append(f'<text x="{LABEL - 6}" y="{y}" text-anchor="end">{escape(token)}</text>')
        width = BAR * weight / heaviest
        rows.append(f'<rect x="{LABEL}" y="{y - 12}" width="{width:.1f}" height="14" fill="{fill}"/>')
        rows.append(f'<text x="{LABEL + width + 6:.1f}" y="{y}">{weight:.2f}</text>')
    if len(vector) > SHOWN:
        rows.append(_text(LABEL, top + 70 + SHOWN * ROW, f"and {len(vector) - SHOWN} more"))
    return rows


def _legend(y: int) -> list[str]:
    meanings = ((10, OWN, "in the text"), (110, ADDED, "added by the model"), (282, SHARED, "shared"))
    rows = []
    for x, fill, meaning in meanings:
        rows.append(f'<rect x="{x}" y="{y}" width="14" height="14" fill="{fill}"/>')
        rows.append(_text(x + 10, y + 12, meaning))
    return rows


def _text(x: int, y: int, text: str, weight: str = "normal") -> str:
    return f'<text x="{x + 10}" y="{y}" font-weight="{weight}">{escape(text)}</text>'


if __name__ == "__main__":
    (document,) = load_document_encoder(MODEL, engine="onnx").encode_documents([DOCUMENT])
    PICTURE.write_text(draw(document, load_query_encoder(MODEL).encode_query(QUERY)), encoding="utf-8")

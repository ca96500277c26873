"""The notebooks as pages of the site: their texts, code and stored outputs, in Markdown."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

NOTEBOOKS = Path(__file__).resolve().parents[1] / "examples" / "notebooks"
FOLDER = "notebooks/"


def read_notebook(app: Any, page: str, source: list[str]) -> None:
    """Put a notebook in place of the page in `notebooks/` that has its name."""
    if page.startswith(FOLDER):
        source[0] = to_markdown(json.loads((NOTEBOOKS / f"{Path(page).name}.ipynb").read_text(encoding="utf-8")))


def to_markdown(notebook: Mapping[str, Any]) -> str:
    """Return the cells of a notebook as Markdown: code in fences, and below it what it printed or returned."""
    return "\n\n".join(part for cell in notebook["cells"] for part in _parts(cell)) + "\n"


def _parts(cell: Mapping[str, Any]) -> Iterator[str]:
    text = "".join(cell["source"])
    if cell["cell_type"] != "code":
        yield text
        return
    yield _fenced("python", text)
    for output in cell["outputs"]:
        data = output.get("data", {})
        if html := "".join(data.get("text/html", "")):
            yield f"{_fenced('{raw} html', html)}"
        elif plain := "".join(output.get("text", data.get("text/plain", ""))):
            yield _fenced("text", plain)


def _fenced(kind: str, text: str) -> str:
    return f"````{kind}\n{text.rstrip()}\n````"

"""The notebooks as pages of the site."""

from __future__ import annotations

import json

from docs.notebook_pages import FOLDER, NOTEBOOKS, read_notebook, to_markdown
from tests.paths import ROOT


def test_each_notebook_has_a_page_in_the_site() -> None:
    pages = {path.stem for path in (ROOT / "docs" / FOLDER).glob("*.md")}
    assert pages == {path.stem for path in NOTEBOOKS.glob("*.ipynb")}
    contents = (ROOT / "docs" / "index.md").read_text(encoding="utf-8").splitlines()
    assert {f"{FOLDER}{page}" for page in pages} <= {*contents}


def test_a_page_shows_texts_code_and_outputs() -> None:
    returned = {"output_type": "execute_result", "data": {"text/html": ["<b>1</b>"], "text/plain": ["1"]}}
    cells = [
        {"cell_type": "markdown", "source": ["# Title\n", "A text."]},
        {"cell_type": "code", "source": "print(1)", "outputs": [{"output_type": "stream", "text": ["1\n"]}]},
        {"cell_type": "code", "source": "one", "outputs": [returned]},
    ]
    assert to_markdown({"cells": cells}) == (
        "# Title\nA text.\n\n````python\nprint(1)\n````\n\n````text\n1\n````\n\n"
        "````python\none\n````\n\n````{raw} html\n<b>1</b>\n````\n"
    )


def test_a_notebook_takes_the_place_of_its_page_alone() -> None:
    source = ["# Notebook"]
    read_notebook(None, f"{FOLDER}haystack", source)
    assert source == [to_markdown(json.loads((NOTEBOOKS / "haystack.ipynb").read_text(encoding="utf-8")))]
    read_notebook(None, "tutorial", other := ["# Tutorial"])
    assert other == ["# Tutorial"]

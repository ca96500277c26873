"""Every Python snippet of the pages runs, page by page, against a real server."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.paths import ROOT

pytestmark = pytest.mark.newest_server

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)
AWS = {"AWS_ACCESS_KEY_ID": "nobody", "AWS_SECRET_ACCESS_KEY": "nothing"}
"""For snippets that make a client which signs its requests; none is sent."""


def _snippets(page: Path) -> list[str]:
    return FENCE.findall(page.read_text(encoding="utf-8"))


def _indexes(client) -> set[str]:
    return {row["index"] for row in client.cat.indices(format="json", expand_wildcards="open")}


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in PAGES if _snippets(page)], ids=lambda page: page.name)
def test_snippets_of_a_page_run_in_order(page: Path, server, client, tmp_path: Path) -> None:
    before = _indexes(client)
    script = tmp_path / "page.py"
    script.write_text("\n".join(_snippets(page)), encoding="utf-8")
    try:
        done = subprocess.run(
            [sys.executable, str(script)],
            cwd=ROOT,
            env={**os.environ, "OPENSEARCH_URL": server.url, "PYTHONPATH": str(ROOT), **AWS},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
    finally:
        made = {index for index in _indexes(client) - before if f'"{index}"' in script.read_text(encoding="utf-8")}
        client.indices.delete(index=",".join(made) or "none", ignore_unavailable=True)
    assert done.returncode == 0, done.stderr


def test_numbers_of_the_front_page_are_those_of_the_evaluation() -> None:
    front, measured = ((ROOT / page).read_text(encoding="utf-8") for page in ("README.md", "docs/evaluation.md"))
    rows = front.partition("## Numbers")[2].partition("## Models")[0].splitlines()
    assert [row for row in rows if row.startswith("|") and row not in measured.splitlines()] == []

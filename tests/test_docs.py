"""Every Python snippet of the pages runs, page by page, against a real server."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.paths import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]+)(#[^)\s]*)?\)")


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
            env={**os.environ, "OPENSEARCH_URL": server.url, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
    finally:
        made = {index for index in _indexes(client) - before if f'"{index}"' in script.read_text(encoding="utf-8")}
        client.indices.delete(index=",".join(made) or "none", ignore_unavailable=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", sorted({*PAGES, *ROOT.glob("[A-Z]*.md")}), ids=lambda page: page.name)
def test_links_inside_the_project_lead_somewhere(page: Path) -> None:
    targets = [target for target, _ in LINK.findall(page.read_text(encoding="utf-8"))]
    assert [target for target in targets if not (page.parent / target).exists()] == []

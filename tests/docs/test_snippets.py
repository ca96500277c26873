"""Every Python snippet of the pages runs, page by page, against a real server.

A page with the comment `<!-- server: models -->` runs on a server that runs models, beside an encoder service that
`ENCODER_URL` names. One that names `OPENAI_BASE_URL` runs beside a stand-in for a chat model.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import RunningServer
from tests.docs.chat_service import chat_service
from tests.paths import ROOT

pytestmark = pytest.mark.newest_server

WITH_OUTPUTS = ("clusters.md", "loading.md", "observability.md", "tutorial.md")
"""Pages whose snippets run in `test_outputs`."""
PAGES = [
    ROOT / "README.md",
    *(page for page in sorted((ROOT / "docs").glob("*.md")) if page.name not in WITH_OUTPUTS),
]
NEEDS_CHAT = "OPENAI_BASE_URL"
NEEDS_MODELS = "<!-- server: models -->"
FENCE = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)
AWS = {"AWS_ACCESS_KEY_ID": "nobody", "AWS_SECRET_ACCESS_KEY": "nothing"}
"""For snippets that make a client which signs its requests; none is sent."""


def _snippets(page: Path) -> list[str]:
    return FENCE.findall(page.read_text(encoding="utf-8"))


def _pages(*, models: bool) -> list[Path]:
    """Return the pages with snippets: those for a server that runs models, or the others."""
    return [page for page in PAGES if _snippets(page) and (NEEDS_MODELS in page.read_text("utf-8")) is models]


def _indexes(client: Any) -> set[str]:
    return {row["index"] for row in client.cat.indices(format="json", expand_wildcards="open")}


def _run(page: Path, client: Any, folder: Path, small_model: Path, variables: dict[str, str]) -> None:
    """Run the snippets of a page as one script, with the bundled model installed, and delete the indices it leaves."""
    before = _indexes(client)
    script = folder / "page.py"
    sources = os.pathsep.join(map(str, (ROOT / "integrations", ROOT, small_model)))
    script.write_text("\n".join(_snippets(page)), encoding="utf-8")
    try:
        done = subprocess.run(
            [sys.executable, str(script)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": sources, **AWS, **variables},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
    finally:
        made = {index for index in _indexes(client) - before if f'"{index}"' in script.read_text(encoding="utf-8")}
        client.indices.delete(index=",".join(made) or "none", ignore_unavailable=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("page", _pages(models=False), ids=lambda page: page.name)
def test_snippets_of_a_page_run_in_order(
    page: Path,
    server: RunningServer,
    client: Any,
    tmp_path: Path,
    small_model_package: Path,
    request: pytest.FixtureRequest,
) -> None:
    variables = {"OPENSEARCH_URL": server.url}
    if '"BGE_M3"' in page.read_text(encoding="utf-8"):
        build = request.getfixturevalue("scalar_snapshot")
        variables |= {"BGE_M3": str(build("bge-m3")), "DEEP_IMPACT": str(build("deepimpact"))}
    with ExitStack() as stack:
        if NEEDS_CHAT in page.read_text(encoding="utf-8"):
            variables |= {"OPENAI_BASE_URL": stack.enter_context(chat_service()), "OPENAI_API_KEY": "none"}
        _run(page, client, tmp_path, small_model_package, variables)


@pytest.mark.slow
@pytest.mark.parametrize("page", _pages(models=True), ids=lambda page: page.name)
def test_snippets_of_a_page_about_models_in_a_server_run_in_order(
    page: Path, model_server: RunningServer, model_client: Any, tmp_path: Path, small_model_package: Path
) -> None:
    from tests.serving.conftest import served_process  # needs the extra serve, which other pages do not

    with served_process() as service:
        variables = {"OPENSEARCH_URL": model_server.url, "ENCODER_URL": service.url}
        _run(page, model_client, tmp_path, small_model_package, variables)


def test_numbers_of_the_front_page_are_those_of_the_evaluation() -> None:
    front, measured = (
        [_cells(row)[:5] for row in (ROOT / page).read_text(encoding="utf-8").splitlines() if row.startswith("|")]
        for page in ("README.md", "docs/evaluation.md")
    )
    numbers = [row for row in front if len(row) == 5 and row[1].startswith(".")]
    assert len(numbers) == 5
    assert [row for row in numbers if row not in measured] == []


def _cells(row: str) -> list[str]:
    return [cell.strip().strip("*") for cell in row.strip("|").split("|")]

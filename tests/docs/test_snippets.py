"""Every Python snippet of the pages runs, page by page, against a real server.

A page with the comment `<!-- server: models -->` runs on a server that runs models, beside an encoder service that
`ENCODER_URL` names. One that names `OPENAI_BASE_URL` runs beside a stand-in for a chat model.
"""

from __future__ import annotations

import codeop
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
from tests.docs.leftovers import nothing_left
from tests.docs.test_outputs import WITH_OUTPUTS
from tests.paths import ROOT

pytestmark = pytest.mark.newest_server

ALL_PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PAGES = [page for page in ALL_PAGES if page.relative_to(ROOT).as_posix() not in WITH_OUTPUTS]
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


def _run(page: Path, client: Any, folder: Path, small_model: Path, variables: dict[str, str]) -> None:
    """Run the snippets of a page as one script, with the bundled model installed, in an empty folder."""
    script, empty = folder / "page.py", folder / "empty"
    empty.mkdir()
    script.write_text("\n".join(_snippets(page)), encoding="utf-8")
    sources = os.pathsep.join(map(str, (ROOT / "integrations", ROOT, small_model)))
    with nothing_left(client, page):
        done = subprocess.run(
            [sys.executable, str(script)],
            cwd=empty,
            env={**os.environ, "PYTHONPATH": sources, **AWS, **variables},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    assert list(empty.iterdir()) == []


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


@pytest.mark.parametrize("page", ALL_PAGES, ids=lambda page: page.name)
def test_snippets_of_a_page_can_be_pasted_into_a_shell(page: Path) -> None:
    faults = [fault for snippet in _snippets(page) if (fault := _fault_when_pasted(snippet))]
    assert faults == []


@pytest.mark.parametrize(
    ("snippet", "fault"),
    [
        ("if x:\n    print(1)\n\n    print(2)\n", "    print(2)"),
        ("if x:\n    print(1)\nprint(2)\n", "print(2)"),
        ("if x:\n    print(1)\n\nprint(\n\n    2\n)\n", None),
    ],
)
def test_a_line_that_a_shell_refuses_is_found(snippet: str, fault: str | None) -> None:
    assert _fault_when_pasted(snippet) == fault


def _fault_when_pasted(snippet: str) -> str | None:
    """Return the line at which Python's interactive shell refuses a snippet, or None."""
    pending: list[str] = []
    for line in snippet.splitlines():
        pending.append(line)
        try:
            complete = codeop.compile_command("\n".join(pending)) is not None
        except SyntaxError:
            return line
        if complete:
            pending.clear()
    return None


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

"""The commands of docs/cli.md run, in order, against a real server."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run
from tests.conftest import RunningServer
from tests.paths import ROOT

pytestmark = pytest.mark.newest_server

PAGE = ROOT / "docs" / "cli.md"
FENCE = re.compile(r"^```bash\n(.*?)^```$", re.DOTALL | re.MULTILINE)
INDICES = "cli-articles,cli-articles-2"
TIMES = 2
"""How often a reader follows the page, in one folder."""
SCRIPT = f"""#!{sys.executable}
from opensearch_neural_sparse.cli import main
if __name__ == "__main__":
    main()
"""


@pytest.mark.slow
def test_the_commands_of_the_page_run_twice_and_leave_nothing(
    server: RunningServer, client: Any, tmp_path: Path, small_model_package: Path
) -> None:
    programs, folder = tmp_path / "bin", tmp_path / "folder"
    programs.mkdir()
    folder.mkdir()
    program = programs / "opensearch-neural-sparse"
    program.write_text(SCRIPT, encoding="utf-8")
    program.chmod(0o755)
    script = "\n".join(["set -euo pipefail", *FENCE.findall(PAGE.read_text(encoding="utf-8")) * TIMES])
    environment = {
        "OPENSEARCH_URL": server.url,
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": f"{ROOT / 'integrations'}{os.pathsep}{small_model_package}",
    }
    client.indices.delete(index=INDICES, ignore_unavailable=True)
    try:
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=folder,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        left = [index for index in INDICES.split(",") if client.indices.exists(index=index)]
    finally:
        client.indices.delete(index=INDICES, ignore_unavailable=True)
    assert done.returncode == 0, done.stderr
    for line in (
        "2 of 2 documents written to cli-articles.",
        "0 of 2 documents written to cli-articles, 2 unchanged.",
        "cli-articles-2 holds 4 documents, 4 of them encoded now.",
        "Deleted cli-articles-2, 4 documents.",
    ):
        assert done.stdout.count(line) >= TIMES
    assert (left, list(folder.iterdir())) == ([], [])


def test_the_page_of_installation_shows_what_doctor_prints(server: RunningServer, run: Run) -> None:
    page = (ROOT / "docs" / "install.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"^```text\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    outcome = run("doctor", "--url", server.url)
    assert (outcome.status, outcome.out) == (0, shown.replace("3.6.0", server.version))


def test_the_page_has_a_section_for_each_command() -> None:
    sections = set(re.findall(r"^## (.*)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    groups = {
        "models": ("list", "show", "recommend", "download"),
        "server-model": ("deploy", "deploy-remote", "list", "predict", "undeploy", "delete", "doctor"),
        "index": ("create", "bind", "info", "add-field", "reindex", "delete"),
    }
    commands = {f"{group} {name}" for group, names in groups.items() for name in names}
    assert sections == commands | {
        "ingest",
        "search",
        "doctor",
        "bench",
        "mcp",
        "serve-encoder",
        "Clean up",
        "What all commands share",
    }

"""The notebooks: every cell runs on every server and shows what is stored, which is of no machine in particular."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.paths import ROOT
from tests.rounding import assert_same_but_for_rounding

pytestmark = pytest.mark.newest_server

nbformat = pytest.importorskip("nbformat", reason="the dependency group test is not installed")

NOTEBOOKS = sorted((ROOT / "examples" / "notebooks").glob("*.ipynb"))
OF_A_MACHINE = re.compile(r"(?<![\w./<])/(?:[\w.-]+/)+|\b[A-Z]:\\|:\d{4,5}\b|\b0x[0-9a-f]{6,}")
"""An absolute path, a port, the address of an object."""


@pytest.mark.slow
def test_every_cell_runs_and_shows_what_is_stored(server: Any, client: Any, tmp_path: Path) -> None:
    try:
        done = subprocess.run(
            [sys.executable, "-m", "examples.notebooks", "--to", str(tmp_path)],
            cwd=ROOT,
            env={**os.environ, "OPENSEARCH_URL": server.url, "HAYSTACK_TELEMETRY_ENABLED": "false"},
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        left = client.indices.get_alias(index="notebook-*")
    finally:
        client.indices.delete(index="notebook-haystack,notebook-langchain", ignore_unavailable=True)
    assert done.returncode == 0, done.stderr
    assert left == {}
    for stored in NOTEBOOKS:
        assert_same_but_for_rounding(_shown(tmp_path / stored.name), _shown(stored))


def test_there_is_a_notebook_for_each_framework() -> None:
    assert [path.name for path in NOTEBOOKS] == ["haystack.ipynb", "langchain.ipynb"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_stored_notebook_is_valid_and_whole_and_of_no_machine(path: Path) -> None:
    notebook = nbformat.read(path, as_version=nbformat.NO_CONVERT)
    nbformat.validate(notebook)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    outputs = [output for cell in cells for output in cell.outputs]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert {output.get("name", "stdout") for output in outputs} == {"stdout"}
    assert "text/html" in {kind for output in outputs for kind in output.get("data", ())}
    assert OF_A_MACHINE.findall(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("text", ["in /home/ann/models", "'/tmp/x/'", r"C:\Users", "localhost:9200", "<X at 0x7f3a21>"])
def test_what_is_of_a_machine_is_noticed(text: str) -> None:
    assert OF_A_MACHINE.search(text)


def _shown(path: Path) -> str:
    cells = nbformat.read(path, as_version=nbformat.NO_CONVERT).cells
    return json.dumps([cell.outputs for cell in cells if cell.cell_type == "code"], indent=1, sort_keys=True)

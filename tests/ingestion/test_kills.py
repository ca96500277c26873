"""Loads whose client or server is killed, on servers of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.ingest_kills import DOORS, run_kills
from opensearch_neural_sparse.devserver import known_versions

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("version", known_versions())
def test_killed_loads_lose_and_double_nothing(version: str, tmp_path: Path) -> None:
    total = run_kills(len(DOORS), 1, 600, tmp_path, version=version)["total"]
    assert (total["kills"], total["lost"], total["doubled"], total["stale"]) == (6, 0, 0, 0)
    assert total["died_midway"] >= 2

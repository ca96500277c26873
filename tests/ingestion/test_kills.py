"""Loads whose client, server or encoding process is killed, on servers of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.ingest_kills import DOORS, run_kills
from tests.tiers import LINES

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("version", LINES)
def test_killed_loads_lose_and_double_nothing(version: str, tmp_path: Path) -> None:
    total = run_kills(len(DOORS), 1, 600, tmp_path, workers=len(DOORS), version=version)["total"]
    assert (total["kills"], total["lost"], total["doubled"], total["stale"]) == (2 * len(DOORS) + 1, 0, 0, 0)
    assert total["died_midway"] >= 2

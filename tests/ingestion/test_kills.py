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
    assert (total["lost"], total["doubled"], total["stale"]) == (0, 0, 0)
    assert (
        total["kills"] >= len(DOORS) + 2
    )  # each client, the server, and a worker; loads may end before theirs is killed
    assert total["died_midway"] >= 2

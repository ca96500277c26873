"""Loads whose client, server or encoding process is killed, and which are repeated until they end."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.ingest_kills import DOORS, run_kills
from tests.campaigns.campaign import Campaign
from tests.campaigns.tally import Outcome, Tally
from tests.tiers import LINES

DOCUMENTS = 600
LOST = ("lost", "doubled", "stale")


def run(seed: int, count: int, servers: Sequence[str] = ()) -> Tally:
    """Kill loads on a server of each line that is started here; the moments are drawn by chance, not from the seed."""
    tally, kinds = Tally(), max(1, count // 3)
    for version in LINES:
        with tempfile.TemporaryDirectory() as place:
            total = run_kills(kinds, max(1, kinds // 5), DOCUMENTS, Path(place), workers=kinds, version=version)[
                "total"
            ]
        wrong = {name: total[name] for name in LOST if total[name]}
        for _ in range(int(total["kills"])):
            tally.add(Outcome.ACCEPTED)
        if wrong:
            tally.add(Outcome.SILENT_LOSS, f"{version}: {wrong}")
        tally.notes[version] = total
    return tally


CAMPAIGN = Campaign(
    "kills", "Loads that are killed, and repeated.", 3 * len(DOORS), 1, run, needs_server=False, in_suite=False
)

"""Hostile filters of calls against a fence, on every search path of every layer."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

from tests.campaigns.campaign import Campaign
from tests.campaigns.fence.campaign import run_on
from tests.campaigns.fence.site import made_site
from tests.campaigns.tally import Tally


def run(seed: int, count: int, servers: Sequence[str]) -> Tally:
    """Search indices of open and secret documents on each server."""
    tally = Tally()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for url in servers:
            with made_site(url) as site:
                tally.merge(run_on(site, seed, count))
    return tally


CAMPAIGN = Campaign(
    "fence",
    "A filter that holds in every search, against hostile filters of the call.",
    planned=5_000,
    short=300,
    run=run,
)

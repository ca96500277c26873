"""The short forms of the campaigns, and what holds of their runner."""

from __future__ import annotations

from typing import Any

import pytest

from tests.campaigns.__main__ import main
from tests.campaigns.attempts import attempt
from tests.campaigns.campaign import campaigns
from tests.campaigns.tally import Outcome, Tally

SEED = 7
CAMPAIGNS = campaigns()
SLOW = {"models"}
"""Campaigns whose short form needs a transformer."""


def names(*, needs_server: bool) -> list[Any]:
    found = [name for name, each in CAMPAIGNS.items() if each.in_suite and each.needs_server is needs_server]
    return [pytest.param(name, marks=[pytest.mark.slow] if name in SLOW else []) for name in found]


def run(name: str, servers: list[str]) -> None:
    campaign = CAMPAIGNS[name]
    tally = campaign.run(SEED, campaign.short, servers)
    assert tally.faults == {}
    assert tally.attempts >= campaign.short


@pytest.mark.parametrize("name", names(needs_server=False))
def test_nothing_gives_way(name: str) -> None:
    run(name, [])


@pytest.mark.parametrize("name", names(needs_server=True))
def test_nothing_gives_way_on_a_server(name: str, server: Any) -> None:
    run(name, [server.url])


def test_raw_error_hang_and_check_are_faults() -> None:
    def sleep() -> None:
        while True:
            pass

    tally = Tally()
    attempt(tally, "raw", lambda: {}["key"])
    attempt(tally, "endless", sleep, seconds=0.05)
    attempt(tally, "lost", lambda: 1, check=lambda value: Outcome.SILENT_LOSS if value == 1 else None)
    attempt(tally, "fine", lambda: 2)
    assert [*tally.faults] == ["1 x raw error", "1 x silent loss", "1 x hang"]
    assert "KeyError" in next(iter(tally.examples[Outcome.RAW_ERROR].values()))
    assert tally.counts[Outcome.ACCEPTED] == 1


def test_runner_refuses_an_unknown_name(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["no-such-campaign"])
    assert "no-such-campaign" in capsys.readouterr().err

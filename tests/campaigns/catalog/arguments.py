"""Hostile arguments of everything public: each is taken, or refused by an error that says what is wrong."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, chdir
from itertools import cycle, islice
from pathlib import Path

from tests.campaigns.attempts import attempt
from tests.campaigns.campaign import Campaign
from tests.campaigns.tally import Tally
from tests.campaigns.targets import stores, values
from tests.campaigns.targets.target import Target
from tests.campaigns.values import MAKERS, Make

SECONDS = 20.0
SHARE_WITH_TWO = 0.2
"""Share of attempts with a second hostile argument."""
Pair = tuple[Target, str, tuple[str, Make]]


def run(seed: int, count: int, servers: Sequence[str]) -> Tally:
    """Call what is public with arguments drawn from a seed; two thirds without a server, one third on each server."""
    tally = Tally()
    with tempfile.TemporaryDirectory() as place, chdir(place):
        _attempts(tally, list(values.targets()), random.Random(seed), 2 * count // 3)
        for url in servers:
            with ExitStack() as stack:
                _attempts(tally, list(stores.targets(url, stack)), random.Random(seed), count // 3)
        tally.notes["files left"] = sorted(each.name for each in Path(place).iterdir())[:20]
    return tally


def _attempts(tally: Tally, every: Sequence[Target], chance: random.Random, count: int) -> None:
    for target, parameter, maker in islice(_pairs(every, chance), count):
        hostile = {parameter: maker}
        if chance.random() < SHARE_WITH_TWO:
            hostile[chance.choice(target.parameters)] = chance.choice(MAKERS)
        given = {name: make() for name, (_, make) in hostile.items()}
        shown = f"{target.name}({', '.join(f'{name}={label}' for name, (label, _) in hostile.items())})"
        attempt(tally, shown, lambda target=target, given=given: target(given), seconds=SECONDS)


def _pairs(every: Sequence[Target], chance: random.Random) -> Iterator[Pair]:
    """Yield each parameter with each value, in an order by chance, and over and over."""
    pairs = [(target, parameter, maker) for target in every for parameter in target.parameters for maker in MAKERS]
    chance.shuffle(pairs)
    return cycle(pairs)


CAMPAIGN = Campaign("arguments", "Hostile arguments of every public callable.", 21_000, 1_800, run)

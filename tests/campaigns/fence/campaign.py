"""Take paths in turn, each with a fence and a hostile filter drawn from a seed, and look for leaks."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import islice
from typing import Any

from tests.campaigns.attempts import attempt
from tests.campaigns.fence.agent_paths import agent_paths
from tests.campaigns.fence.core_paths import CommandRefusedError, core_paths
from tests.campaigns.fence.haystack_paths import haystack_paths
from tests.campaigns.fence.hostile import aggregations, bodies, hostile_filters
from tests.campaigns.fence.langchain_paths import langchain_paths
from tests.campaigns.fence.leaks import leaks, leaks_of_error
from tests.campaigns.fence.paths import Call, Path
from tests.campaigns.fence.site import Site
from tests.campaigns.tally import Outcome, Tally

FOREIGN = 0.25
"""Part of the calls with a filter of another layer, or none at all."""
BLANK = 0.2
"""Part of the calls with a blank query, or another way of the same path."""


class LeakingMessageError(BaseException):
    """An error that says something of a secret document."""


def every_path() -> list[Path]:
    """Return the paths of all layers."""
    return [*core_paths(), *langchain_paths(), *haystack_paths(), *agent_paths()]


def calls(site: Site, seed: int, count: int) -> Iterator[tuple[Path, Call]]:
    """Yield calls: each path in turn, in an order drawn from the seed."""
    chance = random.Random(seed)
    paths = [path for path in every_path() if not (site.client_options and path.name.startswith("cli"))]
    filters, names = hostile_filters(), site.names()

    def draw(kind: str) -> Any:
        if kind in ("blank", "hybrid"):
            return chance.random() < BLANK
        return chance.choice(bodies() if kind == "body" else aggregations(by_server=not site.fenced))

    def forever() -> Iterator[tuple[Path, Call]]:
        while True:
            for path in chance.sample(paths, len(paths)):
                fence = chance.choice(path.fences) if site.fenced else None
                kind = "foreign" if chance.random() < FOREIGN else path.syntax
                yield path, Call(site, chance.choice(names), fence, chance.choice(filters[kind]), draw)

    return islice(forever(), count)


def run_on(site: Site, seed: int, count: int) -> Tally:
    """Make attempts on the indices of a site."""
    tally = Tally()
    for path, call in calls(site, seed, count):
        most = site.most(call.name)
        name = f"{path.name} on {call.name.rpartition('-')[2]}, fence {call.fence}, filter {call.hostile}"
        attempt(
            tally,
            name[:300],
            lambda path=path, call=call: _searched(path, call),
            check=lambda result, most=most, name=name: judged(tally, result, most, name),
            promised=(CommandRefusedError,),
        )
    tally.notes["paths"] = len(every_path())
    return tally


def _searched(path: Path, call: Call) -> Any:
    try:
        result = path.search(call)
        if hasattr(result, "__await__"):
            result = call.site.loop.run_until_complete(result)
    except Exception as error:
        if found := leaks_of_error(error):
            raise LeakingMessageError(*found) from error
        raise
    return result


def judged(tally: Tally, result: object, most: int, name: str) -> Outcome | None:
    """Return the fault in the result of an attempt, and keep what it holds of secret documents as its example.

    Args:
        tally: Where the attempt is counted.
        result: What a search returned.
        most: How many open documents there are.
        name: The attempt in words.
    """
    if not (found := leaks(result, most)):
        return None
    tally.examples[Outcome.LEAK].setdefault(name, f"{found[:3]} by {name}")
    return Outcome.LEAK

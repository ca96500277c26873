"""Run campaigns of attempts that must not hurt, and print what happened.

    python -m tests.campaigns NAME... [--seed N] [--count N] [--servers URL_OR_VERSION...]

A name is one of the catalogue, or `all`. Servers are URLs, versions, `newest` or `every` (the default): those of
OPENSEARCH_TEST_URLS, or else one of each line, started for the run. Each campaign prints one JSON line; the exit status
is 1 where something gave way.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence

from tests.campaigns.campaign import Campaign, campaigns
from tests.campaigns.servers import open_servers
from tests.campaigns.tally import Outcome, Tally


def report(campaign: Campaign, tally: Tally, seed: int, seconds: float) -> dict[str, object]:
    """Return what happened as the JSON of one line."""
    outcomes = {str(each): tally.counts[each] for each in Outcome}
    figures = {"campaign": campaign.name, "seed": seed, "attempts": tally.attempts, "seconds": round(seconds, 1)}
    return {**figures, **outcomes, **tally.notes, "faults": tally.faults}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the campaigns that the command line names."""
    known = campaigns()
    about = "\n".join(f"  {each.name:<12}{each.planned:>7}  {each.about}" for each in known.values())
    parser = argparse.ArgumentParser(
        prog="python -m tests.campaigns",
        description=f"Campaigns, and the attempts of their long forms:\n{about}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="+", choices=[*known, "all"], metavar="NAME", help="campaigns, or all")
    parser.add_argument("--seed", type=int, default=0, help="seed of the attempts (default: 0)")
    parser.add_argument("--count", type=int, help="attempts a server (default: those of the long form)")
    parser.add_argument("--servers", nargs="+", default=["every"], help="URLs, versions, newest or every (the default)")
    given = parser.parse_args(arguments)
    chosen = list(known.values()) if "all" in given.names else [known[name] for name in given.names]
    wanted = given.servers if any(each.needs_server for each in chosen) else []
    failed = False
    with open_servers(wanted) as servers:
        for each in chosen:
            began = time.monotonic()
            count = each.planned if given.count is None else given.count
            tally = each.run(given.seed, count, servers)
            print(json.dumps(report(each, tally, given.seed, time.monotonic() - began)), flush=True)  # noqa: T201
            failed = failed or bool(tally.faults)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())

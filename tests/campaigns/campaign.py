"""A campaign, and the catalogue of all: each module of `tests/campaigns/catalog/` holds one as `CAMPAIGN`."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.campaigns import catalog
from tests.campaigns.tally import Tally

Run = Callable[[int, int, Sequence[str]], Tally]
"""Seed, attempts for each server (or in all, where no server is used), URLs of servers -> what happened."""


@dataclass(frozen=True)
class Campaign:
    """Attempts of one kind, drawn from a seed.

    Attributes:
        name: Its name on the command line.
        about: What is attempted, in one sentence.
        planned: Attempts of the long form, for each server line where it needs servers.
        short: Attempts of the form that is part of the test suite.
        run: Makes the attempts.
        needs_server: Whether it is given servers.
        in_suite: Whether its short form is part of the test suite; one that other tests hold already is not.
    """

    name: str
    about: str
    planned: int
    short: int
    run: Run
    needs_server: bool = True
    in_suite: bool = True


def campaigns() -> dict[str, Campaign]:
    """Return every campaign by its name."""
    names = sorted(each.name for each in pkgutil.iter_modules(catalog.__path__))
    modules = [importlib.import_module(f"{catalog.__name__}.{name}") for name in names]
    found: list[Campaign] = [module.CAMPAIGN for module in modules]
    return {each.name: each for each in found}

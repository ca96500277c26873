"""A short form of the campaign of damaged model folders."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.campaigns.damaged_models import damages, run

COUNT = 120


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["doc-only", "bi-encoder"])
def test_damaged_model_works_or_is_refused_with_the_file(snapshot: Callable[..., Path], mode: str) -> None:
    folder = snapshot(mode=mode)
    every = list(damages(folder))
    found = run(folder, random.Random(7).sample(every, COUNT))
    assert {name: each for name, each in found.items() if each not in ("works", "refused")} == {}
    assert set(found.values()) == {"works", "refused"}

"""Texts that agree but for the last digit of their numbers, which processors do not."""

from __future__ import annotations

import re

import pytest

NUMBER = re.compile(r"\d+\.\d+")


def assert_same_but_for_rounding(now: str, before: str) -> None:
    assert NUMBER.sub("", now) == NUMBER.sub("", before)
    assert _numbers(now) == pytest.approx(_numbers(before), rel=0.01, abs=0.02)


def _numbers(text: str) -> list[float]:
    return [float(number) for number in NUMBER.findall(text)]

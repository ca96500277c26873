"""Public names are promises: the file beside this one lists them, and a name leaves it only on purpose."""

import importlib
import json
from pathlib import Path

import pytest

PINNED: dict[str, list[str]] = json.loads((Path(__file__).parent / "public_names.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("package", PINNED)
def test_public_names_are_those_that_are_pinned(package: str) -> None:
    module = importlib.import_module(package)
    assert sorted(module.__all__) == PINNED[package]
    for name in PINNED[package]:
        assert getattr(module, name) is not None


@pytest.mark.parametrize("package", PINNED)
def test_dir_lists_every_public_name(package: str) -> None:
    assert set(PINNED[package]) <= set(dir(importlib.import_module(package)))

"""What tests of training in this process leave as it was."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

import pytest

from opensearch_neural_sparse.models import registry


@pytest.fixture
def training_apart(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Keep the hub out, and registered models and torch's random numbers as they were."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr(registry, "_registered", {})
    if find_spec("torch") is None:
        yield
        return
    import torch

    with torch.random.fork_rng():
        yield

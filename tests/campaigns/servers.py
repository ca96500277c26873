"""The servers of a campaign: those that are named, or one of each line, started for it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from opensearch_neural_sparse.devserver import DevServer
from tests.tiers import LINES, named_urls

OPTIONS = {"heap": "512m", "jvm_options": ("-XX:TieredStopAtLevel=1",)}


@contextmanager
def open_servers(wanted: Sequence[str]) -> Iterator[list[str]]:
    """Yield the URLs of servers; `wanted` holds URLs, versions, `newest` or `every`."""
    lines = named_urls() or list(LINES)
    chosen = [each for name in wanted for each in {"newest": lines[:1], "every": lines}.get(name, [name])]
    with ExitStack() as stack:
        yield [each if "://" in each else _start(stack, each) for each in chosen]


def _start(stack: ExitStack, version: str) -> str:
    home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    running = DevServer.running(own=True, home=home, ephemeral=True, version=version, **OPTIONS)
    return stack.enter_context(running).url

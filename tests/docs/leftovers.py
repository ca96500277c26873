"""The indices that a page leaves on a server, which may be its reader's own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def _indices(client: Any) -> set[str]:
    return {row["index"] for row in client.cat.indices(format="json", expand_wildcards="open")}


@contextmanager
def nothing_left(client: Any, page: Path) -> Iterator[None]:
    """Fail if a page leaves an index that it names, and delete such indices in any case.

    Args:
        client: Client of the server on which the page runs.
        page: The page.
    """
    before, text = _indices(client), page.read_text(encoding="utf-8")
    try:
        yield
    finally:
        left = {index for index in _indices(client) - before if f'"{index}"' in text}
        client.indices.delete(index=",".join(left) or "none", ignore_unavailable=True)
    assert left == set()

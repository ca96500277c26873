"""The indices that a page leaves on a server, which may be its reader's own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def _delete_named(client: Any, page: Path) -> set[str]:
    """Delete the indices that a page names, and return their names."""
    text = page.read_text(encoding="utf-8")
    rows = client.cat.indices(format="json", expand_wildcards="open")
    named = {row["index"] for row in rows if f'"{row["index"]}"' in text}
    client.indices.delete(index=",".join(named) or "none", ignore_unavailable=True)
    return named


@contextmanager
def nothing_left(client: Any, page: Path) -> Iterator[None]:
    """Fail if a page leaves an index that it names; begin and end without such indices in any case.

    Args:
        client: Client of the server on which the page runs.
        page: The page.
    """
    _delete_named(client, page)
    try:
        yield
    finally:
        left = _delete_named(client, page)
    assert left == set()

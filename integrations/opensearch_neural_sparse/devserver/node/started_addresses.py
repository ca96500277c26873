"""Remember the addresses of started servers, so that one that no longer answers is known to be of this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opensearch_neural_sparse.devserver.node.http import without_credentials
from opensearch_neural_sparse.devserver.node.paths import cache_folder, path_key

if TYPE_CHECKING:
    from pathlib import Path

LONGEST_MEMORY = 50
"""Addresses of a home that are remembered, the newest ones."""


def remember_address(home: Path, url: str) -> None:
    """Note the address of a server. Only for the holder of the home's lock.

    Args:
        home: Its home.
        url: Its URL.
    """
    note = _folder() / f"{path_key(home)}.urls"
    known = note.read_text(encoding="utf-8").splitlines() if note.exists() else []
    kept = [each for each in known if each != url][1 - LONGEST_MEMORY :]
    _folder().mkdir(parents=True, exist_ok=True)
    draft = note.with_suffix(".draft")
    draft.write_text("".join(f"{each}\n" for each in [*kept, url]), encoding="utf-8")
    draft.replace(note)


def was_started_here(url: str) -> bool:
    """Return whether a server was started at an address, whether or not it still runs.

    Args:
        url: The URL.
    """
    address = without_credentials(url)
    return any(address in note.read_text(encoding="utf-8").splitlines() for note in _folder().glob("*.urls"))


def _folder() -> Path:
    return cache_folder() / "addresses"

"""Remember the homes outside the cache folder, so that the servers in them are found."""

from __future__ import annotations

from pathlib import Path

from opensearch_neural_sparse.devserver.node.paths import cache_folder, path_key, servers_folder


def remember_home(path: Path) -> None:
    """Note a home; one among the default homes is found without a note.

    Args:
        path: The home.
    """
    if path.parent != servers_folder():
        _folder().mkdir(parents=True, exist_ok=True)
        _note(path).write_text(str(path), encoding="utf-8")


def forget_home(path: Path) -> None:
    """Remove the note of a home, if there is one.

    Args:
        path: The home.
    """
    _note(path).unlink(missing_ok=True)


def known_homes() -> list[Path]:
    """Return the noted homes."""
    return [Path(note.read_text(encoding="utf-8")) for note in sorted(_folder().glob("*.path"))]


def _folder() -> Path:
    return cache_folder() / "homes"


def _note(path: Path) -> Path:
    return _folder() / f"{path_key(path)}.path"

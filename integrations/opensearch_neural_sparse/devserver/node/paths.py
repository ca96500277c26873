"""Where the development server keeps its files: below one cache folder, and nowhere else."""

from __future__ import annotations

import hashlib
import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opensearch_neural_sparse.devserver.profile import Profile

CACHE_VARIABLE = "OPENSEARCH_NEURAL_SPARSE_CACHE"


def cache_folder() -> Path:
    """Return the folder of everything here: that of the environment variable, else the user's cache folder."""
    if named := os.environ.get(CACHE_VARIABLE):
        return Path(named).expanduser().absolute() / "devserver"
    import platformdirs

    return Path(platformdirs.user_cache_dir("opensearch-neural-sparse", appauthor=False)) / "devserver"


def servers_folder() -> Path:
    """Return the folder that holds the homes of servers which were given none."""
    return cache_folder() / "servers"


def default_home(version: str, profile: Profile) -> Path:
    """Return the home of a user's own server of this version and profile."""
    return servers_folder() / f"{version}-{profile}"


@contextmanager
def exclusive(name: str) -> Iterator[None]:
    """Hold the lock of this name: one holder on this machine at a time, threads included."""
    from filelock import FileLock

    folder = cache_folder() / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / f"{name}.lock"):
        yield


def path_key(path: Path) -> str:
    """Return a short name for a path, fit for file and cluster names."""
    return hashlib.sha256(str(path).encode()).hexdigest()[:12]

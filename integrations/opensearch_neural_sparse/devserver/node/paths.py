"""Locate the files of the development server, all below one cache folder, and lock them."""

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
    """Return the folder of all files: that of the environment variable, else in the user's cache folder."""
    if named := os.environ.get(CACHE_VARIABLE):
        return Path(named).expanduser().absolute() / "devserver"
    import platformdirs

    return Path(platformdirs.user_cache_dir("opensearch-neural-sparse", appauthor=False)) / "devserver"


def servers_folder() -> Path:
    """Return the parent folder of default homes."""
    return cache_folder() / "servers"


def default_home(version: str, profile: Profile) -> Path:
    """Return the default home of a version and profile."""
    return servers_folder() / f"{version}-{profile}"


@contextmanager
def exclusive(name: str) -> Iterator[None]:
    """Hold a lock that is exclusive on this machine, also between threads."""
    from filelock import FileLock

    folder = cache_folder() / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / f"{name}.lock"):
        yield


def path_key(path: Path) -> str:
    """Return a short hash of a path, for file and cluster names."""
    return hashlib.sha256(str(path).encode()).hexdigest()[:12]

"""Locate the files of the development server, all below one cache folder, and lock them."""

from __future__ import annotations

import hashlib
import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from opensearch_neural_sparse.errors import MissingDependencyError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opensearch_neural_sparse.devserver.profile import Profile

CACHE_VARIABLE = "OPENSEARCH_NEURAL_SPARSE_CACHE"


def cache_folder() -> Path:
    """Return the folder of all files: that of the environment variable, else in the user's cache folder.

    Raises:
        MissingDependencyError: platformdirs is not installed.
    """
    if named := os.environ.get(CACHE_VARIABLE):
        return Path(named).expanduser().absolute() / "devserver"
    try:
        import platformdirs
    except ModuleNotFoundError:
        raise missing_module("platformdirs") from None
    return Path(platformdirs.user_cache_dir("opensearch-neural-sparse", appauthor=False)) / "devserver"


def servers_folder() -> Path:
    """Return the parent folder of default homes."""
    return cache_folder() / "servers"


def default_home(version: str, profile: Profile) -> Path:
    """Return the default home of a version and profile."""
    return servers_folder() / f"{version}-{profile}"


@contextmanager
def exclusive(name: str) -> Iterator[None]:
    """Hold a lock that is exclusive on this machine, also between threads.

    Raises:
        MissingDependencyError: filelock is not installed.
    """
    try:
        from filelock import FileLock
    except ModuleNotFoundError:
        raise missing_module("filelock") from None

    folder = cache_folder() / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / f"{name}.lock"):
        yield


def missing_module(module: str) -> MissingDependencyError:
    """Return the error of a module that the extra for local servers installs.

    Args:
        module: Its name.
    """
    return MissingDependencyError(module, "devserver", "Starting a local OpenSearch")


def path_key(path: Path) -> str:
    """Return a short hash of a path, for file and cluster names."""
    return hashlib.sha256(str(path).encode()).hexdigest()[:12]

"""Extract the native libraries of PyTorch, which ml-commons runs local models with, from their artifacts."""

from __future__ import annotations

import logging
import os
import platform
import shutil
import tempfile
import zipfile
from functools import partial
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from opensearch_neural_sparse.devserver.distribution.artifacts import ArtifactStore
from opensearch_neural_sparse.devserver.node.paths import cache_folder, exclusive
from opensearch_neural_sparse.devserver.progress import OnProgress, Progress, Step, ignore_progress

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opensearch_neural_sparse.devserver.distribution.lock import Lock

logger = logging.getLogger(__name__)

LIBRARY_VARIABLE = "PYTORCH_LIBRARY_PATH"
"""Environment variable that names the folder of the libraries to ml-commons."""
PLATFORM = ("Linux", "x86_64")
"""System and machine that the locks have libraries for."""
MEMBERS = ("pytorch/cpu/linux-x86_64", "jnilib/linux-x86_64/cpu")
"""Folders of the libraries in their artifacts."""
PARTIAL = ".partial-"
SUBJECT = "the native libraries of PyTorch"


def native_environment(lock: Lock, *, on_progress: OnProgress = ignore_progress) -> Mapping[str, str]:
    """Return the environment variables that name a server's native libraries; extract the libraries if missing.

    It is empty for a lock without libraries, where the variable is set already, and, with a warning, on a platform that
    the lock has no libraries for: the server then downloads them itself when it deploys a local model.

    Args:
        lock: The server's artifacts.
        on_progress: Called with the progress.

    Raises:
        DevServerError: A download failed, or a checksum differs.
    """
    if not lock.natives or os.environ.get(LIBRARY_VARIABLE):
        return {}
    if (here := (platform.system(), platform.machine())) != PLATFORM:
        logger.warning(
            "The development server has PyTorch's native libraries for %s alone, not for %s: deploying a local model "
            "downloads them from publish.djl.ai. Without that host, set %s to a folder that holds them.",
            " ".join(PLATFORM),
            " ".join(here),
            LIBRARY_VARIABLE,
        )
        return {}
    return {LIBRARY_VARIABLE: str(extract_natives(lock, on_progress))}


def natives_path(lock: Lock) -> Path:
    """Return the folder of a lock's native libraries, extracted or not; locks with the same ones share it."""
    key = sha256("\n".join(artifact.sha256 for artifact in lock.natives).encode()).hexdigest()[:12]
    return cache_folder() / "natives" / key


def extract_natives(lock: Lock, on_progress: OnProgress = ignore_progress) -> Path:
    """Return the folder of a lock's native libraries, and download and extract them if it is missing.

    They are extracted into a temporary folder that is renamed at the end, so a folder of that name is complete.

    Raises:
        DevServerError: A download failed, or a checksum differs.
    """
    whole = natives_path(lock)
    if whole.exists():
        return whole
    with exclusive("artifacts"):
        if not whole.exists():
            _extract_into(whole, lock, on_progress)
    return whole


def _extract_into(whole: Path, lock: Lock, on_progress: OnProgress) -> None:
    store = ArtifactStore(cache_folder() / "artifacts")
    store.sweep()
    whole.parent.mkdir(parents=True, exist_ok=True)
    for leftover in whole.parent.glob(f"{PARTIAL}*"):
        shutil.rmtree(leftover)
    begun = partial(Progress, version=lock.version, subject=SUBJECT)
    store.fetch_all(lock.natives, lambda done, total: on_progress(begun(step=Step.DOWNLOAD, done=done, total=total)))
    on_progress(begun(step=Step.ASSEMBLE))
    with tempfile.TemporaryDirectory(prefix=PARTIAL, dir=whole.parent) as scratch:
        folder = Path(scratch) / "natives"
        folder.mkdir()
        for artifact in lock.natives:
            _extract(store.path(artifact), folder)
        folder.rename(whole)


def _extract(archive: Path, folder: Path) -> None:
    """Extract the libraries of an archive without their folders."""
    with zipfile.ZipFile(archive) as content:
        for member in content.infolist():
            path = PurePosixPath(member.filename)
            if not member.is_dir() and str(path.parent) in MEMBERS:
                with content.open(member) as source, (folder / path.name).open("wb") as target:
                    shutil.copyfileobj(source, target, 1 << 20)

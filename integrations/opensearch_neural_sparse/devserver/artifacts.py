"""The files of a lock on this machine: fetched once, known by their checksum."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from opensearch_neural_sparse.devserver.lock import Artifact
from opensearch_neural_sparse.errors import DevServerError, MissingDependencyError

Download = Callable[[Artifact, Path], Path]
"""Brings an artifact into a scratch folder and returns its path there."""

PARALLEL_DOWNLOADS = 8
ATTEMPTS = 3


def download_with_jgo(artifact: Artifact, scratch: Path) -> Path:
    """Bring an artifact from the Maven registry, with the Maven client written in Python.

    Raises:
        MissingDependencyError: jgo is not installed.
        DevServerError: The registry did not give the file.
    """
    try:
        from jgo.maven import MavenContext
    except ImportError as error:
        raise MissingDependencyError("jgo", "devserver", "Assembling a local OpenSearch") from error
    group, name, packaging, classifier, version = artifact.parts
    for attempt in range(1, ATTEMPTS + 1):
        folder = Path(tempfile.mkdtemp(dir=scratch))
        context = MavenContext(repo_cache=folder, timeout=60)
        try:
            return Path(context.project(group, name).at_version(version).artifact(classifier, packaging).resolve())
        except (OSError, RuntimeError, ValueError) as error:
            if attempt == ATTEMPTS:
                reason = f"{type(error).__name__} after {ATTEMPTS} attempts"
                raise DevServerError(f"{artifact.coordinates} could not be downloaded: {reason}.") from error
            time.sleep(attempt)
    raise AssertionError  # the last attempt returns or raises


def verify(path: Path, artifact: Artifact) -> None:
    """Compare a file with its checksum, and delete it if it differs.

    Raises:
        DevServerError: The checksum differs; the message holds both.
    """
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found == artifact.sha256:
        return
    path.unlink()
    raise DevServerError(
        f"{artifact.coordinates} is damaged and was deleted: sha256 {found}, expected {artifact.sha256}. "
        "Run the command again to download it anew."
    )


@dataclass(frozen=True)
class ArtifactStore:
    """Verified files below one folder, each under its checksum.

    A file is downloaded into a scratch folder and moved into place once its checksum fits, so whatever an
    interrupted download leaves is never taken for a file.
    """

    folder: Path
    download: Download = download_with_jgo

    def path(self, artifact: Artifact) -> Path:
        """Return where the file is or will be."""
        return self.folder / artifact.sha256 / artifact.filename

    def fetch(self, artifact: Artifact) -> Path:
        """Return the path of the file, downloading it if need be.

        Raises:
            DevServerError: It could not be had, or its checksum differs.
        """
        path = self.path(artifact)
        if path.exists():
            verify(path, artifact)
            return path
        self.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".download-", dir=self.folder) as scratch:
            downloaded = self.download(artifact, Path(scratch))
            verify(downloaded, artifact)
            path.parent.mkdir(exist_ok=True)
            downloaded.replace(path)
        return path

    def fetch_all(self, artifacts: Iterable[Artifact], on_bytes: Callable[[int, int], None]) -> None:
        """Fetch many files at once; `on_bytes` is told the bytes so far and in all after each."""
        wanted = {artifact.sha256: artifact for artifact in artifacts}.values()
        total, done, counting = sum(artifact.bytes for artifact in wanted), 0, threading.Lock()

        def fetch_one(artifact: Artifact) -> None:
            nonlocal done
            self.fetch(artifact)
            with counting:
                done += artifact.bytes
                on_bytes(done, total)

        pool = ThreadPoolExecutor(PARALLEL_DOWNLOADS)
        try:
            for future in [pool.submit(fetch_one, artifact) for artifact in wanted]:
                future.result()
        finally:
            pool.shutdown(cancel_futures=True)

    def sweep(self) -> None:
        """Remove what interrupted downloads left behind. Only for the holder of the assembly lock."""
        for leftover in self.folder.glob(".download-*"):
            shutil.rmtree(leftover, ignore_errors=True)

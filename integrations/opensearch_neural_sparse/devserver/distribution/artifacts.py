"""Download the files of a lock once, and verify their checksums."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from opensearch_neural_sparse.devserver.distribution.lock import Artifact
from opensearch_neural_sparse.errors import DevServerError, MissingDependencyError

Download = Callable[[Artifact, Path], Path]
"""Downloads an artifact into a temporary folder and returns its path."""

PARALLEL_DOWNLOADS = 8
ATTEMPTS = 3
REPORT_SECONDS = 0.5
SCRATCH = ".download-"


def download_with_jgo(artifact: Artifact, scratch: Path) -> Path:
    """Download an artifact from the Maven registry with jgo, a Maven client in Python.

    Raises:
        MissingDependencyError: jgo is not installed.
        DevServerError: The download failed.
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
                raise DevServerError(
                    f"{artifact.coordinates} could not be downloaded: {reason}. Repeat the command."
                ) from error
            time.sleep(attempt)
    raise AssertionError  # the last attempt returns or raises


def verify(path: Path, artifact: Artifact) -> None:
    """Verify the checksum of a file, and delete the file if it differs.

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
        "Run the command again to download it."
    )


@dataclass(frozen=True)
class ArtifactStore:
    """Stores verified files below one folder, by checksum.

    A file is downloaded into a temporary folder and moved into place once it is verified, so an interrupted download
    never counts as a file.
    """

    folder: Path
    download: Download = download_with_jgo

    def path(self, artifact: Artifact) -> Path:
        """Return the path of an artifact, downloaded or not."""
        return self.folder / artifact.sha256 / artifact.filename

    def fetch(self, artifact: Artifact) -> Path:
        """Return the path of a verified artifact, and download it if it is missing.

        Raises:
            DevServerError: The download failed, or the checksum differs.
        """
        path = self.path(artifact)
        if path.exists():
            verify(path, artifact)
            return path
        self.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=SCRATCH, dir=self.folder) as scratch:
            downloaded = self.download(artifact, Path(scratch))
            verify(downloaded, artifact)
            path.parent.mkdir(exist_ok=True)
            downloaded.replace(path)
        return path

    def fetch_all(self, artifacts: Iterable[Artifact], on_bytes: Callable[[int, int], None]) -> None:
        """Download the missing artifacts in parallel, and verify the others.

        Args:
            artifacts: The artifacts.
            on_bytes: Gets the bytes so far and in all of the missing ones, at the begin and whenever they grow; it is
                not called where none is missing.
        """
        wanted = {artifact.sha256: artifact for artifact in artifacts}.values()
        missing = {artifact for artifact in wanted if not self.path(artifact).exists()}
        total, done, reported = sum(artifact.bytes for artifact in missing), 0, 0
        if missing:
            on_bytes(0, total)
        pool = ThreadPoolExecutor(PARALLEL_DOWNLOADS)
        try:
            sizes = {
                pool.submit(self.fetch, artifact): artifact.bytes if artifact in missing else 0 for artifact in wanted
            }
            running = set(sizes)
            while running:
                finished, running = wait(running, timeout=REPORT_SECONDS, return_when=FIRST_COMPLETED)
                for future in finished:
                    future.result()
                    done += sizes[future]
                arriving = self._bytes_arriving() if running else 0
                if (now := min(done + arriving, total)) > reported:
                    reported = now
                    on_bytes(reported, total)
        finally:
            pool.shutdown(cancel_futures=True)

    def _bytes_arriving(self) -> int:
        """Return the size of the unfinished downloads; one file can be most of the whole."""
        size = 0
        for scratch in self.folder.glob(f"{SCRATCH}*"):
            for folder, _, names in os.walk(scratch):
                for name in names:
                    with suppress(FileNotFoundError):
                        size += Path(folder, name).stat().st_size
        return size

    def sweep(self) -> None:
        """Remove interrupted downloads. Only for the holder of the assembly lock."""
        for leftover in self.folder.glob(f"{SCRATCH}*"):
            shutil.rmtree(leftover, ignore_errors=True)

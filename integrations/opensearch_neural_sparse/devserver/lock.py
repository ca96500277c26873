"""The parts a server is assembled from: exact coordinates and checksums, as data in this package."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any

from opensearch_neural_sparse.errors import DevServerError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from importlib.resources.abc import Traversable

DEFAULT_VERSION = "3.6.0"
LOCK_FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """One file of the Maven registry.

    Attributes:
        coordinates: `group:name[:packaging[:classifier]]:version`, as Maven writes them.
        sha256: Checksum of the file.
        bytes: Size of the file.
    """

    coordinates: str
    sha256: str
    bytes: int

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Artifact:
        """Read a row of a lock file."""
        return cls(coordinates=row["artifact"], sha256=row["sha256"], bytes=row["bytes"])

    def to_row(self) -> dict[str, Any]:
        """Return the row of a lock file."""
        return {"artifact": self.coordinates, "sha256": self.sha256, "bytes": self.bytes}

    @property
    def parts(self) -> tuple[str, str, str, str, str]:
        """Group, name, packaging, classifier (or the empty string) and version."""
        group, name, *middle, version = self.coordinates.split(":")
        packaging, classifier = (*middle, "", "")[:2]
        return group, name, packaging or "jar", classifier, version

    @property
    def filename(self) -> str:
        """Name of the file, as the registry has it."""
        _, name, packaging, classifier, version = self.parts
        return f"{name}-{version}{'-' + classifier if classifier else ''}.{packaging}"


@dataclass(frozen=True, kw_only=True)
class Module:
    """A module of the server: its jars carry no descriptor, so the lock names what one would say.

    Attributes:
        name: Name of the module and of its folder.
        classname: Its main class.
        extends: The module whose class loader it shares, or the empty string.
        jars: Its files, without those that lib/ has.
    """

    name: str
    classname: str
    extends: str
    jars: tuple[Artifact, ...]


@dataclass(frozen=True, kw_only=True)
class Lock:
    """Everything one version of the server is made of.

    Attributes:
        version: The server's version.
        java: The class file level its modules are compiled for.
        compiler: A Java compiler, for runtimes that have none.
        lib: The server itself and what it needs.
        modules: Its modules, by name.
        plugins: Its plugins, as archives with their own descriptor, by name.
        fingerprint: Hash of the lock file.
    """

    version: str
    java: int
    compiler: Artifact
    lib: tuple[Artifact, ...]
    modules: tuple[Module, ...]
    plugins: Mapping[str, Artifact]
    fingerprint: str

    def artifacts(self) -> Iterator[Artifact]:
        """Yield every file of the lock."""
        yield self.compiler
        yield from self.lib
        for module in self.modules:
            yield from module.jars
        yield from self.plugins.values()


def known_versions() -> tuple[str, ...]:
    """Return the versions that can be assembled, the default first."""
    names = [file.name.removesuffix(".json") for file in _folder().iterdir() if file.name.endswith(".json")]
    return tuple(sorted(names, key=lambda version: (version != DEFAULT_VERSION, version)))


def load_lock(version: str) -> Lock:
    """Read the lock of a version.

    Raises:
        DevServerError: There is no lock for this version.
    """
    if version not in known_versions():
        known = ", ".join(known_versions())
        raise DevServerError(f"OpenSearch {version} cannot be assembled here; the versions that can: {known}.")
    return parse_lock((_folder() / f"{version}.json").read_bytes())


def parse_lock(content: bytes) -> Lock:
    """Read the content of a lock file.

    Raises:
        DevServerError: It is of another format.
    """
    lock = json.loads(content)
    if lock.get("format") != LOCK_FORMAT:
        raise DevServerError(f"The lock has format {lock.get('format')!r}; this version reads {LOCK_FORMAT}.")
    return Lock(
        version=lock["version"],
        java=lock["java"],
        compiler=Artifact.from_row(lock["compiler"]),
        lib=_artifacts(lock["lib"]),
        modules=tuple(_module(name, row) for name, row in lock["modules"].items()),
        plugins={name: Artifact.from_row(row) for name, row in lock["plugins"].items()},
        fingerprint=hashlib.sha256(content).hexdigest(),
    )


def _folder() -> Traversable:
    return resources.files(__package__) / "locks"


def _artifacts(rows: list[Mapping[str, Any]]) -> tuple[Artifact, ...]:
    return tuple(Artifact.from_row(row) for row in rows)


def _module(name: str, row: Mapping[str, Any]) -> Module:
    return Module(name=name, classname=row["class"], extends=row["extends"], jars=_artifacts(row["jars"]))

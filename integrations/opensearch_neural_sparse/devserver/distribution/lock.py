"""The parts a server is assembled from: exact coordinates and checksums, as data in this package."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any

from opensearch_neural_sparse.devserver.profile import Profile
from opensearch_neural_sparse.errors import DevServerError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from importlib.resources.abc import Traversable

DEFAULT_VERSION = "3.6.0"
LOCK_FORMAT = 1
EVERYWHERE = (Profile.PLAIN, Profile.CLUSTER)
"""Profiles that need no parts of their own."""


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
    """Everything one version of the server is made of, in one profile.

    Attributes:
        version: The server's version.
        java: The class file level its modules are compiled for.
        compiler: A Java compiler, for runtimes that have none.
        lib: The server itself and what it needs.
        modules: Its modules, by name.
        plugins: Its plugins, as archives with their own descriptor, by name.
        fingerprint: Hash over all of these; the parts of other profiles do not change it.
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


def known_profiles(version: str) -> tuple[Profile, ...]:
    """Return the profiles that a version can be assembled in.

    Raises:
        DevServerError: There is no lock for this version.
    """
    return (*EVERYWHERE, *map(Profile, json.loads(_read(version)).get("profiles", {})))


def load_lock(version: str, profile: Profile = Profile.PLAIN) -> Lock:
    """Read the lock of a version: the parts of one profile.

    Raises:
        DevServerError: There is no lock for this version, or it lacks the profile.
    """
    content = _read(version)
    if profile not in known_profiles(version):
        has = ", ".join(known_profiles(version))
        having = [known for known in known_versions() if profile in known_profiles(known)]
        remedy = f" Give --version {having[0]} for it." if having else ""
        raise DevServerError(f"OpenSearch {version} has no profile {profile.value!r} here, only {has}.{remedy}")
    return parse_lock(content, profile)


def _read(version: str) -> bytes:
    if version not in known_versions():
        known = ", ".join(known_versions())
        raise DevServerError(f"OpenSearch {version} cannot be assembled here; the versions that can: {known}.")
    return (_folder() / f"{version}.json").read_bytes()


def parse_lock(content: bytes, profile: Profile = Profile.PLAIN) -> Lock:
    """Read the content of a lock file: the parts of one profile.

    Raises:
        DevServerError: It is of another format.
    """
    lock = json.loads(content)
    if lock.get("format") != LOCK_FORMAT:
        raise DevServerError(f"The lock has format {lock.get('format')!r}; this version reads {LOCK_FORMAT}.")
    more = lock.pop("profiles", {}).get(profile, {})
    lock["lib"] += more.get("lib", [])
    lock["plugins"] |= more.get("plugins", {})
    return Lock(
        version=lock["version"],
        java=lock["java"],
        compiler=Artifact.from_row(lock["compiler"]),
        lib=_artifacts(lock["lib"]),
        modules=tuple(_module(name, row) for name, row in lock["modules"].items()),
        plugins={name: Artifact.from_row(row) for name, row in lock["plugins"].items()},
        fingerprint=hashlib.sha256(json.dumps(lock, sort_keys=True).encode()).hexdigest(),
    )


def _folder() -> Traversable:
    return resources.files(__package__) / "locks"


def _artifacts(rows: list[Mapping[str, Any]]) -> tuple[Artifact, ...]:
    return tuple(Artifact.from_row(row) for row in rows)


def _module(name: str, row: Mapping[str, Any]) -> Module:
    return Module(name=name, classname=row["class"], extends=row["extends"], jars=_artifacts(row["jars"]))

"""Read the locks: exact coordinates and checksums of a server's artifacts, as data of this package."""

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
"""Profiles without artifacts of their own."""


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """A file of the Maven registry.

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
        """Parts of the coordinates: group, name, packaging, classifier (perhaps empty) and version."""
        group, name, *middle, version = self.coordinates.split(":")
        packaging, classifier = (*middle, "", "")[:2]
        return group, name, packaging or "jar", classifier, version

    @property
    def filename(self) -> str:
        """File name in the registry."""
        _, name, packaging, classifier, version = self.parts
        return f"{name}-{version}{'-' + classifier if classifier else ''}.{packaging}"


@dataclass(frozen=True, kw_only=True)
class Module:
    """A module of the server, with the fields of the descriptor that its jars lack.

    Attributes:
        name: Name of the module and of its folder.
        classname: Its main class.
        extends: The module whose class loader it shares, or the empty string.
        jars: Its files, without those in lib/.
    """

    name: str
    classname: str
    extends: str
    jars: tuple[Artifact, ...]


@dataclass(frozen=True, kw_only=True)
class Lock:
    """All artifacts of a version and profile.

    Attributes:
        version: The server's version.
        java: Class file level of its modules.
        compiler: A Java compiler, for runtimes without one.
        lib: The server and its libraries.
        modules: Its modules.
        plugins: Its plugins by name, as archives with their own descriptor.
        natives: Archives of native libraries; no part of the distribution.
        fingerprint: Hash of the distribution; artifacts of other profiles and native libraries do not change it.
    """

    version: str
    java: int
    compiler: Artifact
    lib: tuple[Artifact, ...]
    modules: tuple[Module, ...]
    plugins: Mapping[str, Artifact]
    natives: tuple[Artifact, ...] = ()
    fingerprint: str

    def artifacts(self) -> Iterator[Artifact]:
        """Yield every artifact of the distribution."""
        yield self.compiler
        yield from self.lib
        for module in self.modules:
            yield from module.jars
        yield from self.plugins.values()


def known_versions() -> tuple[str, ...]:
    """Return the versions with a lock: the default first, then the newest."""
    names = [file.name.removesuffix(".json") for file in _folder().iterdir() if file.name.endswith(".json")]
    newest_first = sorted(names, key=lambda version: [int(part) for part in version.split(".")], reverse=True)
    return tuple(sorted(newest_first, key=lambda version: version != DEFAULT_VERSION))


def known_profiles(version: str) -> tuple[Profile, ...]:
    """Return the profiles of a version.

    Raises:
        DevServerError: The version has no lock.
    """
    parts = set(map(Profile, json.loads(_read(version)).get("profiles", {})))
    return tuple(each for each in Profile if each in EVERYWHERE or (each.parts and parts.issuperset(each.parts)))


def load_lock(version: str, profile: Profile = Profile.PLAIN) -> Lock:
    """Read the lock of a version and profile.

    Raises:
        DevServerError: The version has no lock, or the lock lacks the profile.
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
        raise DevServerError(f"OpenSearch {version} cannot be assembled here. Give one of the known versions: {known}.")
    return (_folder() / f"{version}.json").read_bytes()


def parse_lock(content: bytes, profile: Profile = Profile.PLAIN) -> Lock:
    """Parse the content of a lock file for one profile.

    Raises:
        DevServerError: The format is another.
    """
    lock = json.loads(content)
    if lock.get("format") != LOCK_FORMAT:
        raise DevServerError(f"The lock has format {lock.get('format')!r}, not {LOCK_FORMAT}. Reinstall this package.")
    parts = lock.pop("profiles", {})
    natives: list[Mapping[str, Any]] = []
    for more in (parts.get(part, {}) for part in profile.parts):
        lock["lib"] += more.get("lib", [])
        lock["plugins"] |= more.get("plugins", {})
        natives += more.get("natives", [])
    return Lock(
        version=lock["version"],
        java=lock["java"],
        compiler=Artifact.from_row(lock["compiler"]),
        lib=_artifacts(lock["lib"]),
        modules=tuple(_module(name, row) for name, row in lock["modules"].items()),
        plugins={name: Artifact.from_row(row) for name, row in lock["plugins"].items()},
        natives=_artifacts(natives),
        fingerprint=hashlib.sha256(json.dumps(lock, sort_keys=True).encode()).hexdigest(),
    )


def _folder() -> Traversable:
    return resources.files(__package__) / "locks"


def _artifacts(rows: list[Mapping[str, Any]]) -> tuple[Artifact, ...]:
    return tuple(Artifact.from_row(row) for row in rows)


def _module(name: str, row: Mapping[str, Any]) -> Module:
    return Module(name=name, classname=row["class"], extends=row["extends"], jars=_artifacts(row["jars"]))

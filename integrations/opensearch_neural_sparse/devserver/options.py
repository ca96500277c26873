"""Define the options of starting a server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, TypedDict, Unpack

from opensearch_neural_sparse.arguments import (
    check_count,
    check_flag,
    check_mapping,
    check_number,
    check_path,
    check_text,
    check_texts,
)
from opensearch_neural_sparse.devserver.distribution.lock import DEFAULT_VERSION
from opensearch_neural_sparse.devserver.profile import Profile, ProfileLike
from opensearch_neural_sparse.errors import DevServerError
from opensearch_neural_sparse.loopback import is_loopback

Settings = Mapping[str, str | int | bool]


class StartArguments(TypedDict, total=False):
    """Keyword arguments for the fields of StartOptions."""

    version: str
    profile: ProfileLike
    port: int | None
    home: Path | None
    heap: str | None
    jvm_options: Sequence[str]
    settings: Settings
    ephemeral: bool
    lifeline: bool
    docker: bool
    timeout: float


@dataclass(frozen=True, kw_only=True)
class StartOptions:
    """Options of starting a server.

    Attributes:
        version: Version of the server.
        profile: Its profile.
        port: Port of its first node; a free one if None.
        home: Folder of its configuration, data and logs; one below the cache folder if None.
        heap: Java heap of each node, such as `512m`; that of the profile if None.
        jvm_options: Further options of its Java runtime; `-XX:TieredStopAtLevel=1` halves the time of a start, for a
            short-lived server.
        settings: Settings for opensearch.yml.
        ephemeral: Whether its data is deleted when it stops.
        lifeline: Whether it ends with the process that starts it, even if that is killed.
        docker: Whether to run the official image instead.
        timeout: Seconds until it must be ready.

    Raises:
        DevServerError: A setting that opens the server to other machines.
    """

    version: str = DEFAULT_VERSION
    profile: Profile = Profile.PLAIN
    port: int | None = None
    home: Path | None = None
    heap: str | None = None
    jvm_options: Sequence[str] = ()
    settings: Settings = field(default_factory=dict)
    ephemeral: bool = False
    lifeline: bool = False
    docker: bool = False
    timeout: float = 180.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "profile", Profile(self.profile))
        check_text(version=self.version)
        check_text(optional=True, heap=self.heap)
        check_count(0, optional=True, port=self.port)
        check_path(optional=True, home=self.home)
        check_texts(jvm_options=self.jvm_options)
        check_mapping(settings=self.settings)
        check_flag(ephemeral=self.ephemeral, lifeline=self.lifeline, docker=self.docker)
        check_number(0, timeout=self.timeout)
        _check_hosts(self.settings)

    @classmethod
    def of(cls, **arguments: Unpack[StartArguments]) -> Self:
        """Make options from keyword arguments; choices may be text.

        Args:
            **arguments: The fields, by name.
        """
        given: dict[str, Any] = {**arguments}
        return cls(**given)

    @property
    def java_options(self) -> tuple[str, ...]:
        """Options of each node's Java runtime: its heap and `jvm_options`."""
        heap = self.heap or self.profile.heap
        return (f"-Xms{heap}", f"-Xmx{heap}", *self.jvm_options)


def _check_hosts(settings: Settings) -> None:
    """Raise DevServerError for a setting by which the server listens to other machines."""
    for name, value in settings.items():
        if name.endswith((".host", ".bind_host")) and not all(map(_is_local, str(value).strip("[]").split(","))):
            raise DevServerError(
                f"The setting {name}={value} opens a server without protection to other machines; it listens on "
                "127.0.0.1 alone. Leave it out, and reach the server from elsewhere by a tunnel, such as ssh -L."
            )


def _is_local(host: str) -> bool:
    return host.strip(" \"'") == "_local_" or is_loopback(host.strip(" \"'"))

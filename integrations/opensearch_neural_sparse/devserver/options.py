"""Define the options of starting a server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, TypedDict, Unpack

from opensearch_neural_sparse.devserver.distribution.lock import DEFAULT_VERSION
from opensearch_neural_sparse.devserver.profile import Profile, ProfileLike

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

"""What can be asked of a server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, TypedDict, Unpack

from opensearch_neural_sparse.devserver.distribution.lock import DEFAULT_VERSION
from opensearch_neural_sparse.devserver.profile import Profile, ProfileLike

Settings = Mapping[str, str | int | bool]


class StartArguments(TypedDict, total=False):
    """The fields of StartOptions, as keyword arguments."""

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
    """How a server is to be started.

    Attributes:
        version: Version of the server.
        profile: Its make.
        port: Port of its first node; a free one if None.
        home: Folder of its configuration, data and logs; one below the cache folder if None.
        heap: Java heap of each node, such as `512m`; that of the profile if None.
        jvm_options: More options of its Java runtime; `-XX:TieredStopAtLevel=1` halves the time of a start, for a
            server that lives shortly.
        settings: Rows for opensearch.yml.
        ephemeral: Whether its data goes when it stops.
        lifeline: Whether it ends with the process that starts it, however that ends.
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
        """Return options whose choices may be given as text.

        Args:
            **arguments: The fields, by name.
        """
        given: dict[str, Any] = {**arguments}
        return cls(**given)

    @property
    def java_options(self) -> tuple[str, ...]:
        """What the Java runtime of each node is told: its heap and what else was asked for."""
        heap = self.heap or self.profile.heap
        return (f"-Xms{heap}", f"-Xmx{heap}", *self.jvm_options)

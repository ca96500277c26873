"""A development server: started, found, stopped."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Unpack

from opensearch_neural_sparse.devserver.control import PRIVATE, runs, start_home, stop_home, sweep_private_homes
from opensearch_neural_sparse.devserver.distribution.requirements import require_modules
from opensearch_neural_sparse.devserver.docker import container_log
from opensearch_neural_sparse.devserver.node.home import ServerHome, ServerState
from opensearch_neural_sparse.devserver.node.http import NO_ANSWER, get_json, without_credentials
from opensearch_neural_sparse.devserver.node.launch import stop_processes
from opensearch_neural_sparse.devserver.node.logs import last_lines
from opensearch_neural_sparse.devserver.node.paths import default_home, servers_folder
from opensearch_neural_sparse.devserver.options import StartArguments, StartOptions
from opensearch_neural_sparse.devserver.profile import Profile
from opensearch_neural_sparse.devserver.progress import OnProgress, ignore_progress
from opensearch_neural_sparse.devserver.security.login import Login
from opensearch_neural_sparse.errors import DevServerError

URL_VARIABLE = "OPENSEARCH_URL"


class Origin(StrEnum):
    """Where a server comes from."""

    ENVIRONMENT = "environment"
    """Named by the environment variable OPENSEARCH_URL: used, never started or stopped."""
    ASSEMBLED = "assembled"
    """Run from the parts of a lock."""
    DOCKER = "docker"
    """Run from the official image."""


@dataclass(frozen=True, kw_only=True)
class DevServer:
    """A local OpenSearch for tests and tutorials.

    Attributes:
        url: Where it answers; may hold the credentials of OPENSEARCH_URL, so it is not shown.
        version: Its version, as it was asked for or, of a named server, as it says.
        origin: Where it comes from.
        profile: Its make; None for a named server.
        home: The folder of its data and logs; None for a named server.
        login: Who is let in, by whose certificate; None for a server without a login and for a named one.
    """

    url: str = field(repr=False)
    version: str
    origin: Origin
    profile: Profile | None = None
    home: Path | None = None
    login: Login | None = None

    @classmethod
    def start(
        cls, *, own: bool = False, on_progress: OnProgress = ignore_progress, **arguments: Unpack[StartArguments]
    ) -> DevServer:
        """Return a running server, starting it if none runs in its home.

        The server that OPENSEARCH_URL names comes first. Else one is assembled (once) and started; it goes on running
        when this process ends. Two processes that start at once end with one server.

        Args:
            own: Start one even where OPENSEARCH_URL names a server.
            on_progress: Told how far it has come.
            **arguments: The fields of StartOptions.

        Raises:
            DevServerError: No server could be had, or another one runs in this home.
        """
        if not own and (named := cls.from_environment()) is not None:
            return named
        options = StartOptions.of(**arguments)
        require_modules(docker=options.docker, profile=options.profile)
        home = ServerHome((options.home or default_home(options.version, options.profile)).expanduser().absolute())
        return cls._of(home, start_home(home, options, on_progress))

    @classmethod
    @contextmanager
    def running(
        cls, *, own: bool = False, on_progress: OnProgress = ignore_progress, **arguments: Unpack[StartArguments]
    ) -> Iterator[DevServer]:
        """Run a server of one's own for the length of a block.

        It ends with the block, and with this process however that ends. Its data goes too, unless a home is given
        and `ephemeral` is not. A server that OPENSEARCH_URL names is used and left alone.

        Args:
            own: Start one even where OPENSEARCH_URL names a server.
            on_progress: Told how far it has come.
            **arguments: The fields of StartOptions.

        Raises:
            DevServerError: No server could be had, or one runs in this home already.
        """
        if not own and (named := cls.from_environment()) is not None:
            yield named
            return
        home = arguments.get("home")
        if home is None:
            sweep_private_homes()
            arguments["home"] = servers_folder() / f"{PRIVATE}{uuid.uuid4().hex[:12]}"
            arguments.setdefault("ephemeral", True)
        elif (found := cls.find(home)) is not None:
            raise DevServerError(f"{found.home} runs a server already, at {found.address}. Give another home, or none.")
        arguments["lifeline"] = True
        server = cls.start(own=True, on_progress=on_progress, **arguments)
        try:
            yield server
        finally:
            server.stop()

    @classmethod
    def named(cls, url: str, *, source: str = URL_VARIABLE) -> DevServer:
        """Return the server at a URL that somebody else runs.

        Args:
            url: Its URL.
            source: What named it, for the message.

        Raises:
            DevServerError: It does not answer, or is no OpenSearch.
        """
        try:
            version = str(get_json(url, timeout=30)["version"]["number"])
        except (*NO_ANSWER, KeyError, TypeError) as error:
            raise DevServerError(
                f"{source} names {without_credentials(url)}, which does not answer as OpenSearch does "
                f"({type(error).__name__}). Start that server, or unset {source} to have one started here."
            ) from error
        return cls(url=url.rstrip("/"), version=version, origin=Origin.ENVIRONMENT)

    @classmethod
    def from_environment(cls) -> DevServer | None:
        """Return the server that OPENSEARCH_URL names, or None if it is not set.

        Raises:
            DevServerError: It does not answer, or is no OpenSearch.
        """
        url = os.environ.get(URL_VARIABLE)
        return cls.named(url) if url else None

    @classmethod
    def find(cls, home: Path) -> DevServer | None:
        """Return the server that runs in a home, or None.

        Args:
            home: Folder of a server.
        """
        place = ServerHome(home.expanduser().absolute())
        state = place.read_state()
        return cls._of(place, state) if state is not None and runs(state) else None

    @classmethod
    def find_all(cls) -> list[DevServer]:
        """Return the servers that run in homes below the cache folder, but for those of a `running` block."""
        homes = [home for home in sorted(servers_folder().glob("*")) if not home.name.startswith(PRIVATE)]
        return [server for home in homes if (server := cls.find(home)) is not None]

    @property
    def address(self) -> str:
        """The URL without credentials."""
        return without_credentials(self.url)

    @property
    def pids(self) -> tuple[int, ...]:
        """Numbers of its processes on this machine; empty for a named server and a container."""
        state = self._state()
        return () if state is None else tuple(process.pid for process in state.processes)

    def health(self) -> str | None:
        """Return `green`, `yellow` or `red`, or None if it does not answer."""
        try:
            return str(get_json(self.url, "/_cluster/health", login=self.login).get("status"))
        except NO_ANSWER:
            return None

    def logs(self, lines: int = 100, *, node: str = "n1") -> str:
        """Return the end of a node's log; the empty string for a named server.

        Args:
            lines: Most lines.
            node: Which node of a cluster.
        """
        return "" if self.home is None else self.read_log(self.home, lines, node=node)

    @staticmethod
    def read_log(home: Path, lines: int = 100, *, node: str = "n1") -> str:
        """Return the end of the log in a home, also when its server has stopped.

        Args:
            home: Folder of a server.
            lines: Most lines.
            node: Which node of a cluster.
        """
        place = ServerHome(home.expanduser().absolute())
        state = place.read_state()
        if state is not None and state.container is not None:
            return container_log(state, lines)
        return last_lines(place.log(node), lines)

    def stop(self) -> bool:
        """Stop what was started here, wait until it is gone, and remove ephemeral data.

        Returns:
            Whether anything ran. A named server is left alone.
        """
        return self.home is not None and stop_home(self.home)

    def kill(self) -> None:
        """End its processes at once, as a power cut would; data and state file stay as they are."""
        state = self._state()
        if state is not None:
            stop_processes(state, force=True)

    def _state(self) -> ServerState | None:
        return None if self.home is None else ServerHome(self.home).read_state()

    @classmethod
    def _of(cls, home: ServerHome, state: ServerState) -> DevServer:
        origin = Origin.ASSEMBLED if state.container is None else Origin.DOCKER
        return cls(
            url=state.url,
            version=state.version,
            origin=origin,
            profile=state.profile,
            home=home.path,
            login=home.login(state.profile),
        )

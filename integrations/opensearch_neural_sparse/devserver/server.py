"""Start, find and stop a development server."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Unpack

from opensearch_neural_sparse.devserver.control import PRIVATE, runs, start_home, stop_home, sweep_private_homes
from opensearch_neural_sparse.devserver.distribution.requirements import require_modules
from opensearch_neural_sparse.devserver.docker import container_log
from opensearch_neural_sparse.devserver.node.home import ServerHome, ServerState
from opensearch_neural_sparse.devserver.node.http import NO_ANSWER, get_json, without_credentials
from opensearch_neural_sparse.devserver.node.known_homes import known_homes
from opensearch_neural_sparse.devserver.node.launch import stop_processes
from opensearch_neural_sparse.devserver.node.logs import last_lines
from opensearch_neural_sparse.devserver.node.paths import default_home, servers_folder
from opensearch_neural_sparse.devserver.node.started_addresses import was_started_here
from opensearch_neural_sparse.devserver.options import StartArguments, StartOptions
from opensearch_neural_sparse.devserver.profile import Profile
from opensearch_neural_sparse.devserver.progress import OnProgress, ignore_progress
from opensearch_neural_sparse.devserver.security.login import Login
from opensearch_neural_sparse.errors import Choice, DevServerError, MissingDependencyError

URL_VARIABLE = "OPENSEARCH_URL"


class Origin(Choice):
    """Origin of a server."""

    ENVIRONMENT = "environment"
    """Named by the environment variable OPENSEARCH_URL: used, never started or stopped."""
    ASSEMBLED = "assembled"
    """Assembled from the artifacts of a lock."""
    DOCKER = "docker"
    """Run from the official image."""


@dataclass(frozen=True, kw_only=True)
class DevServer:
    """A local OpenSearch for tests and tutorials.

    Attributes:
        url: Its URL; may contain the credentials of OPENSEARCH_URL, so the representation leaves it out.
        version: Its version, as requested or, for a named server, as reported.
        origin: Its origin.
        profile: Its profile; None for a named server.
        home: Folder of its data and logs; None for a named server.
        login: Its login; None for a server without a login and for a named one.
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
        """Return the running server of a home, and start it if none runs.

        The server that OPENSEARCH_URL names takes precedence, unless it was started here and has stopped. Otherwise one
        is assembled (once) and started; it goes on when this process ends. Two processes that start at the same time
        share one server.

        Args:
            own: Start one even if OPENSEARCH_URL names a server.
            on_progress: Called with the progress.
            **arguments: The fields of StartOptions.

        Raises:
            DevServerError: No server could be started, or one with other options runs in the home.
            MissingDependencyError: The extra `devserver` is not installed.
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
        """Run a private server for the length of a block.

        It ends with the block, and with this process even if that is killed. Its data is deleted, unless a home is
        given without `ephemeral`. A server that OPENSEARCH_URL names is used and left running.

        Args:
            own: Start one even if OPENSEARCH_URL names a server.
            on_progress: Called with the progress.
            **arguments: The fields of StartOptions.

        Raises:
            DevServerError: No server could be started, or one runs in the home already.
            MissingDependencyError: The extra `devserver` is not installed.
        """
        if not own and (named := cls.from_environment()) is not None:
            yield named
            return
        options = StartOptions.of(**arguments)
        require_modules(docker=options.docker, profile=options.profile)
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
        """Return the server at a URL, which this package did not start.

        Args:
            url: Its URL.
            source: Source of the URL, for the message.

        Raises:
            DevServerError: It does not answer, or is no OpenSearch.
        """
        try:
            version = str(get_json(url, timeout=30)["version"]["number"])
        except (*NO_ANSWER, KeyError, TypeError) as error:
            raise DevServerError(
                f"{source} names {without_credentials(url)}, which does not answer as OpenSearch does "
                f"({type(error).__name__}). Start that server, or unset {source} to start one here."
            ) from error
        return cls(url=url.rstrip("/"), version=version, origin=Origin.ENVIRONMENT)

    @classmethod
    def from_environment(cls) -> DevServer | None:
        """Return the server that OPENSEARCH_URL names, or None if it is not set, empty, or names a stopped one.

        A stopped one is a server that this package started on this machine, in whatever process.

        Raises:
            DevServerError: It does not answer and was not started here, or is no OpenSearch.
        """
        url = os.environ.get(URL_VARIABLE)
        if not url:
            return None
        try:
            return cls.named(url)
        except DevServerError:
            if cls.has_stopped(url):
                return None
            raise

    @classmethod
    def has_stopped(cls, url: str) -> bool:
        """Return whether a URL is that of a server that `start` started on this machine and that runs no more.

        Args:
            url: A URL.
        """
        try:
            started = was_started_here(url)
        except MissingDependencyError:  # without the extra nothing was started
            return False
        return started and without_credentials(url) not in [server.address for server in cls.find_all()]

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
        """Return the servers that run, in default homes and others, without those of a `running` block."""
        homes = [home for home in sorted(servers_folder().glob("*")) if not home.name.startswith(PRIVATE)]
        return [server for home in [*homes, *known_homes()] if (server := cls.find(home)) is not None]

    @property
    def address(self) -> str:
        """The URL without credentials."""
        return without_credentials(self.url)

    @property
    def pids(self) -> tuple[int, ...]:
        """Pids of its nodes; empty for a named server and a container."""
        state = self._state()
        return () if state is None else tuple(process.pid for process in state.processes)

    def health(self) -> str | None:
        """Return the health of the cluster: `green`, `yellow` or `red`, or None if it does not answer."""
        try:
            return str(get_json(self.url, "/_cluster/health", login=self.login).get("status"))
        except NO_ANSWER:
            return None

    def logs(self, lines: int = 100, *, node: str = "n1") -> str:
        """Return the last lines of a node's log; the empty string for a named server.

        Args:
            lines: Maximum number of lines.
            node: Name of the node.
        """
        return "" if self.home is None else self.read_log(self.home, lines, node=node)

    @staticmethod
    def read_log(home: Path, lines: int = 100, *, node: str = "n1") -> str:
        """Return the last lines of the log in a home, also after its server has stopped.

        Args:
            home: Folder of a server.
            lines: Maximum number of lines.
            node: Name of the node.
        """
        place = ServerHome(home.expanduser().absolute())
        state = place.read_state()
        if state is not None and state.container is not None:
            return container_log(state, lines)
        return last_lines(place.log(node), lines)

    def stop(self) -> bool:
        """Stop the server, wait until it has ended, and remove ephemeral data.

        Returns:
            Whether it ran. A named server is left alone.
        """
        return self.home is not None and stop_home(self.home)

    def kill(self) -> None:
        """Kill its processes, as a power cut would; data and state file stay as they are."""
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

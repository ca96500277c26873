"""Read and write the home of a server: its folders, and the state file of what runs there."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from opensearch_neural_sparse.devserver.node.paths import path_key
from opensearch_neural_sparse.devserver.node.process import NodeProcess
from opensearch_neural_sparse.devserver.profile import Profile
from opensearch_neural_sparse.devserver.security.login import Login

STATE_FORMAT = 1
SECURITY_FOLDER = "security"
NODE_FOLDERS = ("config", "data", "logs", "tmp")


@dataclass(frozen=True, kw_only=True)
class ServerState:
    """Content of a state file: the server that was started in a home.

    Attributes:
        version: Version of the server.
        profile: Its profile.
        url: Its URL.
        settings: Settings of the user in opensearch.yml.
        ephemeral: Whether its data is deleted when it stops.
        processes: Its nodes; empty for a container.
        container: Name of its container, or None.
    """

    version: str
    profile: Profile
    url: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    ephemeral: bool = False
    processes: tuple[NodeProcess, ...] = ()
    container: str | None = None

    @property
    def port(self) -> int | None:
        """Port of its first node."""
        return urlsplit(self.url).port

    def to_json(self) -> str:
        """Serialise to the content of a state file."""
        return json.dumps({"format": STATE_FORMAT, **asdict(self)}, indent=1)

    @classmethod
    def from_json(cls, content: str) -> ServerState | None:
        """Parse the content of a state file; None if its format is another."""
        state = json.loads(content)
        if state.pop("format", None) != STATE_FORMAT:
            return None
        processes = tuple(NodeProcess(**row) for row in state.pop("processes"))
        return cls(**{**state, "profile": Profile(state["profile"]), "processes": processes})


@dataclass(frozen=True)
class ServerHome:
    """Folder of one server."""

    path: Path

    @property
    def lock_name(self) -> str:
        """Name of the lock for starting and stopping the server."""
        return f"home-{path_key(self.path)}"

    @property
    def cluster_name(self) -> str:
        """Name of the cluster, unique to the home."""
        return f"devserver-{path_key(self.path)}"

    def node(self, name: str) -> Path:
        """Return the folder of a node."""
        return self.path / "nodes" / name

    def log(self, name: str) -> Path:
        """Return the log of a node."""
        return self.node(name) / "logs" / "server.log"

    @property
    def security(self) -> Path:
        """Folder of the certificates and the password of a secured server."""
        return self.path / SECURITY_FOLDER

    def login(self, profile: Profile) -> Login | None:
        """Return the login of a server of this profile, or None if it needs none."""
        return Login.read(self.security) if profile.is_secured else None

    def prepare(self, name: str) -> Path:
        """Create the folders of a node, keep its previous log, and return its folder."""
        for folder in NODE_FOLDERS:
            (self.node(name) / folder).mkdir(parents=True, exist_ok=True)
        if self.log(name).exists():
            self.log(name).replace(self.log(name).with_name("server.previous.log"))
        return self.node(name)

    def read_state(self) -> ServerState | None:
        """Read the state of the server, or return None if it was not started or has been stopped."""
        try:
            return ServerState.from_json(self._state_file.read_text())
        except FileNotFoundError:
            return None

    def write_state(self, state: ServerState) -> None:
        """Write the state file atomically."""
        self.path.mkdir(parents=True, exist_ok=True)
        draft = self._state_file.with_suffix(".draft")
        draft.write_text(state.to_json())
        draft.replace(self._state_file)

    def clear(self, *, data: bool) -> None:
        """Remove the state file, and with `data` the folders of the server; other files stay."""
        if data:
            shutil.rmtree(self.path / "nodes", ignore_errors=True)
            shutil.rmtree(self.security, ignore_errors=True)
        self._state_file.unlink(missing_ok=True)
        if data and self.path.exists() and not os.listdir(self.path):  # noqa: PTH208
            self.path.rmdir()

    @property
    def _state_file(self) -> Path:
        return self.path / "state.json"

"""Start, recognise and stop the process of a node."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_children: dict[int, subprocess.Popen[bytes]] = {}
"""Child processes by pid. They must be waited for, and a lifeline lasts as long as its pipe is held here."""

STOP_SECONDS = 30.0


@dataclass(frozen=True, kw_only=True)
class NodeProcess:
    """Process of a node, perhaps started by another Python process.

    Attributes:
        pid: Its pid, which the system reuses after its end.
        token: A random word in its command line, which identifies it.
    """

    pid: int
    token: str

    @classmethod
    def start(
        cls, command: Sequence[str], *, token: str, log: Path, environment: Mapping[str, str], lifeline: bool
    ) -> NodeProcess:
        """Start a process in its own session, so that Ctrl-C does not reach it.

        Args:
            command: Command line; must contain the token.
            token: A random word.
            log: File for its output.
            environment: Its environment.
            lifeline: Whether its standard input stays open as long as this process lives.
        """
        with log.open("wb") as output:
            child = subprocess.Popen(  # noqa: S603
                command,
                stdin=subprocess.PIPE if lifeline else subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(environment),
                start_new_session=True,
            )
        _children[child.pid] = child
        return cls(pid=child.pid, token=token)

    def is_alive(self) -> bool:
        """Return whether the process still runs; another one with its pid does not count."""
        child = _children.get(self.pid)
        if child is None:
            return self.token in read_command_line(self.pid)
        if child.poll() is None:  # a child keeps its number until it is waited for
            return True
        self._forget()
        return False

    def stop(self, *, force: bool = False) -> None:
        """Stop the process and wait until it has ended; another process with its pid is left alone."""
        if self.is_alive():
            self._signal(signal.SIGKILL if force else signal.SIGTERM)
            if not self._ends_within(STOP_SECONDS):
                self._signal(signal.SIGKILL)
                self._ends_within(STOP_SECONDS)
        self._forget()

    def _signal(self, number: signal.Signals) -> None:
        try:
            os.kill(self.pid, number)
        except ProcessLookupError:
            return

    def _ends_within(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while self.is_alive():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        return True

    def _forget(self) -> None:
        child = _children.pop(self.pid, None)
        if child is not None:
            if child.stdin is not None:
                child.stdin.close()
            child.wait()


def read_command_line(pid: int) -> str:
    """Read the command line of a process; the empty string if there is none, or it has ended."""
    if sys.platform == "linux":
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            return ""
    command = ["/bin/ps", "-ww", "-o", "command=", "-p", str(pid)]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603

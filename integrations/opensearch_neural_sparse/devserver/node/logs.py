"""Read the log of a node."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

SHOWN_LINES = 20
_ERROR = re.compile(r"\[ERROR\]|\[FATAL\]|Exception|Error\b|Caused by:")
_STACK = re.compile(r"^\s+at |^\s+\.\.\. \d+ more")
_BUSY_PORT = re.compile(r"BindException|BindHttpException|BindTransportException|Address already in use")


def last_lines(log: Path, count: int) -> str:
    """Return the last lines of a log, or the empty string if there is none."""
    if not log.exists():
        return ""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return "\n".join(lines[-count:] if count > 0 else [])


def error_lines(log: Path) -> str:
    """Return the error lines of a log without their stack traces, or its end if there are none."""
    if not log.exists():
        return ""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    errors = [line for line in lines if _ERROR.search(line) and not _STACK.search(line)]
    return "\n".join((errors or lines)[-SHOWN_LINES:])


def names_busy_port(log: str) -> bool:
    """Return whether a log reports a busy port."""
    return _BUSY_PORT.search(log) is not None

"""What a long step tells whoever waits for it. The library itself prints nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Step(StrEnum):
    """A step on the way to a running server."""

    DOWNLOAD = "download"
    ASSEMBLE = "assemble"
    START = "start"


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a step has come.

    Attributes:
        step: The step.
        version: The server's version.
        done: Bytes so far; 0 for steps that are not counted.
        total: Bytes in all; 0 for steps that are not counted.
    """

    step: Step
    version: str
    done: int = 0
    total: int = 0


OnProgress = Callable[[Progress], None]


def ignore_progress(progress: Progress) -> None:
    """Take a report and do nothing with it."""

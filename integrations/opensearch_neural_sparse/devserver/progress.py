"""Report the progress of starting a server to a callback; the library itself prints nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from opensearch_neural_sparse.errors import Choice


class Step(Choice):
    """Step of starting a server."""

    DOWNLOAD = "download"
    ASSEMBLE = "assemble"
    START = "start"


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Progress of a step.

    Attributes:
        step: The step.
        version: The server's version.
        subject: What is downloaded or assembled, where it is not the server itself.
        done: Bytes so far; 0 for steps without a count.
        total: Bytes in all; 0 for steps without a count.
    """

    step: Step
    version: str
    subject: str = ""
    done: int = 0
    total: int = 0


OnProgress = Callable[[Progress], None]


def ignore_progress(progress: Progress) -> None:
    """Ignore the progress."""

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
        done: Bytes so far; 0 for steps without a count.
        total: Bytes in all; 0 for steps without a count.
    """

    step: Step
    version: str
    done: int = 0
    total: int = 0


OnProgress = Callable[[Progress], None]


def ignore_progress(progress: Progress) -> None:
    """Ignore the progress."""

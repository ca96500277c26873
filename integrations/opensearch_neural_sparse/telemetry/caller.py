"""Warnings at the line of the program that called this package."""

from __future__ import annotations

import warnings
from inspect import currentframe
from types import FrameType

_BETWEEN = frozenset(
    {
        "opensearch_neural_sparse",
        "langchain_opensearch_neural_sparse",
        "haystack_integrations",
        "haystack",
        "langchain_core",
        "asyncio",
        "concurrent",
        "contextlib",
        "threading",
    }
)
"""Packages between a program and the place that warns: this one, the frameworks, and what runs tasks."""


def warn_caller(warning: Warning) -> None:
    """Issue a warning at the line that called this package or a framework over it.

    Python shows that line, and a filter of warnings by module means the caller's. Where this package works in a thread
    of its own, no line of the caller is known, and the warning is at the place that issues it.

    Args:
        warning: The warning.
    """
    frame, level = currentframe(), 1
    while frame is not None and _is_between(frame):
        frame, level = frame.f_back, level + 1
    warnings.warn(warning, stacklevel=level if frame is not None else 2)


def _is_between(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0] in _BETWEEN

"""The body of an index template: indices that the server makes by itself carry their model, too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def index_template_body(patterns: Iterable[str], index: Mapping[str, Any], *, priority: int) -> dict[str, Any]:
    """Return the body of `PUT /_index_template/<name>`.

    Args:
        patterns: Names of the indices it is for, with `*`.
        index: The body that creates such an index, as `create_index_body` gives it.
        priority: Of several templates that match, the highest counts.

    Raises:
        TypeError: One string in place of several.
        ValueError: No pattern.
    """
    if isinstance(patterns, str):
        raise TypeError(f"Several patterns are taken, got the one string {patterns!r}; put it into a list.")
    if not (wanted := list(patterns)):
        raise ValueError("A template is for at least one pattern, such as 'articles-*'.")
    return {"index_patterns": wanted, "priority": priority, "template": dict(index)}

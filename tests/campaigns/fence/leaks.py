"""Whether anything of a secret document is in a result, however deep it lies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from tests.campaigns.fence.site import CANARY, SECRET_ID

COUNTS = ("doc_count", "bg_count", "total", "count")
"""Keys of numbers of documents."""
_DEEPEST = 40


def leaks(result: object, most: int) -> list[str]:
    """Return what a result holds of secret documents.

    Args:
        result: What a search returned.
        most: How many open documents there are; more cannot be counted.
    """
    return [leak for path, value in leaves(result) if (leak := _leak(path, value, most)) is not None]


def leaks_of_error(error: BaseException) -> list[str]:
    """Return what a message holds of secret documents; ids that the filter itself named are none."""
    return [f"message: {error}"] if CANARY in str(error) else []


def leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield every plain value in a result with the keys that lead to it, and keys of mappings as values, too."""
    if len(path) > _DEEPEST:
        raise ValueError(f"A result is nested more than {_DEEPEST} levels deep: {path}.")
    if value is None or isinstance(value, str | bytes | int | float | bool):
        yield path, value
    elif isinstance(value, Mapping):
        for key, part in value.items():
            yield path, str(key)
            yield from leaves(part, (*path, str(key)))
    else:
        for name, part in _attributes(value):
            yield from leaves(part, (*path, name))
        if isinstance(value, Iterable):
            for place, part in enumerate(value):
                yield from leaves(part, (*path, str(place)))


def _attributes(value: Any) -> list[tuple[str, Any]]:
    if is_dataclass(value):
        return [(each.name, getattr(value, each.name)) for each in fields(value)]
    return list(vars(value).items()) if hasattr(value, "__dict__") else []


def _leak(path: tuple[str, ...], value: Any, most: int) -> str | None:
    where = ".".join(path)
    if isinstance(value, str | bytes):
        text = value if isinstance(value, str) else value.decode(errors="replace")
        return f"{where}: {text[:80]!r}" if CANARY in text or SECRET_ID in text else None
    is_count = path[-1:] in [(key,) for key in COUNTS] or path[-2:] == ("total", "value")
    if is_count and isinstance(value, int | float) and not isinstance(value, bool) and value > most:
        return f"{where}: {value} documents, of which {most} are open"
    return None

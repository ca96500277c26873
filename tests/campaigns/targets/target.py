"""Something that is called with hostile arguments, beside such as are right."""

from __future__ import annotations

import enum
import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

MOST_READ = 1_000
"""Values that are read of an iterator."""


@dataclass(frozen=True)
class Target:
    """A callable.

    Attributes:
        name: Its name.
        call: What is called.
        right: Makes arguments that are right, for every parameter that needs one.
        parameters: Parameters that are given hostile values.
    """

    name: str
    call: Callable[..., Any] = field(repr=False)
    right: Callable[[], Mapping[str, Any]] = field(repr=False)
    parameters: tuple[str, ...]

    def __call__(self, hostile: Mapping[str, Any]) -> Any:
        """Call it, and use what it returns as programs do: an iterator is read, a value is shown."""
        given = {**self.right(), **hostile}
        positional = [given.pop(name) for name in _positional(self.call) if name in given]
        result = self.call(*positional, **given)
        if isinstance(result, Iterator):
            return [each for each, _ in zip(result, range(MOST_READ), strict=False)]
        if not inspect.isawaitable(result):
            with suppress(RecursionError):  # of a hostile value that nobody can show
                repr(result)
        return result


def target(
    name: str, call: Callable[..., Any], right: Callable[[], Mapping[str, Any]] = dict, *, without: tuple[str, ...] = ()
) -> Target:
    """Return a callable as a target; every parameter that its signature names is given hostile values.

    Args:
        name: Its name.
        call: What is called.
        right: Makes arguments that are right.
        without: Parameters that are left as they are.
    """
    return Target(name, call, right, tuple(each for each in _parameters(call) if each not in without))


def _parameters(call: Callable[..., Any]) -> list[str]:
    if isinstance(call, enum.EnumType):
        return ["value"]
    if fields := getattr(call, "model_fields", None):
        return [name for name in fields if name not in ("tags", "metadata", "name")]
    return [each.name for each in _signature(call) if each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)]


def _positional(call: Callable[..., Any]) -> list[str]:
    if isinstance(call, enum.EnumType):
        return ["value"]
    return [each.name for each in _signature(call) if each.kind is each.POSITIONAL_ONLY]


def _signature(call: Callable[..., Any]) -> list[inspect.Parameter]:
    plain = call.__init__ if inspect.isclass(call) else call
    return [each for each in inspect.signature(plain).parameters.values() if each.name != "self"]

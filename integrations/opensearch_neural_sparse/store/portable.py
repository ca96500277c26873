"""Copies and pickles of objects that hold clients and models open."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, ClassVar, Self


class Portable:
    """Base of objects that are copied and pickled without what they opened; what was handed in is shared.

    Copies open clients and load models of their own when they are first used.
    """

    _OPENED: ClassVar[frozenset[str]] = frozenset()
    """Attributes that `_begin` sets, or that appear later; copies leave them out."""

    def _begin(self) -> None:
        """Set the attributes of an object that has opened nothing."""
        raise NotImplementedError

    def _ensure_picklable(self) -> None:
        """Raise TypeError where something was handed in that no other process can have."""

    def __getstate__(self) -> dict[str, Any]:
        self._ensure_picklable()
        return self._as_made()

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._begin()

    def __copy__(self) -> Self:
        return deepcopy(self)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        copy = memo[id(self)] = object.__new__(type(self))
        made = self._as_made().items()
        copy.__setstate__({k: deepcopy(value, memo) if isinstance(value, Portable) else value for k, value in made})
        return copy

    def _as_made(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in self._OPENED}

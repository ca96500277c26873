"""Values made on first use, left out of copies."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from threading import RLock
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Lazy(Generic[Value]):
    """A value that is made once, by the thread that first needs it; deep copies and pickles start without one.

    Args:
        make: Makes it.
    """

    def __init__(self, make: Callable[[], Value]) -> None:
        self._make = make
        self._value: Value | None = None
        self._lock = RLock()

    def get(self) -> Value:
        """Return the value, made if it is not there."""
        with self._lock:
            if self._value is None:
                self._value = self._make()
            return self._value

    async def get_async(self) -> Value:
        """Return the value, made off the event loop if it is not there."""
        value = self._value
        return await asyncio.to_thread(self.get) if value is None else value

    def take(self) -> Value | None:
        """Return the value if it was made, and hold it no longer."""
        with self._lock:
            value, self._value = self._value, None
            return value

    def __reduce__(self) -> tuple[type[Lazy[Value]], tuple[Callable[[], Value]]]:
        return Lazy, (self._make,)

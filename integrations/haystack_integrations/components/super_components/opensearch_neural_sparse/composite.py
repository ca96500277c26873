"""Components that consist of others."""

from __future__ import annotations

from typing import Any, ClassVar, Protocol

from haystack import Document
from haystack.core.serialization import component_to_dict


class DocumentStep(Protocol):
    """A component that takes documents and returns documents: a splitter, a cleaner, an embedder."""

    def run(self, documents: list[Document]) -> dict[str, Any]:
        """Return `documents`."""
        ...


class Composite:
    """A component of several parts, which are warmed up and closed with it."""

    _PARTS: ClassVar[tuple[str, ...]] = ()
    """Attributes that hold the parts, in the order in which they run."""

    def warm_up(self) -> None:
        """Load what the parts need."""
        for part in self._parts():
            if hasattr(part, "warm_up"):
                part.warm_up()

    async def warm_up_async(self) -> None:
        """Load what the parts need, as they do it for asynchronous use."""
        for part in self._parts():
            if hasattr(part, "warm_up_async"):
                await part.warm_up_async()
            elif hasattr(part, "warm_up"):
                part.warm_up()

    def close(self) -> None:
        """Release models and connections; the next run opens them again."""
        for part in self._parts():
            if hasattr(part, "close"):
                part.close()

    async def close_async(self) -> None:
        """Release models and connections, those for asynchronous use included."""
        for part in self._parts():
            if hasattr(part, "close_async"):
                await part.close_async()
            elif hasattr(part, "close"):
                part.close()

    def _parts(self) -> list[Any]:
        return [getattr(self, name) for name in self._PARTS]


def saved_part(part: object | None, name: str) -> dict[str, Any] | None:
    """Return an optional part as plain values."""
    return None if part is None else component_to_dict(part, name)

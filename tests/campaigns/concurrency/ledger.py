"""What a program was told of its writes, and what an index must hold in the end."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass
class Entry:
    """What is known of a document.

    Attributes:
        index: UUID of the index that it was written for.
        present: Whether it is there; None where an error left it open.
        values: What its metadata may hold.
    """

    index: str
    present: bool | None
    values: set[int] = field(default_factory=set)


class Ledger:
    """Acknowledged writes, deletions and updates by document; ids are unique across indices."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}
        self._lock = threading.Lock()

    def begin(self, index: str, ids: Iterable[str]) -> None:
        """Note documents before they are written for the index of a UUID."""
        with self._lock:
            self._entries.update({name: Entry(index, None, {0}) for name in ids})

    def written(self, ids: Iterable[str]) -> None:
        """Note that a write was acknowledged."""
        with self._lock:
            for name in ids:
                self._entries[name].present = True

    def deleting(self, document_id: str) -> None:
        """Note a document before it is deleted."""
        with self._lock:
            self._entries[document_id].present = None

    def deleted(self, document_id: str, count: int) -> None:
        """Note the answer to a deletion; none was deleted where the name led to another index."""
        with self._lock:
            self._entries[document_id].present = count == 0

    def updating(self, document_id: str, value: int) -> None:
        """Note a value before it is written."""
        with self._lock:
            self._entries[document_id].values.add(value)

    def updated(self, document_id: str, value: int) -> None:
        """Note that a value was acknowledged."""
        with self._lock:
            self._entries[document_id].values = {value}

    def is_acknowledged(self, document_id: str) -> bool:
        """Return whether a document was ever told to be written, or deleted."""
        with self._lock:
            entry = self._entries.get(document_id)
            return entry is not None and entry.present is not None

    def check(self, index: str, found: Mapping[str, int]) -> list[str]:
        """Return what is wrong with an index.

        Args:
            index: Its UUID.
            found: Id -> value of the documents in it.
        """
        with self._lock:
            mine = {name: entry for name, entry in self._entries.items() if entry.index == index}
            lost = [
                f"{name} was written and is lost" for name, each in mine.items() if each.present and name not in found
            ]
            back = [
                f"{name} was deleted and is there"
                for name, each in mine.items()
                if each.present is False and name in found
            ]
            stale = [
                f"{name} holds {found[name]}, not one of {sorted(each.values)}"
                for name, each in mine.items()
                if each.present and name in found and found[name] not in each.values
            ]
            strange = [
                f"{name} was acknowledged in another index"
                for name in found.keys() - mine.keys()
                if (other := self._entries.get(name)) is None or other.present
            ]
        return [*lost, *back, *stale, *strange]

    def certain(self, index: str) -> set[str]:
        """Return the documents that must be in an index."""
        with self._lock:
            return {name for name, entry in self._entries.items() if entry.index == index and entry.present}

    def check_under_way(self, before: set[str], index: str, found: Iterable[str]) -> list[str]:
        """Return what is lost in an index that programs write to meanwhile.

        Args:
            before: What must have been in it before it was read.
            index: Its UUID.
            found: Ids of the documents that were read.
        """
        lost = (before & self.certain(index)) - set(found)
        return [f"{name} was written and is lost" for name in sorted(lost)]

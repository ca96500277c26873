"""Read the JSON files of a model folder, which anybody may have written."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from opensearch_neural_sparse.errors import ModelFilesError

LARGEST_NUMBER = 2**31 - 1
_REQUIRED: Any = object()


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        ModelFilesError: The file is missing, no regular file, or not JSON.
    """
    if path.exists() and not path.is_file():
        raise ModelFilesError(f"{path} is no regular file. Download or save the model again.")
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError:
        raise ModelFilesError(f"{path} is missing. A SparseEncoder saved by sentence-transformers has it.") from None
    except OSError as error:
        raise ModelFilesError(f"{path} cannot be read: {error.strerror or error}.") from None
    except (ValueError, RecursionError) as error:
        raise ModelFilesError(f"{path} is not JSON: {error}. Download or save the model again.") from None


def read_object(path: Path) -> JsonObject:
    """Read a JSON file that holds an object.

    Raises:
        ModelFilesError: The file is missing, or holds something else.
    """
    return JsonObject.of(path, read_json(path), "")


@dataclass(frozen=True)
class JsonObject:
    """An object in a JSON file; its fields are read by their kind, and an error names the file and the field.

    A field of value null counts as one that is missing.

    Attributes:
        path: The file.
        content: Field -> value.
        place: Where the object is in the file; empty for the whole of it.
    """

    path: Path
    content: Mapping[str, Any]
    place: str = ""

    @classmethod
    def of(cls, path: Path, content: Any, place: str) -> JsonObject:
        """Return a value of a file as an object.

        Raises:
            ModelFilesError: It is none.
        """
        if not isinstance(content, dict):
            where = f"field {place!r} of {path}" if place else str(path)
            raise ModelFilesError(f"{where} is {_kind(content)}, not an object. Download or save the model again.")
        return cls(path, content, place)

    def text(self, name: str, default: str = _REQUIRED) -> str:
        """Return a text."""
        value = self._value(name, default)
        return value if isinstance(value, str) else self.refuse(name, "a text")

    def flag(self, name: str, *, default: bool) -> bool:
        """Return a truth value."""
        value = self._value(name, default)
        return value if isinstance(value, bool) else self.refuse(name, "true or false")

    def whole(self, name: str, default: int = _REQUIRED, *, least: int = 0) -> int:
        """Return a whole number."""
        value = self._value(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= LARGEST_NUMBER:
            self.refuse(name, f"a whole number from {least} to {LARGEST_NUMBER}")
        return value

    def number(self, name: str, default: float = _REQUIRED) -> float:
        """Return a positive number."""
        value = self._value(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= LARGEST_NUMBER:
            self.refuse(name, f"a number above 0, up to {LARGEST_NUMBER}")
        return float(value)

    def texts(self, name: str) -> list[str]:
        """Return a list of texts; an empty one where the field is missing."""
        value = self._value(name, [])
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            self.refuse(name, "a list of texts")
        return value

    def inner(self, name: str) -> JsonObject:
        """Return an object within this one; an empty one where the field is missing."""
        return JsonObject.of(self.path, self._value(name, {}), self._named(name))

    def text_fields(self) -> Iterator[tuple[str, str]]:
        """Yield the fields and their values, all of them texts."""
        for name in self.content:
            yield name, self.text(name)

    def refuse(self, name: str, wanted: str) -> NoReturn:
        """Raise ModelFilesError for a field.

        Args:
            name: The field.
            wanted: What its value should be.
        """
        found = _kind(self.content.get(name))
        raise ModelFilesError(
            f"{self.path}: field {self._named(name)!r} is {found}, not {wanted}. Download or save the model again."
        )

    def _value(self, name: str, default: Any) -> Any:
        value = self.content.get(name)
        if value is not None:
            return value
        if default is _REQUIRED:
            raise ModelFilesError(f"{self.path} has no field {self._named(name)!r}. Download or save the model again.")
        return default

    def _named(self, name: str) -> str:
        return f"{self.place}.{name}" if self.place else name


def _kind(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, int | float):
        return f"the number {value}" if -LARGEST_NUMBER <= value <= LARGEST_NUMBER else "a number out of range"
    if isinstance(value, str):
        return "a text"
    return "a list" if isinstance(value, list) else "an object"

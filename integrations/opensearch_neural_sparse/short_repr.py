"""Representations of dataclasses without the fields that have their defaults."""

from __future__ import annotations

from dataclasses import MISSING, Field, fields
from enum import StrEnum
from types import MappingProxyType
from typing import Any


def short_repr(value: Any) -> str:
    """Return the representation of a dataclass, without the fields that have their defaults.

    A field that is kept out of representations, such as a text or a vector, shows as `...` where it was given. Set as
    `__repr__` in the body of a class, it stays in place of the generated method.

    Args:
        value: An instance of the dataclass.
    """
    given = [(one, getattr(value, one.name)) for one in fields(value)]
    shown = [f"{one.name}={_shown(one, content)}" for one, content in given if not _is_default(one, content)]
    return f"{type(value).__qualname__}({', '.join(shown)})"


def _is_default(field: Field[Any], content: object) -> bool:
    default = field.default if field.default_factory is MISSING else field.default_factory()
    plain, usual = (dict(each) if isinstance(each, MappingProxyType) else each for each in (content, default))
    return content is default or (type(plain) is type(usual) and plain == usual)


def _shown(field: Field[Any], content: object) -> str:
    if not field.repr:
        return "..."
    if isinstance(content, StrEnum):
        return repr(str(content))
    return repr(dict(content)) if isinstance(content, MappingProxyType) else repr(content)

"""Checks of arguments at the rim: a value of a wrong type is refused by the name of its parameter.

Each check takes arguments by name, so that one line checks several of a kind:

```python
check_text(text=text)
check_count(1, batch_size=batch_size, in_flight=in_flight)
check_type(SparseTokenizer, optional=True, tokenizer=tokenizer)
```

A type is a `TypeError`, which names the type alone: a value may be a secret, or somebody's text. A number out of range
is a `ValueError`, which names the number.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sized
from numbers import Integral, Real
from os import PathLike
from typing import Any

from opensearch_neural_sparse.error_reasons import shown_value

_ONE: Mapping[type, str] = {Mapping: "mapping (dict)", Iterable: "list"}
"""Class of an argument -> what a message calls it, where that is not its name."""
_SEVERAL: Mapping[type, str] = {
    str: "texts (str)",
    int: "whole numbers (int)",
    Integral: "whole numbers (int)",
    float: "numbers",
    Real: "numbers",
}
"""Class of what a list holds -> what a message calls it."""


def check_type(
    kind: type | tuple[type, ...], *, but: tuple[type, ...] | type = (), optional: bool = False, **given: object
) -> None:
    """Raise TypeError for an argument that is not of a class, or of none of several.

    Args:
        kind: The class, or classes.
        but: Its subclasses that are wrong all the same.
        optional: Whether None is right, too.
        **given: Name of a parameter -> its argument.
    """
    kinds = kind if isinstance(kind, tuple) else (kind,)
    names = " or ".join(_ONE.get(each, each.__name__) for each in kinds)
    wanted = f"{'an' if names[0] in 'AEIOUaeiou' else 'a'} {names}"
    _check(lambda value: isinstance(value, kinds) and not isinstance(value, but), wanted, given, optional)


def check_text(*, optional: bool = False, **given: object) -> None:
    """Raise TypeError for an argument that is no text.

    Args:
        optional: Whether None is right, too.
        **given: Name of a parameter -> its argument.
    """
    _check(lambda value: isinstance(value, str), "a text (str)", given, optional)


def check_flag(**given: object) -> None:
    """Raise TypeError for an argument that is neither True nor False.

    Args:
        **given: Name of a parameter -> its argument.
    """
    _check(lambda value: isinstance(value, bool), "True or False", given)


def check_count(least: int | None = None, *, optional: bool = False, **given: object) -> None:
    """Raise TypeError for an argument that is no whole number, and ValueError for one that counts nothing.

    Args:
        least: Smallest number that is right; None leaves numbers to the caller.
        optional: Whether None is right, too.
        **given: Name of a parameter -> its argument.
    """
    _check(_is_whole, "a whole number (int)", given, optional)
    _check_range(-sys.maxsize if least is None else least, sys.maxsize, given)


def check_number(least: float | None = None, *, optional: bool = False, **given: object) -> None:
    """Raise TypeError for an argument that is no number, and ValueError for one that is too small, or NaN.

    Args:
        least: Smallest number that is right; None leaves numbers to the caller.
        optional: Whether None is right, too.
        **given: Name of a parameter -> its argument.
    """
    _check(_is_number, "a number", given, optional)
    _check_range(least, sys.float_info.max, {name: value for name, value in given.items() if isinstance(value, int)})
    _check_range(least, None, given)


def check_path(*, optional: bool = False, **given: object) -> None:
    """Raise TypeError for an argument that names no file or folder.

    Args:
        optional: Whether None is right, too.
        **given: Name of a parameter -> its argument.
    """
    _check(lambda value: isinstance(value, str | PathLike), "a path (str or Path)", given, optional)


def check_mapping(*, optional: bool = False, **given: object) -> None:
    """Raise TypeError for an argument that is no mapping, or has a key that is no text.

    Args:
        optional: Whether None is right, too.
        **given: Name of a parameter -> its argument.
    """
    _check(_is_mapping, "a mapping (dict) with texts as keys", given, optional)


def check_list(of: type | tuple[type, ...] = object, *, optional: bool = False, **given: object) -> None:
    """Raise TypeError for an argument that is no list, or that holds something else than it should.

    An array, a tuple, a set and whatever else has a length and can be walked through is a list here; a text and a
    mapping are none.

    Args:
        of: Class of what it holds, or classes.
        optional: Whether None is right, too.
        **given: Name of a parameter -> its argument.
    """
    kinds = of if isinstance(of, tuple) else (of,)
    names = " or ".join(dict.fromkeys(_SEVERAL.get(each, each.__name__) for each in kinds))
    wanted = "a list" if of is object else f"a list of {names}"
    _check(_is_list, wanted, given, optional)
    for name, values in given.items():
        for place, value in enumerate(values if isinstance(values, Iterable) and of is not object else ()):
            if not isinstance(value, of):
                raise TypeError(f"{name} is {wanted}, got {type(value).__name__} at place {place}.")


def check_texts(*, optional: bool = False, **given: object) -> None:
    """Raise TypeError for an argument that is no list of texts.

    Args:
        optional: Whether None is right, too.
        **given: Name of a parameter -> its argument.
    """
    check_list(str, optional=optional, **given)


def check_members(*members: str, optional: bool = False, **given: object) -> None:
    """Raise TypeError for an argument that lacks an attribute or method; a protocol is known by these.

    Args:
        *members: Names of the attributes and methods.
        optional: Whether None is right, too.
        **given: Name of a parameter -> its argument.
    """
    wanted = f"an object with {', '.join(members)}"

    def has_all(value: object) -> bool:
        return not isinstance(value, type) and all(hasattr(value, member) for member in members)

    _check(has_all, wanted, given, optional)


def _check(right: Callable[[Any], bool], wanted: str, given: Mapping[str, object], optional: bool = False) -> None:
    for name, value in given.items():
        if not (right(value) or (optional and value is None)):
            raise TypeError(f"{name} is {wanted}{' or None' if optional else ''}, got {type(value).__name__}.")


def _check_range(least: float | None, most: float | None, given: Mapping[str, Any]) -> None:
    for name, value in given.items():
        if value is not None and least is not None and not value >= least:
            raise ValueError(f"{name} is {shown_value(value)}; it must be {least} or more.")
        if value is not None and most is not None and value > most:
            raise ValueError(f"{name} is {shown_value(value)}; it must be {most} or less.")


def _is_whole(value: object) -> bool:
    return isinstance(value, int | Integral) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    return isinstance(value, float | int | Real) and not isinstance(value, bool)


def _is_mapping(value: object) -> bool:
    return isinstance(value, Mapping) and all(isinstance(key, str) for key in value)


def _is_list(value: object) -> bool:
    return isinstance(value, Sized) and isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping)

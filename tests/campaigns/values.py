"""Hostile values: of every type, of every size, and such as break what reads them."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np

Make = Callable[[], Any]


class Liar(Mapping[str, Any]):
    """A mapping that says it has keys, and has none."""

    def __getitem__(self, key: str) -> Any:
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        return iter(("id", "text"))

    def __len__(self) -> int:
        return 2


class Colour(Enum):
    RED = "red"


def _failing() -> Iterator[Any]:
    yield "first"
    raise ValueError("the source broke")


def _loop() -> list[Any]:
    loop: list[Any] = []
    loop.append(loop)
    return loop


def deep(levels: int) -> Any:
    """Return a mapping of mappings."""
    value: Any = 1
    for _ in range(levels):
        value = {"a": value}
    return value


TEXTS: tuple[str, ...] = (
    "",
    " ",
    "\t\n",
    "x",
    "\x00",
    "a\x00b",
    "\ud800",
    "\udc00x",
    "\u202ereversed",
    "\ufeff",
    "\U0010ffff",
    "e\u0301" * 3,
    "日本語",
    "👩‍👩‍👧",
    "a" * 600,
    "a" * 40_000,
    "é" * 20_000,
    "*",
    "_all",
    "_source",
    "-x",
    ".",
    "..",
    "a.b",
    "a..b",
    ".a",
    "a.",
    "a,b",
    "a b",
    "../../etc/passwd",
    "/etc/passwd",
    "<script>",
    "%2e%2e",
    "{{x}}",
    "${x}",
    "'; DROP TABLE",
    '"quoted"',
    "\\",
    "$eq",
    "$and",
    "true",
    "null",
    "NaN",
    "1e400",
    "2024-01-01",
    "2024-13-45",
    "0000-00-00T99:99",
    "id",
    "meta",
    "content",
    "sparse_vector",
    "__class__",
    "http://[::1",
    "file:///etc/passwd",
    "now/d",
    "1d",
    "now-99999999999y",
)
NUMBERS: tuple[Any, ...] = (
    0, -1, 1, 2, 7, 10_001, 2**31, 2**53 + 1, 2**63, -(2**63) - 1, 10**400, 0.0, -0.0, 0.5, 1e-320, 1e308, 1.5,
    math.nan, math.inf, -math.inf, True, False,
)  # fmt: skip
OTHERS: tuple[Make, ...] = (
    lambda: None,
    lambda: b"bytes",
    lambda: bytearray(b"\xff"),
    list,
    lambda: [None],
    lambda: [[]],
    lambda: ["x"],
    lambda: ["x", 1, None],
    lambda: [{}],
    lambda: [{"a": 1}],
    tuple,
    lambda: ("x",),
    lambda: ("x", 1),
    dict,
    lambda: {"a": 1},
    lambda: {"a": None},
    lambda: {1: 2},
    lambda: {None: None},
    lambda: {"": ""},
    lambda: {"a": {"b": [1, "x", None]}},
    lambda: {"term": {"a": 1}},
    lambda: {"$and": []},
    set,
    lambda: {"x"},
    lambda: frozenset({"x"}),
    object,
    lambda: object,
    lambda: int,
    lambda: print,
    lambda: lambda *a, **b: None,
    lambda: ...,
    lambda: NotImplemented,
    lambda: Path("/no/such/place"),
    lambda: Path(),
    lambda: datetime(2024, 1, 1, tzinfo=UTC),
    lambda: datetime.max,  # noqa: DTZ901
    lambda: date(1, 1, 1),
    lambda: timedelta(days=1),
    lambda: Decimal("1.10"),
    lambda: Decimal("NaN"),
    lambda: Fraction(1, 3),
    lambda: 1 + 2j,
    lambda: UUID(int=1),
    lambda: np.float32(0.1),
    lambda: np.int64(7),
    lambda: np.bool_(True),
    lambda: np.array([1.0, 2.0]),
    lambda: np.array([]),
    lambda: np.zeros((2, 2)),
    lambda: np.array(["x"], dtype=object),
    lambda: range(3),
    lambda: iter(()),
    _failing,
    _loop,
    lambda: deep(150),
    lambda: deep(2_000),
    Liar,
    lambda: Colour.RED,
    lambda: ValueError("an error as a value"),
    lambda: memoryview(b"abc"),
    lambda: {"a": _loop()},
)


def makers() -> list[tuple[str, Make]]:
    """Return every hostile value by a name, each made when it is needed."""
    plain = [(_shown(value), _constant(value)) for value in (*TEXTS, *NUMBERS)]
    return plain + [(f"value {number}: {_name(make)}", make) for number, make in enumerate(OTHERS)]


def any_value(chance: random.Random) -> Any:
    """Return a hostile value."""
    return chance.choice(MAKERS)[1]()


def _constant(value: Any) -> Make:
    return lambda: value


def _shown(value: object) -> str:
    if isinstance(value, int) and abs(value) > 2**70:
        return f"a number of {value.bit_length()} bits"
    shown = repr(value)
    return shown if len(shown) <= 40 else f"{shown[:30]}... ({len(shown)} characters)"


def _name(make: Make) -> str:
    try:
        return type(make()).__name__
    except Exception as error:  # noqa: BLE001  a name alone
        return type(error).__name__


MAKERS = makers()

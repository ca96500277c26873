"""Boosts of scores by the fields of documents."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from opensearch_neural_sparse.arguments import check_number, check_text
from opensearch_neural_sparse.error_reasons import shown_value
from opensearch_neural_sparse.errors import Choice
from opensearch_neural_sparse.index.metadata.instants import AS_DATE
from opensearch_neural_sparse.short_repr import short_repr

_DURATION = re.compile(r"\d+(\.\d+)?(d|h|m|s|ms)")


class BoostMode(Choice):
    """Change of a score by a boost: `MULTIPLY` is `score * (1 + weight * value)`, `ADD` is `score + weight * value`."""

    MULTIPLY = "multiply"
    ADD = "add"


class Modifier(Choice):
    """Function of a field's value in a `FieldBoost`; `LN1P` is `ln(1 + x)`, `LOG1P` the same to the base of 10."""

    NONE = "none"
    LOG1P = "log1p"
    LN1P = "ln1p"
    SQRT = "sqrt"
    SQUARE = "square"


class DecayCurve(Choice):
    """Curve by which a `RecencyBoost` falls with age."""

    EXP = "exp"
    GAUSS = "gauss"
    LINEAR = "linear"


BoostModeLike = BoostMode | Literal["multiply", "add"]
"""A `BoostMode`, or its value as text."""
ModifierLike = Modifier | Literal["none", "log1p", "ln1p", "sqrt", "square"]
"""A `Modifier`, or its value as text."""
DecayCurveLike = DecayCurve | Literal["exp", "gauss", "linear"]
"""A `DecayCurve`, or its value as text."""


@dataclass(frozen=True, kw_only=True)
class RecencyBoost:
    """Boost of recent documents: the value is 1 at the origin, and falls on both sides of it.

    A document without the field has the value 0, so that its score stays as it is.

    Attributes:
        field: A field with dates.
        scale: At which distance from the origin the value is `decay`, such as `30d` or `12h`.
        decay: Value at that distance, between 0 and 1.
        weight: Factor on the value.
        mode: Whether the score is multiplied or added to.
        origin: The newest date; `now` is the server's time, at which scores of one page differ from those of the next.
        offset: Distance up to which the value stays 1.
        curve: How the value falls.
        subfield: Where dates of the field are kept as such: `as_date` in metadata of this package; None for a date
            field that another program mapped.

    Raises:
        ValueError: No field, or a distance, decay or weight that is none.
    """

    field: str
    scale: str
    decay: float = 0.5
    weight: float = 1.0
    mode: BoostModeLike = BoostMode.MULTIPLY
    origin: str = "now"
    offset: str = "0d"
    curve: DecayCurveLike = DecayCurve.EXP
    subfield: str | None = AS_DATE

    __repr__ = short_repr

    def __post_init__(self) -> None:
        object.__setattr__(self, "mode", BoostMode(self.mode))
        object.__setattr__(self, "curve", DecayCurve(self.curve))
        _check_field(self.field)
        _check_weight(self.weight)
        check_number(decay=self.decay)
        check_text(origin=self.origin)
        check_text(optional=True, subfield=self.subfield)
        if not 0 < self.decay < 1:
            raise ValueError(f"decay lies between 0 and 1, got {shown_value(self.decay)}.")
        for name, distance in (("scale", self.scale), ("offset", self.offset)):
            if not isinstance(distance, str) or _DURATION.fullmatch(distance) is None:
                raise ValueError(f"{name} is a time such as '30d', '12h' or '90m', got {shown_value(distance)}.")

    @property
    def path(self) -> str:
        """Full name of the field that is read: the field, or its subfield."""
        return self.field if self.subfield is None else f"{self.field}.{self.subfield}"

    def function(self) -> dict[str, Any]:
        """Return the function of a `function_score` query."""
        field = self.path
        curve = {"origin": self.origin, "scale": self.scale, "offset": self.offset, "decay": self.decay}
        return {"filter": {"exists": {"field": field}}, str(self.curve): {field: curve}, "weight": self.weight}


@dataclass(frozen=True, kw_only=True)
class FieldBoost:
    """Boost by a number field: the value is `modifier(factor * x)`.

    A document without the field, or with a number below 0, has the value 0, so that its score stays as it is.

    Attributes:
        field: A number field; of several numbers the smallest counts.
        factor: Factor on the number.
        modifier: Function of the product.
        weight: Factor on the value.
        mode: Whether the score is multiplied or added to.

    Raises:
        ValueError: No field, or a factor or weight that is not above 0.
    """

    field: str
    factor: float = 1.0
    modifier: ModifierLike = Modifier.NONE
    weight: float = 1.0
    mode: BoostModeLike = BoostMode.MULTIPLY

    __repr__ = short_repr

    def __post_init__(self) -> None:
        object.__setattr__(self, "mode", BoostMode(self.mode))
        object.__setattr__(self, "modifier", Modifier(self.modifier))
        _check_field(self.field)
        _check_weight(self.weight)
        _check_weight(self.factor, "factor")

    @property
    def path(self) -> str:
        """Full name of the field that is read."""
        return self.field

    def function(self) -> dict[str, Any]:
        """Return the function of a `function_score` query, which an index without the field takes, too."""
        value = {"field": self.field, "factor": self.factor, "modifier": str(self.modifier), "missing": 0}
        return {"filter": {"range": {self.field: {"gte": 0}}}, "field_value_factor": value, "weight": self.weight}


Boost = RecencyBoost | FieldBoost
"""A boost of scores."""


def check_boosts(boosts: object) -> tuple[Boost, ...]:
    """Return the boosts of a search.

    Raises:
        TypeError: They are no list of boosts.
    """
    if isinstance(boosts, str) or not isinstance(boosts, Sequence):
        raise TypeError(f"boosts is a list of RecencyBoost and FieldBoost, got {type(boosts).__name__}.")
    for boost in boosts:
        if not isinstance(boost, Boost):
            raise TypeError(f"A boost is a RecencyBoost or FieldBoost, got {type(boost).__name__}.")
    return tuple(boosts)


def renamed_boosts(boosts: Iterable[Boost], rename: Callable[[str], str]) -> tuple[Boost, ...]:
    """Return boosts with other names of fields.

    Args:
        boosts: The boosts.
        rename: Function from the name of a field to the one in the index.
    """
    return tuple(replace(boost, field=rename(boost.field)) for boost in boosts)


def _check_field(field: object) -> None:
    if not isinstance(field, str) or not field:
        raise ValueError(f"A boost names a field, got {shown_value(field)}.")


def _check_weight(weight: object, name: str = "weight") -> None:
    if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 < weight <= sys.float_info.max:
        raise ValueError(f"{name} is a finite number above 0, got {shown_value(weight)}.")

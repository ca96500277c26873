"""An argument of a wrong type is refused by the name of its parameter, and a right one is taken."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opensearch_neural_sparse import Fusion, SearchOptions, SparseVector, WriteOptions, get_model
from opensearch_neural_sparse.arguments import (
    check_count,
    check_flag,
    check_list,
    check_mapping,
    check_members,
    check_number,
    check_path,
    check_text,
    check_texts,
    check_type,
)
from tests.campaigns.values import MAKERS, Make

Check = Callable[..., None]
CHECKS: Mapping[str, tuple[Check, tuple[Any, ...]]] = {
    "text": (check_text, ("", "x", "\ud800")),
    "flag": (check_flag, (True, False)),
    "count": (check_count, (0, 7, -1, np.int64(7), sys.maxsize)),
    "number": (check_number, (0, 0.5, -1e308, np.float32(0.5), math.inf)),
    "path": (check_path, ("x", Path("x"))),
    "mapping": (check_mapping, ({}, {"x": object()}, MappingProxyType({"x": 1}), SparseVector({"x": 1.0}))),
    "list": (check_list, ([], (1, "x"), {1}, np.array([1.0, 2.0]), {"x": 1}.keys(), range(3))),
    "texts": (check_texts, ([], ["x"], ("x",), {"x"}, np.array(["x"], dtype=object), {"x": 1}.keys())),
}
"""Kind of an argument -> its check, and such as are right."""
REFUSED: Mapping[str, tuple[Any, ...]] = {
    "text": (b"x", 1, Path("x"), ["x"]),
    "flag": (0, 1, "true", np.array([True, False])),
    "count": (True, 1.0, "1", 1j, np.array([1])),
    "number": (True, "1", 1j, np.array([1.0])),
    "path": (b"x", 1, ["x"]),
    "mapping": ([("x", 1)], "x", {1: 2}, {None: 1}),
    "list": ("x", b"x", {"x": 1}, 1, iter([1])),
    "texts": ("x", [1], ["x", None], np.array([1.0]), [["x"]]),
}
"""Kind of an argument -> such as are wrong."""


@pytest.mark.parametrize("kind", CHECKS)
def test_right_argument_is_taken(kind: str) -> None:
    check, right = CHECKS[kind]
    for value in right:
        check(name=value)


@pytest.mark.parametrize("kind", CHECKS)
def test_wrong_argument_is_refused_by_parameter_and_type(kind: str) -> None:
    check, _ = CHECKS[kind]
    for value in REFUSED[kind]:
        with pytest.raises(TypeError, match=r"^second is .*, got ") as refused:
            check(first=CHECKS[kind][1][0], second=value)
        assert any(type(each).__name__ in str(refused.value) for each in (value, *(value if kind == "texts" else ())))


@pytest.mark.parametrize("kind", [each for each in CHECKS if each != "flag"])
def test_none_is_right_where_it_is_an_option(kind: str) -> None:
    check, _ = CHECKS[kind]
    check(optional=True, name=None)
    with pytest.raises(TypeError, match=r"^name is .*, got NoneType\.$"):
        check(name=None)


@given(st.sampled_from([check for check, _ in CHECKS.values()]), st.sampled_from(MAKERS))
def test_any_value_is_taken_or_refused_by_name(check: Check, maker: tuple[str, Make]) -> None:
    value, message = maker[1](), "limit is taken"
    try:
        check(limit=value)
    except (TypeError, ValueError) as refused:
        message = str(refused)
    assert message.startswith("limit is ")
    assert len(message) < 250


@given(st.one_of(st.integers(), st.floats()), st.integers(-10, 10))
def test_number_is_taken_from_the_least_on(value: float, least: int) -> None:
    whole = isinstance(value, int)
    check: Check = check_count if whole else check_number
    if least <= value and (not whole or value <= sys.maxsize):
        check(least, limit=value)
    else:
        with pytest.raises(ValueError, match=r"^limit is .*; it must be -?\d+ or (more|less)\.$"):
            check(least, limit=value)


@pytest.mark.parametrize("check", [check_count, check_number])
def test_number_that_no_machine_counts_is_refused(check: Check) -> None:
    with pytest.raises(ValueError, match=r"^limit is .*; it must be .* or less\.$"):
        check(limit=10**400)


def test_class_is_checked_without_a_subclass_that_is_wrong() -> None:
    check_type(int, limit=True)
    with pytest.raises(TypeError, match=r"^limit is an int, got bool\.$"):
        check_type(int, but=bool, limit=True)
    with pytest.raises(TypeError, match=r"^limit is an int or str or None, got float\.$"):
        check_type((int, str), optional=True, limit=1.0)


def test_list_names_the_place_of_what_does_not_belong() -> None:
    with pytest.raises(TypeError, match=r"^ids is a list of texts \(str\), got int at place 1\.$"):
        check_texts(ids=["x", 1])


def test_protocol_is_checked_by_its_members() -> None:
    check_members("score", "close", reranker=type("Reranker", (), {"score": 1, "close": 2})())
    for wrong in (object(), type("Reranker", (), {"score": 1, "close": 2}), None):
        with pytest.raises(TypeError, match=r"^reranker is an object with score, close, got "):
            check_members("score", "close", reranker=wrong)


def test_value_is_in_no_message_about_its_type() -> None:
    with pytest.raises(TypeError) as refused:
        check_count(token={"password": "secret"})
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("value", [np.array(["auto", "server"]), np.array([]), 1, None, ["auto"], {"a": 1}, b"auto"])
def test_choice_of_another_type_is_refused_with_the_known_ones(value: object) -> None:
    with pytest.raises(ValueError, match="Fusion is one of 'auto', 'server', 'client', got "):
        Fusion(value)


def test_choice_that_is_one_is_kept() -> None:
    assert Fusion(Fusion.SERVER) is Fusion.SERVER is Fusion("server")


@pytest.mark.parametrize(
    ("make", "parameter"),
    [
        (lambda: WriteOptions(batch_size="200"), "batch_size"),  # type: ignore[arg-type]
        (lambda: WriteOptions(request_timeout=[1]), "request_timeout"),  # type: ignore[arg-type]
        (lambda: SearchOptions(prune=0.1), "prune"),  # type: ignore[arg-type]
        (lambda: SparseVector(5), "weights"),  # type: ignore[arg-type]
        (lambda: SparseVector({"x": 1.0}).dot(5), "other"),  # type: ignore[arg-type]
    ],
)
def test_public_call_names_the_parameter(make: Callable[[], object], parameter: str) -> None:
    with pytest.raises(TypeError, match=rf"^{parameter} is "):
        make()


def test_model_of_another_type_is_refused() -> None:
    with pytest.raises(TypeError, match="ModelSpec, got int"):
        get_model(5)  # type: ignore[arg-type]

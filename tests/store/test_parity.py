"""The asynchronous store is the blocking one, awaited."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from opensearch_neural_sparse import AsyncBulkSender, AsyncNeuralSparseStore, BulkSender, NeuralSparseStore

TWINS: list[tuple[Any, Any]] = [(NeuralSparseStore, AsyncNeuralSparseStore), (BulkSender, AsyncBulkSender)]


def methods(owner: type) -> dict[str, Any]:
    return {name: value for name, value in inspect.getmembers(owner, inspect.isfunction) if not name.startswith("_")}


def parameters(method: Any) -> list[tuple[str, Any, Any, Any]]:
    found = inspect.signature(method).parameters.values()
    return [(each.name, each.kind, each.default, each.annotation) for each in found]


@pytest.mark.parametrize(("blocking", "awaited"), TWINS)
def test_methods_have_the_same_names_parameters_defaults_and_docstrings(blocking: type, awaited: type) -> None:
    assert methods(blocking).keys() == methods(awaited).keys()
    for name, method in methods(blocking).items():
        assert parameters(method) == parameters(methods(awaited)[name]), name
        assert inspect.getdoc(method) == inspect.getdoc(methods(awaited)[name]), name


@pytest.mark.parametrize(("blocking", "awaited"), TWINS)
def test_every_method_is_awaited_or_iterated_unless_both_share_it(blocking: type, awaited: type) -> None:
    for name, method in methods(awaited).items():
        if methods(blocking)[name] is method:
            continue  # it asks nothing of a server
        assert inspect.iscoroutinefunction(method) or inspect.isasyncgenfunction(method), name
        assert not inspect.iscoroutinefunction(methods(blocking)[name]), name


def test_properties_and_constructors_are_the_same() -> None:
    properties = [dict(inspect.getmembers(owner, lambda value: isinstance(value, property))) for owner in TWINS[0]]
    assert properties[0] == properties[1]
    assert NeuralSparseStore.__init__ is AsyncNeuralSparseStore.__init__

"""Every parameter of every public name is described, where the reference shows it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from enum import Enum
from importlib import import_module
from typing import Any

import pytest

import langchain_opensearch_neural_sparse.other_stores
from tests.docs.test_build import PACKAGES

OURS = ("opensearch_neural_sparse.", "langchain_opensearch_neural_sparse.", "haystack_integrations.")
THEIRS = "haystack_integrations.document_stores.opensearch."
FROM_LANGCHAIN = {"name", "tags", "metadata"}
"""Fields that every retriever of LangChain has; LangChain describes them."""
ANY_NUMBER = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
MADE_BY_US_ALONE = (Enum, Exception)
SECTION = re.compile(r"^(?:Args|Attributes):\n((?:(?: .*)?(?:\n|\Z))*)", re.MULTILINE)
ENTRY = re.compile(r"^    \**(\w+)(?: \([^)]*\))?:", re.MULTILINE)
NAMED = re.compile(r"`(\w+)`")


def _ours(value: object) -> bool:
    home = f"{getattr(value, '__module__', '')}."
    return home.startswith(OURS) and not home.startswith(THEIRS)


def _entries(docstring: str | None) -> set[str]:
    sections = SECTION.findall(inspect.cleandoc(docstring or ""))
    return {name for section in sections for name in ENTRY.findall(section)}


def _described(function: Callable[..., Any], owner: type | None, seen: frozenset[str] = frozenset()) -> set[str]:
    """Return what has an entry or is named in the text, and what is so in the methods that the text names."""
    text = inspect.getdoc(function) or ""
    named = set(NAMED.findall(text))
    described = _entries(text) | named
    for name in named - seen if owner is not None else ():
        if inspect.isroutine(method := getattr(owner, name, None)):
            described |= _described(method, owner, seen | named)
    return described


def _methods(owner: type) -> Iterator[Callable[..., Any]]:
    for name in dir(owner):
        method = getattr(owner, name)
        if not name.startswith("_") and inspect.isroutine(method) and _ours(method):
            yield method


def _of_constructor(value: type) -> set[str]:
    made_by_ours = value.__init__ if _ours(value.__init__) else value
    parameters = inspect.signature(made_by_ours).parameters.values()
    return {parameter.name for parameter in parameters if parameter.kind not in ANY_NUMBER} - {"self"}


def _undescribed(value: Any) -> list[str]:
    if not inspect.isclass(value):
        return [
            f"{value.__name__}: {name}" for name in {*inspect.signature(value).parameters} - _described(value, None)
        ]
    missing = _of_constructor(value) - FROM_LANGCHAIN
    for base in filter(_ours, value.__mro__):
        missing -= _entries(base.__doc__)
    of_class = [f"{value.__name__}: {name}" for name in missing]
    return of_class + [
        f"{method.__qualname__}: {name}"
        for method in _methods(value)
        for name in {*inspect.signature(method).parameters} - _described(method, value) - {"self"}
    ]


def _public() -> Iterator[Any]:
    for package in (*PACKAGES, "opensearch_neural_sparse.devserver"):
        module = import_module(package)
        for name in module.__all__:
            value = getattr(module, name)
            if inspect.isfunction(value) or (inspect.isclass(value) and not issubclass(value, MADE_BY_US_ALONE)):
                yield value
    yield langchain_opensearch_neural_sparse.other_stores.for_qdrant
    yield langchain_opensearch_neural_sparse.other_stores.for_milvus


def public_classes() -> list[type]:
    return [value for value in _public() if inspect.isclass(value)]


@pytest.mark.parametrize("value", [*_public()], ids=lambda value: value.__name__)
def test_every_parameter_is_described(value: Any) -> None:
    assert _undescribed(value) == []


def test_a_parameter_without_a_description_is_found() -> None:
    def search(query: str, size: int) -> None:
        """Search.

        Args:
            query: What is looked for.
        """

    assert _undescribed(search) == ["search: size"]

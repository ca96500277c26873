"""What a user's mypy says of the documented calls, and of wrong ones: one run over all of them."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from textwrap import indent
from types import ModuleType
from typing import Any, get_args

import pytest

import opensearch_neural_sparse
from opensearch_neural_sparse import ModelFiles, devserver
from opensearch_neural_sparse.devserver import DevServer, StartOptions
from tests.docs.test_build import PACKAGES
from tests.docs.test_docstring_examples import WITH_EXAMPLES, _steps
from tests.docs.test_parameters import _methods, _public
from tests.docs.test_snippets import PAGES, _snippets
from tests.paths import ROOT

CALLS = ROOT / "tests" / "packaging" / "typed_calls.py"
OPTIONS = ("--strict", "--allow-untyped-defs", "--allow-untyped-calls", "--allow-redefinition-new")
"""As a careful user has them; functions of snippets may go without types, and a page reuses its names."""
WITHOUT_STUBS = (
    "boto3.*,datasets.*,examples.*,langchain_classic.*,langchain_community.*,haystack_integrations.components.rankers.*"
)
NO_STUBS = f"[mypy]\n[mypy-{WITHOUT_STUBS}]\nignore_missing_imports = True\n"
READ_ONLY = {DevServer, ModelFiles, StartOptions}
"""Made by the package alone, so that their fields are only read."""
NAMES = {
    "langchain_opensearch_neural_sparse": "from langchain_core.documents import Document\nurl: str\n"
    "vectorstore: OpenSearchNeuralSparseVectorStore\nllm: Any\ncontents: str\nfields: Any\nSelfQueryRetriever: Any\n",
    "haystack_integrations": "from haystack import Document\n",
}
"""Layer -> what the examples of its docstrings take for granted."""


def _choices() -> Iterator[type[StrEnum]]:
    modules: tuple[ModuleType, ...] = (opensearch_neural_sparse, devserver)
    for value in (getattr(module, name) for module in modules for name in module.__all__):
        if inspect.isclass(value) and issubclass(value, StrEnum):
            yield value


def _like(choice: type[StrEnum]) -> Any:
    return getattr(sys.modules[choice.__module__], f"{choice.__name__}Like", None)


GIVEN = [choice for choice in _choices() if choice is not devserver.Origin and choice is not devserver.Step]
"""Choices that are given by a caller; the others are only read."""


def _examples(package: str) -> str:
    """Return the docstring examples of a package, each in a function of its own."""
    layer = package.partition(".")[0]
    own = dict.fromkeys(value for value in WITH_EXAMPLES if value.__module__.startswith(f"{package}."))
    packages = ["opensearch_neural_sparse", *(known for known in PACKAGES if known.startswith(layer))]
    imports = ["from typing import Any", *(f"from {known} import *" for known in packages)]
    bodies = [f"async def {value.__name__}_() -> None:\n{indent(_code(value), '    ')}\n" for value in own]
    return "\n".join([*dict.fromkeys(imports), NAMES.get(layer, ""), *bodies])


def _code(value: type) -> str:
    return "\n".join(source for source, _ in _steps(inspect.getdoc(value) or ""))


def _written(folder: Path) -> None:
    for page in PAGES:
        if snippets := _snippets(page):
            (folder / f"page_{page.stem.lower()}.py").write_text("\n".join(snippets), encoding="utf-8")
    for package in PACKAGES:
        name = f"examples_of_{package.replace('.', '_')}.py"
        (folder / name).write_text(_examples(package), encoding="utf-8")
    (folder / CALLS.name).write_text(CALLS.read_text(encoding="utf-8"), encoding="utf-8")


@pytest.mark.slow
def test_mypy_accepts_the_documented_calls_and_refuses_wrong_ones(tmp_path: Path) -> None:
    _written(tmp_path)
    (tmp_path / "mypy.ini").write_text(NO_STUBS, encoding="utf-8")
    places = ("--explicit-package-bases", "--cache-dir", str(ROOT / ".mypy_cache" / "snippets"))
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", "mypy.ini", *OPTIONS, *places, "."],
        cwd=tmp_path,
        env={**os.environ, "MYPYPATH": str(ROOT / "integrations")},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("choice", GIVEN, ids=lambda choice: choice.__name__)
def test_each_choice_has_an_alias_of_itself_and_its_values(choice: type[StrEnum]) -> None:
    own, literal = get_args(_like(choice))
    assert own is choice
    assert list(get_args(literal)) == [str(value) for value in choice]


def test_no_public_parameter_takes_a_choice_without_its_values() -> None:
    bare = re.compile(rf"\b({'|'.join(choice.__name__ for choice in GIVEN)})\b")
    found = {
        f"{value.__qualname__}({name}: {annotation})"
        for value in _public()
        if value not in READ_ONLY
        for name, annotation in _annotations(value)
        if bare.search(annotation)
    }
    assert found == set()


def _annotations(value: Any) -> Iterator[tuple[str, str]]:
    functions = [value, *(map(inspect.unwrap, _methods(value)) if inspect.isclass(value) else ())]
    for function in functions:
        for name, parameter in inspect.signature(function).parameters.items():
            yield name, str(parameter.annotation)

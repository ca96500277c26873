"""The shape of the source: small rooms, short class chains, no import circles, no private names across packages."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.paths import ROOT

SOURCES = ROOT / "integrations"
CORE = "opensearch_neural_sparse"
PACKAGES = (CORE, "langchain_opensearch_neural_sparse", "haystack_integrations")
MOST_FILES = 10
LONGEST_CHAIN = 3


def modules() -> dict[str, Path]:
    """Return the dotted name of each module of the three packages, with its file."""
    files = (file for package in PACKAGES for file in (SOURCES / package).rglob("*.py"))
    named = {".".join(file.relative_to(SOURCES).with_suffix("").parts): file for file in files}
    return {name.removesuffix(".__init__"): file for name, file in named.items()}


MODULES = modules()
TREES = {name: ast.parse(file.read_text(encoding="utf-8")) for name, file in MODULES.items()}


def imports_of(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Yield module and name of what is imported when a module is loaded; imports for types alone are left out."""
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from ((node.module, alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)


@pytest.mark.parametrize("folder", sorted({file.parent for file in (SOURCES / CORE).rglob("*.py")}), ids=str)
def test_a_room_of_the_core_has_few_files(folder: Path) -> None:
    files = [file.name for file in folder.glob("*.py") if file.name != "__init__.py"]
    assert len(files) <= MOST_FILES


def test_modules_do_not_import_one_another_in_a_circle() -> None:
    graph = {
        name: {
            target
            for module, imported in imports_of(tree)
            for target in (f"{module}.{imported}", module)
            if target in MODULES and target != name
        }
        for name, tree in TREES.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"Circle: {' -> '.join(error.args[1])}", pytrace=False)


def test_no_class_has_more_than_three_of_ours_in_its_chain() -> None:
    bases = {
        node.name: [base.id for each in node.bases for base in ast.walk(each) if isinstance(base, ast.Name)]
        for tree in TREES.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }

    def depth(name: str) -> int:
        return 1 + max((depth(base) for base in bases[name] if base in bases and base != name), default=0)

    errors = {name for name in bases if name.endswith(("Error", "Warning"))}
    assert {name: depth(name) for name in bases.keys() - errors if depth(name) > LONGEST_CHAIN} == {}


@pytest.mark.parametrize("name", sorted(name for name in MODULES if not name.startswith(f"{CORE}.") and name != CORE))
def test_a_layer_imports_no_private_name_of_the_core(name: str) -> None:
    private = [
        f"{node.module}.{alias.name}"
        for node in ast.walk(TREES[name])
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == CORE
        for alias in node.names
        if alias.name.startswith("_") or any(part.startswith("_") for part in (node.module or "").split("."))
    ]
    assert private == []


def test_no_method_is_called_by_a_name_in_a_string() -> None:
    found = [
        f"{name}:{node.lineno}"
        for name, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Call)
        if isinstance(node.func.func, ast.Name)
        and node.func.func.id == "getattr"
        and not isinstance(node.func.args[1], ast.Constant)
    ]
    assert found == []

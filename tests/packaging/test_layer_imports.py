"""A framework layer uses of the core what programs use, and the names that `layer_support` lists for layers."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import opensearch_neural_sparse
from opensearch_neural_sparse import layer_support
from tests.paths import ROOT

CORE = "opensearch_neural_sparse"
SHARED = {CORE: set(opensearch_neural_sparse.__all__), f"{CORE}.layer_support": set(layer_support.__all__)}
LAYERS = ("haystack_integrations", "langchain_opensearch_neural_sparse")


def imports_of_the_core(layer: str) -> Iterator[tuple[Path, str, str]]:
    """Yield file, module and name of each import, those for type checkers included."""
    for path in sorted((ROOT / "integrations" / layer).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from ((path, alias.name, "") for alias in node.names if alias.name.split(".")[0] == CORE)
            elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == CORE:
                yield from ((path, str(node.module), alias.name) for alias in node.names)


@pytest.mark.parametrize("layer", LAYERS)
def test_a_layer_imports_public_names_and_those_listed_for_layers(layer: str) -> None:
    found = list(imports_of_the_core(layer))
    assert found
    assert [row for row in found if row[2] not in SHARED.get(row[1], set())] == []


def test_what_is_listed_for_layers_is_there_and_no_public_name() -> None:
    names = layer_support.__all__
    assert all(hasattr(layer_support, name) for name in names)
    assert not SHARED[CORE] & set(names)

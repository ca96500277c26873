"""First docstring lines and messages are in plain English."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.paths import ROOT

PACKAGES = ROOT / "integrations"

BANNED = re.compile(
    r"\b(tells?|telling|told|anew|in silence|leads? to|leading to|led to|lets? go|letting go|be had"
    r"|look(s|ed|ing)? at once more|by now|bec[ao]mes? of|c[ao]mes? of|one's own|whom|whose|takes? no notice)\b",
    re.IGNORECASE,
)
RELATIVE_CLAUSE = re.compile(r"(what|which|who|how|where|when|why)\b", re.IGNORECASE)


def _first_lines(tree: ast.AST) -> Iterator[ast.Constant]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.value


def _faults(source: str, path: str) -> list[str]:
    tree = ast.parse(source)
    documented = {id(text): str(text.value).strip().partition("\n")[0] for text in _first_lines(tree)}
    faults: list[tuple[int, str]] = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
            continue
        text = documented.get(id(node), node.value)
        if BANNED.search(text) or (id(node) in documented and RELATIVE_CLAUSE.match(text)):
            faults.append((node.lineno, text))
    return [f"{path}:{line}: {text}" for line, text in sorted(faults)]


def _faults_below(folder: Path) -> list[str]:
    sources = sorted(folder.rglob("*.py"))
    return [fault for path in sources for fault in _faults(path.read_text("utf-8"), str(path.relative_to(ROOT)))]


def test_first_lines_and_messages_have_no_banned_words() -> None:
    assert _faults_below(PACKAGES) == []


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ('"""What became of a write."""', [1]),
        ('"""Which fields there are."""', [1]),
        ('x = 1\n"""Tells models apart."""', [2]),
        ('def f():\n    """Encode documents anew."""', [2]),
        ('raise ValueError(f"{x} leads to several indices.")', [1]),
        ('message = (\n    "The index "\n    "was made anew."\n)', [2]),
        ('"""Report of a write.\n\nIt tells the ids.\n"""', []),
        ('x = {"tells_version": "Whether it is known."}', []),
        ('"""Whether the index has a model."""', []),
    ],
)
def test_banned_words_are_found_with_their_lines(source: str, lines: list[int]) -> None:
    found = [int(fault.split(":")[1]) for fault in _faults(source, "a.py")]
    assert found == lines

"""First docstring lines, messages, pages and notebooks are in plain English."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.paths import ROOT

PACKAGES = ROOT / "integrations"

PAGES = [
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "examples").rglob("*.md")),
]
NOTEBOOKS = sorted((ROOT / "examples" / "notebooks").glob("*.ipynb"))

VAGUE = (
    r"tells?|telling|told|anew|in silence|leads? (to|elsewhere|nowhere)|leading to|led to|lets? go|letting go|be had"
    r"|look(s|ed|ing)? at once more|by now|bec[ao]mes? of|c[ao]mes? of|one's own|whom|takes? no notice"
)


def _words(pattern: str) -> re.Pattern[str]:
    """Return a pattern of whole words that may stand in two lines."""
    return re.compile(rf"\b({pattern})\b".replace(" ", r"\s+"), re.IGNORECASE)


BANNED = _words(rf"{VAGUE}|whose")
BANNED_IN_PAGES = _words(rf"{VAGUE}|ask(s|ed|ing)? (\w+ ){{0,3}}for")
NOT_PROSE = re.compile(
    r"^[ ]*```.*?^[ ]*```[ ]*$"  # fenced code
    r"|`[^`]+`"  # inline code, in tables, too
    r"|\]\([^)]*\)"  # targets of links
    r"|^\[[^\]]+\]:[^\n]*$",  # definitions of links
    re.DOTALL | re.MULTILINE,
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


def _page_faults(text: str, path: str) -> list[str]:
    prose = NOT_PROSE.sub(lambda code: "\n" * code[0].count("\n") or "_", text)
    lines = text.splitlines()
    numbers = [prose.count("\n", 0, match.start()) for match in BANNED_IN_PAGES.finditer(prose)]
    return [f"{path}:{number + 1}: {lines[number]}" for number in numbers]


def _notebook_faults(path: Path) -> list[str]:
    cells = json.loads(path.read_text("utf-8"))["cells"]
    texts = {number: "".join(cell["source"]) for number, cell in enumerate(cells) if cell["cell_type"] == "markdown"}
    return [fault for number, text in texts.items() for fault in _page_faults(text, f"{path.name}, cell {number}")]


def test_first_lines_and_messages_have_no_banned_words() -> None:
    assert _faults_below(PACKAGES) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_pages_have_no_banned_words(page: Path) -> None:
    assert _page_faults(page.read_text("utf-8"), page.relative_to(ROOT).as_posix()) == []


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda notebook: notebook.name)
def test_notebooks_have_no_banned_words(notebook: Path) -> None:
    assert _notebook_faults(notebook) == []


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


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("The error tells which.", [1]),
        ("# Title\n\nIt is let\ngo of.", [3]),
        ("```python\n# encodes anew\n```\n\nIt is\nencoded anew.", [6]),
        ("- text\n\n  ```text\n  told\n  ```\n", []),
        ("`told` and [a link](told.md)", []),
        ("| `told` | what is told |", [1]),
        ("`a` tells `b`", [1]),
        ("A search that asks\nthe server for ten hits.", [1]),
        ("Questions that a user asks, and an index whose model is known.", []),
    ],
)
def test_banned_words_of_pages_are_found_outside_code(text: str, lines: list[int]) -> None:
    assert [int(fault.split(":")[1]) for fault in _page_faults(text, "a.md")] == lines

"""Pages, notebooks and messages keep the style of scripts/style.toml."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scripts import check_style
from scripts.check_style import notebook_faults, page_faults, source_faults
from tests.paths import ROOT

LONG = " ".join(["word"] * (check_style.STYLE["longest_sentence"] + 1))
SHORT = " ".join(["word"] * check_style.STYLE["longest_sentence"])


@pytest.mark.parametrize("path", check_style.checked_files(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_pages_notebooks_and_messages_keep_the_style(path: Path) -> None:
    assert [str(fault) for fault in check_style.file_faults(path)] == []


def test_every_kind_of_text_is_checked() -> None:
    checked = {path.relative_to(ROOT).as_posix() for path in check_style.checked_files()}
    assert {
        "README.md",
        "CHANGELOG.md",
        "docs/guide.md",
        "docs/decisions/index.md",
        "examples/models/small-en/README.md",
        "examples/notebooks/haystack.ipynb",
        "integrations/opensearch_neural_sparse/errors.py",
    } <= checked


def test_a_banned_word_is_named_with_its_way_out() -> None:
    assert [str(fault) for fault in page_faults("# Title\n\nIt is encoded\nanew.", "a.md")] == [
        "a.md:4: 'anew': write 'again'"
    ]


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ('"""What became of a write."""', [1, 1]),
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
    assert [fault.line for fault in source_faults(source, "a.py")] == lines


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
    assert [fault.line for fault in page_faults(text, "a.md")] == lines


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (f"{SHORT}.", []),
        (f"Short. {LONG}.", [1]),
        (f"First.\n\n{LONG}\n", [3]),
        (f"- {SHORT}\n- {SHORT}\n", []),
        (f"1. First.\n2. {LONG}\n", [2]),
        (f"{SHORT}: {SHORT}.", []),
        (f"{SHORT} `code of several words`", [1]),
        (f"{SHORT[5:]} `one`, `two`, `three`", []),
        (f"| {SHORT} | {SHORT} |", []),
        (f"| {SHORT}; {SHORT} |", []),
        (f"| {LONG} |", [1]),
        (f"# {LONG}", []),
        (f"![{LONG}](picture.png)", []),
        (f"```text\n{LONG}\n```", []),
    ],
)
def test_long_sentences_of_pages_are_found_with_their_lines(text: str, lines: list[int]) -> None:
    assert [fault.line for fault in page_faults(text, "a.md")] == lines


def test_a_log_of_changes_may_have_long_sentences() -> None:
    assert page_faults(f"{LONG}.", "CHANGELOG.md") == []
    assert [fault.line for fault in page_faults(f"{LONG} anew.", "CHANGELOG.md")] == [1]


def test_markdown_cells_of_notebooks_are_checked() -> None:
    cells = [
        {"cell_type": "code", "source": ["'anew'"]},
        {"cell_type": "markdown", "source": ["Text.\n", "It is encoded anew."]},
    ]
    (fault,) = notebook_faults(json.dumps({"cells": cells}), "a.ipynb")
    assert (fault.path, fault.line) == ("a.ipynb, cell 1", 2)
